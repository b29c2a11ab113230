"""How long it takes until something is to be seen: words of help, the first paint, the first row, the first rates."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from bench.measure import Result, Say, Terminal, paired, spread
from tests.helpers.pty_terminal import Terminal as Watched

TITLE = "Starting"
ABOUT = """
In turn, on a pty of 120x40, from the start of the process to the first bytes that show it. The trivial Textual app
shows one label. The command-line library is click, which is what `vmtop --help` needs besides the interpreter. Rates
come with the second frame, which is due 0.15 s after the first.
"""
_ROUNDS = 11
_TRIVIAL = """
from textual.app import App
from textual.widgets import Static
class Trivial(App):
    def compose(self):
        yield Static("trivial words")
Trivial().run(mouse=False)
"""
VMTOP = str(Path(sys.executable).with_name("vmtop"))


def measure(folder: Path, say: Say) -> list[Result]:
    """Measure all of it."""
    environment = {**os.environ, "XDG_STATE_HOME": str(folder)}
    bare = [sys.executable, "-c", "import click"]
    results = []
    for word in ("--help", "--version"):
        say(f"vmtop {word}")
        ours, _, ratio = paired(lambda word=word: _run([VMTOP, word]), lambda: _run(bare), _ROUNDS)  # type: ignore[misc]
        text = f"{ours.middle * 1e3:.0f} ms, {ratio.text()} times the bare interpreter with click"
        results.append(Result(f"vmtop {word}", text, "at most 2 times", ratio.middle <= 2))
    say("first paint")
    demo = [VMTOP, "demo", "--workloads", "50"]
    ours, _, ratio = paired(
        lambda: _until(demo, b"vmtop", environment),
        lambda: _until([sys.executable, "-c", _TRIVIAL], b"trivial words", environment),
        _ROUNDS,
    )
    text = f"{ours.middle * 1e3:.0f} ms, {ratio.text()} times a trivial app's"
    results.append(Result("first paint", text, "at most 1.1 times", ratio.middle <= 1.1))
    results.append(Result("of which imports, by owner of the modules", _imports()))
    say("first row and first rates of this host")
    rows, rates = [], []
    for _ in range(_ROUNDS):
        paint, row, rate = _first(environment)
        rows.append(row - paint)
        rates.append(rate - paint)
    results.append(Result("first row, after the first paint", f"{spread(rows).text()} s"))
    middle = spread(rates)
    results.append(Result("first rates, after the first paint", f"{middle.text()} s", "0.5 s", middle.middle <= 0.5))
    return results


def _imports() -> str:
    """Tell how long the modules take that are loaded before the first paint."""
    told = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import tui.cli.main, tui.app.live"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    spent: dict[str, int] = {}
    for line in told.splitlines():
        words = line.removeprefix("import time:").split("|")
        if len(words) == 3 and words[0].strip().isdigit():
            root = words[2].strip().partition(".")[0]
            whose = {"rich": "textual", "tui": "vmtop", "collectors": "vmtop"}.get(root, root)
            whose = whose if whose in ("textual", "vmtop", "click") else "others"
            spent[whose] = spent.get(whose, 0) + int(words[0])
    return ", ".join(f"{whose} {cost / 1000:.0f} ms" for whose, cost in sorted(spent.items(), key=lambda one: -one[1]))


def _run(argv: list[str]) -> float:
    began = time.monotonic()
    subprocess.run(argv, capture_output=True, check=True)
    return time.monotonic() - began


def _until(argv: list[str], words: bytes, environment: dict[str, str]) -> float:
    terminal = Terminal(argv, (120, 40), environment)
    try:
        return terminal.wait_for(words)
    finally:
        terminal.close()


def _first(environment: dict[str, str]) -> tuple[float, float, float]:
    """Return when there was the first paint, the table, and the host's CPU in the ledger, on a screen that is read."""
    began = time.monotonic()
    with closing(Watched([VMTOP], (120, 40), environment)) as terminal:
        return tuple(_seen(terminal, words) - began for words in ("vmtop", "LAST MIN", "\u2501"))  # type: ignore[return-value]  # three


def _seen(terminal: Watched, words: str) -> float:
    """Return when the screen showed some words."""
    while words not in terminal.text():
        if not terminal.take(30):
            raise TimeoutError(f"{words!r} did not come")
    return time.monotonic()
