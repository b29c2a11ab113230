"""One line in the registry makes an engine known everywhere; what an engine cannot do is a sentence, never a fault."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.actions.confirmation import besides, equivalent
from collectors.actions.rules import engine_forbids
from collectors.comparison.facts import FactsReader
from collectors.engines import registry
from collectors.engines.access import EngineAccess
from collectors.engines.base import Engine
from collectors.engines.connections import EngineConnections
from collectors.engines.options import EngineOption
from collectors.inspection.console import open_console
from collectors.inspection.details import DetailsReader
from collectors.inspection.logs import open_log
from collectors.inspection.raw_description import read_document
from collectors.model.actions import Observed, Request, Verb
from collectors.model.errors import SourceError
from collectors.model.workloads import Frame, Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from docs import engine_page
from tests.app.test_workload_list import Session
from tests.helpers.checkout import DOCS, ROOT
from tests.helpers.demo_fleet import QuietSampler
from tests.helpers.pilot_wait import told_of, until
from tests.helpers.toy_engine import ToyEngine
from tui.app.live import VmtopApp
from tui.cli.sampling import gather
from tui.configuration.config import Config
from tui.controllers.services import make_services
from tui.settings.screen_options import ScreenOptions

TOY_COMMAND = (
    sys.executable,
    "-c",
    "from collectors.engines.registry import ENGINES; from tests.helpers.toy_engine import ToyEngine\n"
    "ENGINES.insert(0, ToyEngine())\n"
    "from tui.cli.main import main; main(prog_name='vmtop')",
)
ATTRIBUTES = ("name", "interval_s", "holds_tick", "is_authority", "replace_after_s", "is_near", "open", "read", "close")


@pytest.fixture
def box(tmp_path: Path) -> Path:
    """Return a folder with a toy that runs and one that does not."""
    folder = tmp_path / "box"
    folder.mkdir()
    (folder / "robot.toy").write_text("running")
    (folder / "train.toy").write_text("stopped")
    (folder / "robot.log").write_text("beep\nboop\n")
    return folder


def vmtop(box: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the toy engine registered, and its box named by the environment."""
    environment = os.environ | {"TOY_BOX": f"toy://{box}", "XDG_STATE_HOME": str(box.parent)}
    return subprocess.run([*TOY_COMMAND, *arguments], capture_output=True, text=True, env=environment, cwd=ROOT)


class TestToyOnTheCommandLine:
    def test_it_is_listed_with_its_state(self, box: Path) -> None:
        listed = csv.DictReader(vmtop(box, "list", "--csv", "--all", "--filter", "engine=toy").stdout.splitlines())
        assert {(row["name"], row["state"]) for row in listed} == {("robot", "running"), ("train", "stopped")}

    @pytest.mark.parametrize("command", ["list", "stream", "doctor", "record", "compare", "start"])
    def test_its_option_is_in_every_commands_help(self, box: Path, command: str) -> None:
        assert re.search(r"--toys URL +Box of toys; may be repeated\.", vmtop(box, command, "--help").stdout)

    def test_its_option_goes_before_the_environment(self, box: Path) -> None:
        done = vmtop(box, "doctor", "--toys", f"toy://{box / 'empty'}")
        assert f"there is no box of toys at {box / 'empty'}" in done.stdout

    def test_an_address_has_to_begin_as_the_engine_says(self, box: Path) -> None:
        done = vmtop(box, "list", "--toys", "ftp://box")
        assert done.returncode == 2
        assert "has to begin with one of toy://" in done.stderr

    def test_two_of_its_daemons_are_told_apart(self, box: Path) -> None:
        said = vmtop(box, "doctor", "--toys", f"toy://{box}", "--toys", "toy:///nowhere").stdout
        assert f"toy@{box}" in said
        assert "toy@/nowhere" in said

    def test_doctor_tells_of_its_source_and_its_library(self, box: Path) -> None:
        said = vmtop(box, "doctor").stdout
        assert re.search(r"ok +toy +2 toys", said)
        assert re.search(r"toybox +not installed", said)

    def test_a_bug_report_has_its_variable(self, box: Path) -> None:
        assert f"TOY_BOX=toy://{box}" in vmtop(box, "doctor", "--report").stdout

    def test_it_is_acted_on(self, box: Path) -> None:
        done = vmtop(box, "stop", "robot", "--yes")
        assert done.returncode == 0, done.stderr
        assert "robot was stopped" in done.stdout
        assert (box / "robot.toy").read_text() == "stopped"

    def test_what_it_cannot_do_is_refused_in_a_sentence(self, box: Path) -> None:
        done = vmtop(box, "kill", "robot", "--yes")
        assert done.returncode == 5
        assert "toys are only started and stopped" in done.stderr


