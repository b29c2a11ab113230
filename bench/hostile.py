"""Names, images and labels that try to speak to the terminal: what reaches it is searched byte by byte."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.measure import Result
from tests.helpers.pty_terminal import Terminal, unknown_sequences
from tests.unit.collectors.engines.docker.test_source import VERSION, engine, response

ABOUT = """
An engine that answers with random texts of up to 4 KB, made of harmful sequences, as names, images, states, projects
and labels of its containers. `vmtop` shows them on a pty page by page, in details, grouped and filtered. Every control
character, unknown sequence or change of text direction that reaches the terminal is counted, and so are tracebacks.
"""
_FIELDS = 5
_HARM = (
    *("\x1b[2J", "\x1b]0;owned\x07", "\x1b]52;c;cm0=\x07", "\x1bP+q\x1b\\", "\x9b31m", "\x9d0;x\x9c", "\x1b[6n"),
    *("[/]", "[bold red]", "[@click=app.quit]x[/]", "\\[", "\u202e", "\u2066", "\u200b", "\u0301" * 40, "\x1bc"),
    *("\x00", "\x07", "\x08" * 8, "\r", "\n", "\t", "\x0e", "\x7f", "\ud800", "\u6f22\u5b57"),
    *("\U0001f468\u200d\U0001f469", "$(id)", "'; --", "%s%n", "../..", "-rf"),
)  # fmt: skip
_KEYS = (
    "N",
    "t",
    "t",
    "\x06",
    "\x06",
    "\x06",
    "\x02",
    "j",
    "\r",
    "2",
    "3",
    "5",
    "\x1b",
    "w",
    "\x1b",
    "i",
    "\x1b",
    "/name~a\r",
)


def measure(folder: Path, inputs: int, say: Callable[[str], None]) -> list[Result]:
    """Show so many texts."""
    say(f"{inputs} hostile texts")
    chance = random.Random(5)  # noqa: S311  # repeatable, not secret
    entries = [_entry(chance, number) for number in range(-(-inputs // _FIELDS))]
    listed = json.dumps(entries).encode()

    def answer(path: str) -> bytes:
        if "/containers/json" in path:
            return response(listed)
        if "/events" in path:
            return response(b"no", "403 Forbidden")
        return response(VERSION if path.endswith("/version") else b"{}")

    with engine(folder, answer):
        received, code, log = _show(["vmtop", "--docker", f"unix://{folder}/s"], folder / "state")
    found = unknown_sequences(received)
    tracebacks = log.count("Traceback")
    return [
        Result("inputs tried", f"{len(entries) * _FIELDS}", "-", True),
        Result("bytes searched", f"{len(received):,}", "-", True),
        Result("control characters and unknown sequences", str(len(found)), "0", not found),
        Result("end", f"exit code {code}, {tracebacks} tracebacks in the log", "0 and 0", code == 0 and not tracebacks),
    ]


def _entry(chance: random.Random, number: int) -> dict[str, Any]:
    def text(longest: int = 4096) -> str:
        pieces = chance.choices((*_HARM, "a", "web", " "), k=chance.randint(1, 6))
        return ("".join(pieces) * chance.choice((1, 1, 1, 100)))[:longest]

    labels = {text(256): text(), "com.docker.compose.project": text(256)}
    return {
        "Id": f"{number:064x}",
        "Names": [f"/{text()}"],
        "Image": text(),
        "State": "running",
        "Status": f"Up {text(256)}",
        "Labels": labels,
    }


def _show(command: Sequence[str], state: Path) -> tuple[bytes, int, str]:
    """Look at everything; return what the terminal received, the exit code and the log."""
    terminal = Terminal(command, (160, 50), {"XDG_STATE_HOME": str(state)})
    try:
        deadline = time.monotonic() + 60
        while b"docker" not in terminal.received or b"running" not in terminal.received:
            terminal.read(0.5)
            assert time.monotonic() < deadline, bytes(terminal.received[-2000:])
        for keys in _KEYS:
            terminal.press(keys)
            _drain(terminal, 1.5)
        terminal.press("\x1b")
        _drain(terminal, 1)
        terminal.press("q")
        code = terminal.wait_exit(20)
    finally:
        terminal.close()
    return bytes(terminal.received), code, (state / "vmtop" / "vmtop.log").read_text()


def _drain(terminal: Terminal, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        terminal.take(left)
