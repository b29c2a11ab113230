"""The command line: what is printed where, what is refused how, and what is imported when."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from collectors.analysis.rates import Deriver
from collectors.engines import registry
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, State, Workload
from collectors.sampling.source import SourceSpec
from tests.helpers.checkout import DOCS
from tests.helpers.strategies import frame, workload
from tui.cli import main, screen, sources
from tui.cli.commands.workloads import list as list_command
from tui.cli.screen import Chosen
from tui.settings.screen_options import ScreenOptions

SCHEMA = json.loads((DOCS / "list.schema.json").read_text())


COMMAND = (sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')")
FLEET_COMMAND = (
    *COMMAND[:2],
    "from tui.cli import main, sources; sources.specs = lambda *_: sources.demo(20, 7); main.main(prog_name='vmtop')",
)


@pytest.fixture(autouse=True)
def _unconfigured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no configuration that another test has left: what is imported depends on it."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(*arguments: str) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main.main, arguments, prog_name="vmtop")


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the command as a process of its own, on a fleet that does not exist."""
    return subprocess.Popen([*FLEET_COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands read a fleet that does not exist."""
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(20, 7))


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[SourceSpec], Chosen]]:
    """Collect what the screen would be started with."""
    screens: list[tuple[list[SourceSpec], Chosen]] = []

    def start_screen(specs: list[SourceSpec], options: Chosen) -> int:
        screens.append((specs, options))
        return 0

    monkeypatch.setattr(screen, "start", start_screen)
    return screens


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["completion", "bash"]])
def test_help_imports_no_library(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom tui.cli.main import main\n"
        f"try:\n    main({arguments!r}, prog_name='vmtop')\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stderr.split()
    roots = {name.partition(".")[0] for name in loaded}
    assert done.stdout
    assert not roots & {"textual", "rich", "docker", "libvirt", "psutil", "plotext", "platformdirs", "msgspec", "re2"}
    light = {"collectors", "collectors.engines"} | {
        f"collectors.engines.{name}"
        for name in ("about", "base", "options", "registry", "vmm.api_engine", "vmm.managed", "vmm.manager")
    }
    engines = [name for name in loaded if name.startswith("collectors.engines.") and name.endswith(".engine")]
    folders = [name.rpartition(".")[0] for name in engines]
    allowed = {*light, *engines, *folders}
    assert {name for name in loaded if name.startswith("collectors")} <= allowed


HEAVY = {"textual", "docker", "requests", "urllib3", "psutil", "plotext", "asyncio", "ssl", "http", "email"}
"""Roots of modules that no command needs which asks engines of this host once."""


@pytest.mark.parametrize("typed", ["logs web", "list --sort c", "check kind=", "info x", "list --"])
def test_a_completion_imports_nothing_that_is_slow_to_load(typed: str) -> None:
    words = ["vmtop", *typed.split()]
    variables = {"_VMTOP_COMPLETE": "bash_complete", "COMP_WORDS": " ".join(words), "COMP_CWORD": str(len(words) - 1)}
    code = (
        "import os, sys\nos._exit = sys.exit\nfrom tui.cli.main import main\n"
        "try:\n    main(prog_name='vmtop')\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    )
    environment = {**os.environ, **variables, "DOCKER_HOST": "unix:///nowhere", "CONTAINER_HOST": "unix:///nowhere"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    loaded = {name.partition(".")[0] for name in done.stderr.split()}
    assert "click" in loaded
    assert not loaded & HEAVY
    assert typed.startswith("logs") or not loaded & {"libvirt", "jeepney"}, "nothing is asked of an engine"


def loaded_by(modules: str) -> set[str]:
    code = f"import sys, {modules}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_first_line_is_painted_before_anything_else_is_loaded() -> None:
    mine = {name for name in loaded_by("tui.app.live") if name.partition(".")[0] in ("tui", "collectors", "msgspec")}
    assert mine <= {
        *("tui", "tui.app", "tui.app.live", "tui.app.base", "tui.app.keys_in_order", "tui.app.themed"),
        *(
            "tui.keys",
            "tui.keys.bindings",
            "tui.keys.host",
            "tui.keys.key",
            "tui.keys.main",
            "tui.keys.pages",
            "tui.keys.shared",
        ),
        *("tui.themes", "tui.themes.choice", "tui.themes.contrast", "tui.themes.look", "tui.themes.palette"),
        *("tui.themes.roles", "tui.themes.style_sheet", "tui.themes.terminal_colors"),
        *("tui.keys.tables", "tui.settings", "tui.settings.paths", "tui.settings.log_file"),
        *("tui.settings.screen_options", "tui.terminal", "tui.terminal.terminal_replies", "tui.terminal.cell_buffer"),
        *("tui.terminal.driver", "tui.terminal.flow_control", "tui.terminal.input_gate", "tui.terminal.output_filter"),
        *("tui.terminal.painting", "tui.terminal.signals", "tui.terminal.textual_private", "tui.terminal.tty"),
        *("collectors", "collectors.safety", "collectors.safety.sanitize"),
        *("collectors.safety.own_folder", "collectors.safety.toml_file"),  # for themes of the user
    }


def test_before_the_first_line_nothing_is_loaded_that_only_workloads_or_a_configuration_need() -> None:
    code = (
        "import sys\nfrom tui.cli import screen\nscreen.require_terminal = lambda _: None\n"
        "import tui.app.live\ntui.app.live.run_live = lambda *_: 0\nfrom tui.cli.main import main\n"
        "try:\n    main(['demo'])\nexcept SystemExit as end:\n    assert not end.code\nprint(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not {name.partition(".")[0] for name in loaded} & {"msgspec", "tomllib", "email", "docker"}
    later = ("collectors.model", "collectors.query", "collectors.alerts", "collectors.analysis", "collectors.fleet")
    assert not [name for name in loaded if name.startswith(later)]


def test_the_first_screen_imports_only_what_it_shows() -> None:
    controllers = "tui.controllers.actions, tui.controllers.services, tui.controllers.recording"
    first = f"tui.app.live, tui.screens.workloads.live, {controllers}, collectors.actions.runner"
    loaded = loaded_by(first)
    roots = {name.partition(".")[0] for name in loaded}
    assert not roots & {
        "docker",
        "libvirt",
        "plotext",
        "psutil",
        "re2",
        "requests",
        "jeepney",
        "email",
        "tomllib",
        "xml",
    }
    later = ("collectors.inspection", "collectors.comparison", "collectors.kernel.details")
    assert not [name for name in loaded if name.startswith(later)]
    engines = {name for name in loaded if name.startswith("collectors.engines.")}
    assert not [name for name in engines if name.endswith((".logs", ".journal", ".file_log", ".console", ".details"))]
    screens = {name.removeprefix("tui.screens.") for name in loaded if name.startswith("tui.screens.")}
    assert not screens & {"workloads.replay", "detail.base", "detail.live", "compare", "classes", "logs", "inspect"}
    assert "tui.dialogs.confirm_action" not in loaded


def test_list_imports_no_screen() -> None:
    code = (
        "import sys\nfrom tui.cli import main, sources\nsources.specs = lambda *_: sources.demo(3, 1)\n"
        "try:\n    main.main(['list'])\nexcept SystemExit:\n    pass\nprint(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert not {name.partition(".")[0] for name in loaded} & HEAVY
    assert not loaded & {"tui.presenters.reports.doctor", "tui.themes", "importlib.metadata", "email", "zipfile"}


BAD = [
    (["list", "--filter", "nmae=x"], "did you mean 'name'"),
    (["--filter", "cpu>lots"], "a number such as 50%"),
    (["stream", "--filter", "name~("], "cannot be used"),
    (["list", "--sort", "cpuu"], "did you mean 'cpu'"),
    (["list", "--docker", "nowhere"], "is not an address"),
    (["list", "--docker", "ftp://x"], "has to begin with"),
    (["list", "--libvirt", "qemu"], "is not an address"),
    (["--interval", "0.1"], "from 0.2 to 60"),
    (["stream", "--interval", "nan"], "a number from 0.2 to 60"),
    (["stream", "--count", "0"], "--count"),
    (["list", "--only", "pod"], "--only"),
    (["list", "--jso"], "--jso"),
    (["lst"], "Did you mean 'list'?"),
    (["lisst"], "Did you mean 'list'?"),
    (["qqqq"], "No such command 'qqqq'."),
    (["--read-only", "list"], "--read-only belongs after 'list'"),
    (["completion", "csh"], "csh"),
    ([], "needs a terminal"),
    (["demo"], "vmtop list"),
]


@pytest.mark.parametrize(("arguments", "reason"), BAD, ids=[" ".join(words) or "nothing" for words, _ in BAD])
def test_bad_arguments_are_refused_in_one_line(arguments: list[str], reason: str, fleet: None) -> None:
    done = run(*arguments)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    assert reason in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("vmtop: ")


@pytest.mark.parametrize("term", ["dumb", "", None])
def test_screen_is_refused_on_a_terminal_that_cannot_show_it(term: str | None) -> None:
    master, slave = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name != "TERM"}
    environment |= {} if term is None else {"TERM": term}
    process = subprocess.Popen(COMMAND, stdin=slave, stdout=slave, stderr=subprocess.PIPE, env=environment)
    _, words = process.communicate(timeout=60)
    os.close(master)
    os.close(slave)
    assert process.returncode == 2
    assert b"vmtop list" in words


def test_screen_is_started_with_what_was_asked_for(
    started: list[tuple[list[SourceSpec], Chosen]],
) -> None:
    arguments = "--interval 2.5 --read-only --ascii --no-mouse --only vm --filter cpu>5 --insecure"
    addresses = "--docker unix:///a.sock --docker tcp://me:secret@far:2375 --libvirt qemu:///session"
    done = run(*arguments.split(), *addresses.split())
    assert done.exit_code == 0, done.output
    ((specs, chosen),) = started
    options = chosen.options
    assert options == ScreenOptions(2.5, True, "vm", "cpu>5", True, False, is_steady=True)
    asked_for = [(spec.name, spec.label) for spec in specs if spec.name in ("docker", "libvirt", "systemd")]
    assert asked_for == [
        ("docker", "docker@/a.sock"),
        ("docker", "docker@far:2375"),
        ("libvirt", "libvirt"),
        ("systemd", ""),
    ]
    assert {"url": "tcp://me:secret@far:2375", "insecure": True} in [spec.options for spec in specs]
    assert {"uri": "qemu:///session"} in [spec.options for spec in specs]


def test_screen_reads_this_host_by_default(started: list[tuple[list[SourceSpec], Chosen]]) -> None:
    assert run().exit_code == 0
    ((specs, chosen),) = started
    options = chosen.options
    assert specs == registry.specs_from({})
    assert {"host", "cgroup", "docker", "libvirt", "systemd"} <= {spec.name for spec in specs}
    assert not any(option for spec in specs for option in spec.options.values())
    assert (options.interval_s, options.mouse, options.is_demo) == (1.0, True, False)


def test_demo_starts_the_screen_on_its_fleet(started: list[tuple[list[SourceSpec], Chosen]]) -> None:
    assert run("demo", "--workloads", "9", "--seed", "3", "--interval", "0.5").exit_code == 0
    ((specs, chosen),) = started
    options = chosen.options
    assert specs == [SourceSpec("demo", {"workloads": 9, "seed": 3, "lives": {}})]
    assert options.is_demo
    assert options.interval_s == 0.5


@pytest.mark.usefixtures("fleet")
def test_list_is_an_aligned_table_sorted_by_cpu() -> None:
    done = run("list")
    assert done.exit_code == 0
    head, *rows = done.stdout.splitlines()
    assert head.split(maxsplit=8)[:8] == ["NAME", "KIND", "ENGINE", "STATE", "CPU%", "CPUWAIT", "MEM", "/LIMIT"]
    assert len(rows) == 20
    end = head.index("CPU%") + 4
    shown = [float(row[:end].split()[-1]) for row in rows if row[:end].split()[-1] != "-"]
    assert shown == sorted(shown, reverse=True)
    assert shown


@pytest.mark.usefixtures("fleet")
def test_list_takes_what_is_chosen() -> None:
    rows = run("list", "--only", "vm", "--sort", "name", "--limit", "2").stdout.splitlines()[1:]
    assert [row.split()[1] for row in rows] == ["vm", "vm"]
    assert rows == sorted(rows)
    assert len(run("list", "--filter", "kind=service or kind=vm").stdout.splitlines()) == 9
    empty = run("list", "--filter", "name=nothing")
    assert (empty.exit_code, len(empty.stdout.splitlines())) == (0, 1)


def test_what_is_told_as_stopped_would_be_listed_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    deriver = Deriver()
    seen: dict[Workload, dict[str, int]] = {
        workload("web", state=State.STOPPED): {},
        workload("db", Kind.VM, "qemu"): {},
    }
    deriver.feed(frame(1, seen))
    moment = deriver.feed(frame(2, seen))
    monkeypatch.setattr(sources, "specs", lambda *_: [SourceSpec("host"), SourceSpec("docker")])
    monkeypatch.setattr(list_command, "gather", lambda *_: moment)
    assert "vmtop: 1 stopped; --all shows them" in run("list", "--only", "container").stderr
    assert "stopped" not in run("list", "--filter", "name=nothing").stderr
    assert "stopped" not in run("list").stderr


@pytest.mark.usefixtures("fleet")
def test_csv_has_every_metric() -> None:
    rows = list(csv.DictReader(io.StringIO(run("list", "--csv").stdout)))
    assert len(rows) == 20
    assert set(METRICS) < set(rows[0])
    assert float(rows[0]["memory_host_bytes"]) > 0
    assert {row["net_rx_bytes_per_second"] for row in rows if row["kind"] == "service"} == {""}


def test_list_json_on_this_host_keeps_its_contract() -> None:
    done = run("list", "--json", "--all")
    assert done.exit_code == 0, done.output
    plain = json.loads(done.stdout)
    jsonschema.validate(plain, SCHEMA)
    assert plain["schema"] == "vmtop.list/1"
    assert plain["host"]["metrics"]["cpu_percent"] is not None
    assert plain["ledger"]["memory_bytes"]["host"] > 0
    assert {source["name"] for source in plain["sources"]} == {spec.name for spec in registry.specs_from({})}


def test_stream_gives_a_line_each_interval() -> None:
    done = run("stream", "--count", "3", "--interval", "0.2")
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == 3
    for line in lines:
        jsonschema.validate(line, SCHEMA)
        assert line["schema"] == "vmtop.stream/1"
    assert lines[0]["time"] < lines[1]["time"] < lines[2]["time"]


@pytest.mark.usefixtures("fleet")
def test_doctor_is_content_with_what_can_be_read() -> None:
    done = run("doctor")
    assert done.exit_code == 0
    assert "ok       demo" in done.stdout
    assert "python" in done.stdout
    report = json.loads(run("doctor", "--json").stdout)
    assert report["schema"] == "vmtop.doctor/1"
    assert report["healthy"] is True
    assert report["facts"]["vmtop"]


def test_doctor_says_what_mends_it() -> None:
    done = run("doctor", "--docker", "tcp://198.51.100.1:2375")
    assert done.exit_code == 1
    assert "--insecure" in done.stdout
    report = json.loads(run("doctor", "--json", "--docker", "tcp://198.51.100.1:2375").stdout)
    (docker,) = [source for source in report["sources"] if source["name"] == "docker"]
    assert docker["availability"] == "denied"
    assert docker["remedy"]


def test_trouble_goes_to_stderr() -> None:
    done = run("list", "--docker", "tcp://198.51.100.1:2375")
    assert done.exit_code == 1, "an engine that was named is missing"
    assert "docker: " in done.stderr
    assert "docker: " not in done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script(shell: str) -> None:
    assert "_VMTOP_COMPLETE" in run("completion", shell).stdout


def test_closed_pipe_ends_quietly() -> None:
    process = start("stream", "--interval", "0.2")
    assert process.stdout is not None
    assert process.stderr is not None
    assert json.loads(process.stdout.readline())
    process.stdout.close()
    assert process.wait(30) == 0
    assert process.stderr.read() == ""


def test_interrupt_ends_without_a_traceback() -> None:
    process = start("stream", "--interval", "0.2")
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())
    process.send_signal(signal.SIGINT)
    _, words = process.communicate(timeout=30)
    assert process.returncode == 130
    assert words.strip() == ""


@pytest.mark.parametrize("address", ["qemu+ssh://[bad/system", "qemu+tcp://host:notaport/system"])
def test_an_address_that_cannot_be_parsed_is_one_sentence(address: str) -> None:
    result = CliRunner().invoke(main.main, ["list", "--libvirt", address])
    assert result.exit_code == 2
    assert "is not an address" in result.stderr
    assert "Traceback" not in result.output
