"""What tests of artefacts ask for: the artefacts, and a fresh system each. At the end, a table says what was used where."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT
from tests.helpers.fresh_root import FreshRoot
from tests.helpers.pty_terminal import Terminal

DIST = ROOT / "dist"
_OUTCOMES = ("passed", "failed", "error", "skipped")


def artefact(pattern: str) -> Path:
    """Return the one file in dist/ whose name matches; without one, the test fails."""
    found = sorted(DIST.glob(pattern))
    assert len(found) == 1, f"dist/ has {len(found)} files {pattern}: run make dist first"
    return found[0]


@pytest.fixture
def new_root() -> Iterator[Callable[[str], FreshRoot]]:
    """Make fresh systems, which are gone after the test."""
    folders: list[Path] = []

    def make(release: str) -> FreshRoot:
        folders.append(Path(tempfile.mkdtemp(prefix="vmtop-root-", dir="/var/tmp")))  # noqa: S108  # overlayfs needs a disk
        return FreshRoot(release, folders[-1])

    yield make
    for folder in folders:
        shutil.rmtree(folder)


def shows_the_demo(command: list[str]) -> None:
    """Start the screen on a pty, look at it, open the help, and leave."""
    terminal = Terminal(command)
    try:
        terminal.wait_for(lambda: "NAME" in terminal.text() and "CPU" in terminal.text(), 30, "the table")
        terminal.press("?")
        terminal.wait_for(lambda: "keys" in terminal.text().lower(), 10, "the help")
        terminal.press("\x1b")
        terminal.press("q")
        assert terminal.wait_exit() == 0
    finally:
        terminal.close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print one line for each test: the artefact, the system, what was done, and what came of it."""
    rows = []
    for outcome in _OUTCOMES:
        for report in terminalreporter.stats.get(outcome, ()):
            facts = dict(getattr(report, "user_properties", ()))
            if "artefact" in facts:
                done = report.nodeid.rpartition("::")[2].partition("[")[0].removeprefix("test_").replace("_", " ")
                rows.append((facts["artefact"], facts["system"], f"{report.duration:4.0f} s", outcome, done))
    if rows:
        terminalreporter.section("artefacts")
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        for row in sorted(rows):
            cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=False))
            terminalreporter.write_line("  ".join([*cells, row[4]]))