class Still:
    """A fleet that does not change."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def frame(self) -> Frame:
        return self._frame


@asynccontextmanager
async def screen_of_toys(box: Path) -> AsyncIterator[Session]:
    specs = [SourceSpec("toy", {"box": str(box)})]
    app = VmtopApp(QuietSampler([]), ScreenOptions(), make_services(specs, Config(), None))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        session = Session(pilot, Still(gather(specs).frame))  # type: ignore[arg-type]  # all that is asked of a fleet
        await session.tick(2)
        await until(pilot, lambda: "robot" in session.text())
        yield session


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "ENGINES", [ToyEngine(), *registry.ENGINES])


@pytest.mark.usefixtures("registered")
class TestToyOnTheScreen:
    async def test_its_menu_offers_what_it_can_do_and_says_why_not_the_rest(self, box: Path) -> None:
        async with screen_of_toys(box) as session:
            await session.press("j", "x")
            await until(session.pilot, lambda: "toys are only started and stopped" in session.text())
            assert "stop" in session.text()

    async def test_its_details_are_read(self, box: Path) -> None:
        async with screen_of_toys(box) as session:
            await session.press("j", "enter")
            await session.pilot.pause(0.1)
            await session.press("2")
            await until(session.pilot, lambda: "robot.toy" in session.text())

    @pytest.mark.parametrize(("key", "text"), [("l", "boop"), ("i", "running")])
    async def test_its_log_and_its_description_are_read(self, box: Path, key: str, text: str) -> None:
        async with screen_of_toys(box) as session:
            await session.press("j", key)
            await until(session.pilot, lambda: text in session.text())

    async def test_a_shell_that_it_does_not_have_is_a_sentence(self, box: Path) -> None:
        async with screen_of_toys(box) as session:
            await session.press("j", "e")
            await told_of(session, "vmtop cannot open a console in it")


def some_workload(engine: Engine | None, kind: str) -> Workload:
    """Return a workload that could be an engine's."""
    name = next(iter(engine.engine_names), "cri-o") if engine is not None else "cri-o"
    identity = "/system.slice/x.service" if kind == "service" else "x"
    return Workload(WorkloadId(name, identity), Kind(kind), "x", State.RUNNING)


class Silent:
    """The source of an engine that has none of its own."""

    name, interval_s, holds_tick, is_authority, replace_after_s = "", 0.0, False, False, None
    open = read = close = None


OWNED = [(engine, kind) for engine in (*registry.ENGINES, ToyEngine()) for kind in sorted(engine.kinds)]


class TestEveryEngine:
    @pytest.mark.parametrize("engine", [*registry.ENGINES, ToyEngine()], ids=lambda engine: engine.name)
    def test_it_is_described_whole(self, engine: Engine) -> None:
        assert re.fullmatch(r"[a-z][a-z0-9-]*", engine.name)
        assert engine.kinds
        assert engine.kinds <= set(Kind)
        assert set(engine.verbs) <= set(Verb)
        assert isinstance(engine.connect([]), EngineAccess)
        source: Any = Silent
        with suppress(LookupError):  # the kernel's sources list what it owns
            source = engine.load_source()
        assert source is not Silent or not engine.specs({})
        assert not [name for name in ATTRIBUTES if not hasattr(source, name) and name != "is_near"]
        for option in (*([engine.address] if engine.address else []), *engine.switches):
            assert option.flag.startswith("--")
            assert option.help.endswith(".")
            assert option.parameter.isidentifier()
            assert option.is_switch is (option is not engine.address)

    def test_no_two_share_a_name_or_an_option(self) -> None:
        names = [engine.name for engine in registry.ENGINES]
        flags = [option.flag for option in registry.options()]
        assert len(set(names)) == len(names)
        assert len(set(flags)) == len(flags)

    @pytest.mark.parametrize(("engine", "kind"), OWNED)
    @pytest.mark.parametrize("verb", list(Verb))
    def test_a_verb_that_it_does_not_have_has_a_reason(self, engine: Engine, kind: str, verb: Verb) -> None:
        workload = some_workload(engine, kind)
        assert verb in engine.verbs or engine.forbids(verb, workload)

    @given(st.sampled_from([None, *registry.ENGINES]), st.sampled_from(["vm", "container", "service"]))
    def test_every_workload_has_one_reason_or_one_command_for_each_verb(self, engine: Engine | None, kind: str) -> None:
        workload = some_workload(engine, kind)
        for verb in Verb:
            request = Request(verb, workload, seen=Observed("x", State.RUNNING))
            besides(request)
            assert engine_forbids(verb, workload) or equivalent(request)

    def test_its_default_sources_are_those_of_a_host_without_options(self) -> None:
        assert [spec.name for spec in registry.specs_from({})] == [
            "host",
            "cgroup",
            *(engine.name for engine in registry.ENGINES if engine.specs({})),
        ]

    def test_an_address_given_twice_makes_two_sources_with_their_hosts(self) -> None:
        specs = registry.specs_from({"docker": ("ssh://me:pw@a", "ssh://b"), "insecure": True})
        docker = [spec for spec in specs if spec.name == "docker"]
        assert [spec.label for spec in docker] == ["docker@a", "docker@b"]
        assert [spec.options for spec in docker] == [
            {"url": "ssh://me:pw@a", "insecure": True},
            {"url": "ssh://b", "insecure": True},
        ]

    @pytest.mark.parametrize("name", [spec.name for spec in registry.specs_from({})])
    def test_every_source_that_runs_can_be_loaded(self, name: str) -> None:
        source = registry.load_source(name)
        assert not [attribute for attribute in ("open", "read", "close") if not hasattr(source, attribute)]

    def test_a_source_of_no_engine_is_an_error(self) -> None:
        with pytest.raises(LookupError):
            registry.load_source("nobody")


