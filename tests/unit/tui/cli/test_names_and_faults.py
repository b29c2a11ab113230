"""Commands that take names, while engines are late, down, denied or absent: "no such workload" takes all answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from collectors.engines.base import Engine
from collectors.engines.registry import ENGINES
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown
from collectors.sampling import worker as worker_module
from collectors.sampling.source import SourceReading, SourceSpec
from tests.unit.collectors.sampling.test_worker import FakeSource, Step, fail
from tui.cli import main, sampling, sources, targets
from tui.cli.exit_codes import NO_ANSWER, NO_SUCH, NOT_ALLOWED

SOURCES = [engine for engine in ENGINES if engine.specs({}) and not engine.is_simulated]
COMMANDS = {
    "list": ["list", "{}"],
    "list a pattern": ["list", "{}*"],
    "logs": ["logs", "{}"],
    "top": ["top", "{}"],
    "exec": ["exec", "{}", "--", "true"],
    "inspect": ["inspect", "{}"],
    "compare": ["compare", "{}"],
    "set": ["set", "--yes", "{}", "cpu=1"],
    "stop": ["stop", "--yes", "{}"],
    "start": ["start", "--yes", "{}"],
    "restart": ["restart", "--yes", "{}"],
    "pause": ["pause", "--yes", "{}"],
    "resume": ["resume", "--yes", "{}"],
    "kill": ["kill", "--yes", "{}"],
}
FAULTS: dict[str, tuple[Exception, int]] = {
    "late": (NotInTime("it did not answer within 30 s"), NO_ANSWER),
    "down": (SourceDown("connection refused"), NO_ANSWER),
    "denied": (AccessDenied("no permission to use the socket", "join the group"), NOT_ALLOWED),
    "absent": (SourceAbsent("it is not installed"), NO_SUCH),
}

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command where one source does as a test says and the others answer that they have nothing."""
    monkeypatch.setattr(worker_module, "HUNG_AFTER_S", 0.0)
    monkeypatch.setattr(targets, "_RETURN_S", 0.0)
    monkeypatch.setattr(sampling, "_LEAST_FRAMES", 2)

    def invoke(words: list[str], faulty: str, step: Step) -> Result:
        def make(name: str) -> FakeSource:
            source = FakeSource(step if name == faulty else lambda: SourceReading({}, {}))
            source.holds_tick = name in ("host", "cgroup")
            return source

        monkeypatch.setattr(sampling, "load_source", lambda name: lambda **_: make(name))
        monkeypatch.setattr(sources, "specs", lambda *_: [SourceSpec(name) for name in ("host", "cgroup", faulty)])
        return CliRunner().invoke(main.main, [words[0], "--wait", "0.1", *words[1:]], prog_name="vmtop")

    return invoke


def check(run: Run, command: str, fault: str, engine: Engine) -> None:
    error, code = FAULTS[fault]
    words = [word.format(f"{min(engine.kinds)}:web-of-none") for word in COMMANDS[command]]
    done = run(words, engine.name, fail(error))
    assert done.exit_code == code, done.output
    assert ("no such workload" in done.output) == (code == NO_SUCH), done.output
    assert code == NO_SUCH or engine.name in done.output, done.output
    assert code != NOT_ALLOWED or "join the group" in done.output, "the remedy"
    assert ("nothing was done" in done.output.lower()) == ("--yes" in words), done.output


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_name_is_called_absent_only_if_all_have_answered(run: Run, command: str, fault: str) -> None:
    check(run, command, fault, next(engine for engine in SOURCES if engine.name == "docker"))


@pytest.mark.parametrize("engine", SOURCES, ids=lambda engine: engine.name)
@pytest.mark.parametrize("fault", FAULTS)
def test_that_holds_for_every_engine(run: Run, fault: str, engine: Engine) -> None:
    check(run, "list", fault, engine)
