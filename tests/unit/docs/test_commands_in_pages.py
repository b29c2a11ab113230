"""Commands in the pages: each is understood, and those that only look run on made-up workloads."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collectors.session.storage import FileStorage, new_file
from collectors.session.writer import Writer
from tests.helpers.checkout import ROOT
from tests.helpers.demo_fleet import Fleet
from tests.helpers.doc_pages import PAGES, Command, commands, commands_of, named_commands, outputs
from tui.cli import sources
from tui.cli.exit_codes import DONE, MATCHED, NOT_MEASURABLE, OVER_BUDGET
from tui.cli.main import main

COMMANDS = [command for page in PAGES for command in commands(page)]
ONCE = list({command.words: command for command in reversed(COMMANDS)}.values())
"""Without those that stand in several places."""
OF_NOW = [page for page in PAGES if page.name != "CHANGELOG.md" and page.parent.name != "decisions"]
"""Without those that tell of the past."""
LISTS = [(command, head) for page in OF_NOW for command, head in outputs(page) if command.words[:1] == ("list",)]
"""Lists that are followed by what they print: the command, and the first line."""
_LOOK = frozenset(
    {"list", "check", "doctor", "compare", "sizes", "stream", "config", "completion", "info", "export", "cut", "report"}
)
_ELSEWHERE = frozenset({"--host", "--prometheus", "--into", "--watch", "--report", "--docker", "--libvirt", "--nagios"})
"""Options of what is not there in a test, or does not end."""
_SPANS = frozenset({"--over", "--for", "--window", "--wait"})
_SESSION = ".gz"
_IN_THE_DEMO = {
    "web": "media-web-1",
    "db": "db-replica",
    "api": "media-api-1",
    "cache": "media-cache-1",
    "shop-*": "media-*",
}
"""What stands for the workloads that the pages name."""
_OUTCOMES = frozenset({DONE, MATCHED, OVER_BUDGET, NOT_MEASURABLE})
_NOT_IN_THE_DEMO = "could not be measured for any workload"
"""What a list of columns says, and fails with, if no workload of the demo has one of the metrics."""


def parse(words: tuple[str, ...]) -> None:
    """Let the real commands understand words, and run nothing.

    Raises:
        click.UsageError: They do not understand them.
    """
    group: click.Group = main
    context = main.make_context("vmtop", list(words))
    while rest := [*getattr(context, "_protected_args", ()), *context.args]:
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        assert name is not None
        context = command.make_context(name, rest, parent=context)
        if not isinstance(command, click.Group):
            return
        group = command


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A recording from 02:55 to 03:45 of yesterday."""
    start = (datetime.now() - timedelta(days=1)).replace(hour=2, minute=55, second=0, microsecond=0)
    fleet = Fleet(20, wall=start.timestamp())
    path = tmp_path_factory.mktemp("night") / "night.vmtop.gz"
    writer = Writer(FileStorage(new_file(path)))
    for _ in range(150):
        writer.write(fleet.frame(20.0))
    writer.close()
    return path


@pytest.fixture
def desk(tmp_path: Path, night: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the pages name, for commands that read the demo in place of this host."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(20, 7))
    for word in {word for command in COMMANDS for word in command.words if word.endswith(_SESSION)}:
        shutil.copy(night, tmp_path / word)
    return tmp_path


def looks(command: Command) -> bool:
    """Tell whether a command changes nothing and ends by itself, on one host that does not exist."""
    words = command.words
    if not words or words[0] not in _LOOK or _ELSEWHERE & set(words) or any(word.startswith("/") for word in words):
        return False
    return not any("hv0" in word for word in words) and (words[0] != "stream" or "--count" in words)


def in_the_demo(words: tuple[str, ...]) -> list[str]:
    """Return a command with the demo's workloads in place of those of the page, and without long waits."""
    found: list[str] = []
    for word in words:
        kind, colon, name = word.rpartition(":")
        if found and found[-1] in _SPANS:
            word = "2s"
        found.append(f"{kind}{colon}{_IN_THE_DEMO[name]}" if name in _IN_THE_DEMO else word)
    if found[0] == "compare" and not {"--window", "--past"} & set(found):
        found += ["--window", "2s"]
    return found


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_in_a_page_is_understood(command: Command, desk: Path) -> None:
    parse(command.words)


@pytest.mark.parametrize("page", OF_NOW, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_command_that_a_sentence_names_is_understood_as_far_as_it_goes(page: Path, desk: Path) -> None:
    (desk / "DIR").mkdir()
    for words in named_commands(page):
        with suppress(click.MissingParameter, click.BadOptionUsage, click.exceptions.Exit):
            parse(words)


@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in ONCE if looks(command)], ids=str)
def test_a_command_in_a_page_that_only_looks_runs_in_the_demo(command: Command, desk: Path) -> None:
    for word in command.words[command.words.index("-o") + 1 :][:1] if "-o" in command.words else ():
        (desk / word).unlink(missing_ok=True)
    done = CliRunner().invoke(main, in_the_demo(command.words), prog_name="vmtop")
    assert done.exit_code in _OUTCOMES or _NOT_IN_THE_DEMO in done.stderr, (done.exception, done.stderr)


@pytest.mark.slow
@pytest.mark.parametrize(("command", "head"), LISTS, ids=str)
def test_a_list_in_a_page_has_the_columns_that_the_command_prints(command: Command, head: str, desk: Path) -> None:
    words = [word for word in command.words if word not in ("--only", "vm", "--filter", "project~shop")]
    done = CliRunner().invoke(main, [*in_the_demo(tuple(words)), "--limit", "1"], prog_name="vmtop")
    assert done.stdout.splitlines()[0].split() == head.split()


def test_a_command_that_is_not_understood_is_found() -> None:
    with pytest.raises(click.UsageError, match="--colums"):
        parse(("list", "--colums", "cpu"))
    with pytest.raises(click.UsageError, match="'lst'"):
        parse(("lst",))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("vmtop list -q 'db-*' | xargs -r vmtop resume --yes", [("list", "-q", "db-*"), ("resume", "--yes", "NAME")]),
        ("vmtop demo      # made-up workloads", [("demo",)]),
        ("vmtop set web                 the limits that it has", [("set", "web")]),
        ("ssh hv01 vmtop record - > hv01.vmtop.gz", [("record", "-")]),
        ("sudo -n vmtop", [()]),
        ("$ vmtop check 'mem > 90% of limit' --nagios", [("check", "mem > 90% of limit", "--nagios")]),
        ("vmtop cut a -o b && vmtop report b -o c", [("cut", "a", "-o", "b"), ("report", "b", "-o", "c")]),
        ("vmtop: web was restarted", []),
        ("pipx install .", []),
    ],
)
def test_commands_are_told_from_remarks_and_output(line: str, expected: list[tuple[str, ...]]) -> None:
    assert commands_of(line) == expected


def test_the_pages_are_full_of_commands() -> None:
    assert len(COMMANDS) > 150
    assert sum(map(looks, ONCE)) > 40
    assert {command.page for command in COMMANDS} >= {"README.md", "docs/guide.md", "docs/start/docker.md"}