LOOKS: list[Callable[[Workload, EngineConnections], object]] = [
    open_log,
    open_console,
    read_document,
    lambda workload, connections: connections.actions(workload),
]


class TestWhatIsAbsent:
    @pytest.mark.parametrize("look", LOOKS)
    def test_an_engine_that_can_only_be_watched_says_so(
        self, look: Callable[[Workload, EngineConnections], object]
    ) -> None:
        with pytest.raises(SourceError, match="x"):
            look(some_workload(None, "container"), EngineConnections([]))

    @pytest.mark.parametrize("look", LOOKS)
    @pytest.mark.parametrize("kind", ["vm", "container"])
    @pytest.mark.parametrize("specs", [[], [SourceSpec("demo")]], ids=["no daemon", "demo"])
    def test_without_a_daemon_each_look_is_a_sentence(
        self, look: Callable[[Workload, EngineConnections], object], kind: str, specs: list[SourceSpec]
    ) -> None:
        workload = some_workload(registry.ENGINES[0], kind)
        connections = EngineConnections(specs)
        result: object = None
        with suppress(SourceError):  # whose reason is a sentence; anything else is a fault
            result = look(workload, connections)
        assert result is None or hasattr(result, "observe"), "only what acts is made before its daemon is asked"

    def test_details_without_an_engine_tell_what_the_source_told(self) -> None:
        workload = msgspec.structs.replace(some_workload(None, "container"), description="a cow")
        details = DetailsReader(EngineConnections([])).read(workload)
        assert ("description", "a cow") in {fact[:2] for table in details.tables for fact in table.facts}

    def test_facts_without_an_engine_have_the_reason_in_their_place(self) -> None:
        workload = some_workload(None, "container")
        facts = FactsReader(EngineConnections([])).read_all([workload])[workload.id]
        assert facts["size_bytes"].how == "cri-o is not queried by vmtop"

    def test_a_look_at_a_service_of_the_demo_does_not_ask_this_hosts_systemd(self) -> None:
        service = Workload(WorkloadId("systemd", "/system.slice/ssh.service"), Kind.SERVICE, "ssh", State.RUNNING)
        with pytest.raises(SourceError, match="do not exist"):
            open_log(service, EngineConnections([SourceSpec("demo")]))


def test_the_command_line_is_made_without_anything_heavy() -> None:
    code = "import sys, collectors.engines.registry as r; r.options(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"msgspec", "docker", "libvirt", "jeepney"} & set(loaded)


def test_the_tutorial_has_the_toy_engine_word_for_word() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / "adding-an-engine.md").read_text(), re.DOTALL)
    assert "\n\n".join(blocks) == (ROOT / "tests" / "helpers" / "toy_engine.py").read_text()


def test_whoever_follows_the_tutorial_has_a_working_engine(box: Path, tmp_path: Path) -> None:
    page = (DOCS / "adding-an-engine.md").read_text()
    for folder in ("collectors", "tui"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    code = "\n\n".join(re.findall(r"```python\n(.*?)```", page, re.DOTALL))
    (tmp_path / "collectors" / "engines" / "toy.py").write_text(code)
    imported, listed = "from collectors.engines.toy import ToyEngine\n", "ENGINES: list[Engine] = [\n"
    assert f"    {imported}\n    {listed}        ToyEngine(),\n" in page
    registry_file = tmp_path / "collectors" / "engines" / "registry.py"
    text = registry_file.read_text().replace("\nif TYPE_CHECKING", f"{imported}\nif TYPE_CHECKING", 1)
    registry_file.write_text(text.replace(listed, f"{listed}    ToyEngine(),\n"))
    command = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')"]
    words = ["stop", "robot", "--yes", "--toys", f"toy://{box}"]
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run([*command, *words], capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert "robot was stopped" in done.stdout, done.stderr
    assert (box / "robot.toy").read_text() == "stopped"


def test_a_switch_is_an_option_without_a_value() -> None:
    assert EngineOption("--no-tls", "insecure", "Allow it.").is_switch
    assert EngineOption("--no-tls", "insecure", "Allow it.").parameter == "no_tls"


def test_the_page_of_the_engines_is_that_of_the_registry() -> None:
    assert (DOCS / "engines.md").read_text() == engine_page.markdown()


@pytest.mark.parametrize("engine", engine_page.shown_engines(), ids=lambda engine: engine.name)
def test_every_engine_says_what_it_shows_what_it_needs_and_on_what_it_was_tested(engine: Engine) -> None:
    assert all(engine.about)
    assert not any(phrase.endswith(".") or "|" in phrase for phrase in engine.about)
