"""The form of limits, used by keys on the real screen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from collectors.model.limits import LimitKey
from tests.helpers.pty_terminal import Terminal

_DOWN = "\x1b[B"
_ASKING = "Type what is to be new"
_MOST_FIELDS = 14
_TRIES = 20


@contextmanager
def screen_of(folder: Path, *options: str) -> Iterator[Terminal]:
    """Run vmtop in a terminal with a state folder of its own, and wait for its table."""
    environment = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    with closing(Terminal(["vmtop", "--no-spool", *options], (120, 40), environment)) as terminal:
        terminal.wait_for(lambda: "NAME" in terminal.text() and "WAITING" not in terminal.text(), 60, "the table")
        yield terminal


def lock(terminal: Terminal) -> None:
    """Lock actions."""
    terminal.press("L")
    terminal.wait_for(lambda: "actions locked" in terminal.text(), 20, "the lock")


def show_stopped(terminal: Terminal) -> None:
    """Show stopped workloads, too."""
    terminal.press("a")
    terminal.wait_for(lambda: "showing stopped workloads" in terminal.text(), 20, "the stopped ones")


def open_menu(terminal: Terminal, name: str, image: str = "") -> None:
    """Show only one workload and open its menu; `image` is what the engine has to have told about it before."""
    if f"filter {name}" not in terminal.text():
        terminal.press(f"/{name}")
        terminal.wait_for(lambda: f"filter {name}" in terminal.text(), 20, "the filter")
        terminal.press("\r")
    terminal.wait_for(lambda: _is_row(terminal, name) and image in terminal.text(), 60, "its row")
    for _ in range(_TRIES):  # one that is pressed while the row is still taking its place is for no workload
        terminal.press("x")
        terminal.read(2.0)
        if "m limits" in terminal.text():
            return
    raise AssertionError(f"there is no menu:\n{terminal.text()}")


def open_limits(terminal: Terminal, name: str, words: str = _ASKING, image: str = "") -> None:
    """Open the limits of a workload; `words` is what the form says then."""
    open_menu(terminal, name, image)
    terminal.press("m")
    terminal.wait_for(lambda: "Limits of" in terminal.text() and words in terminal.text(), 60, words)


def _is_row(terminal: Terminal, name: str) -> bool:
    """Return whether there is a line that begins with a name, or with a host and the name."""
    return any(line[3:].startswith(name) or line.split()[2:3] == [name] for line in terminal.text().splitlines())


def type_limit(terminal: Terminal, key: LimitKey, amount: str) -> None:
    """Go down to the field of a limit, and type."""
    for _ in range(_MOST_FIELDS):
        if _focused(terminal) == key:
            break
        terminal.press(_DOWN)
        terminal.read(0.5)
    assert _focused(terminal) == key, terminal.text()
    terminal.press(amount)
    terminal.wait_for(
        lambda: f"{key}={amount.rstrip('KMG')}" in terminal.text() or amount in _row(terminal, key), 30, key
    )


def _focused(terminal: Terminal) -> str:
    """Return the limit whose field has a ground of its own."""
    grounds: dict[str, list[str]] = {}
    for number in range(terminal.screen.lines):
        words = terminal.line(number).partition("│")[2].split()
        if words and words[0] in set(LimitKey):
            field = terminal.screen.buffer[number][_field_column(terminal)]
            grounds.setdefault(field.bg, []).append(words[0])
    alone = [names[0] for names in grounds.values() if len(names) == 1]
    return alone[0] if len(alone) == 1 else ""


def _field_column(terminal: Terminal) -> int:
    heading = next(line for line in terminal.text().splitlines() if "limit" in line and "now" in line and "new" in line)
    return heading.index("new") + 10


def _row(terminal: Terminal, key: LimitKey) -> str:
    return next(line for line in terminal.text().splitlines() if line.partition("│")[2].split()[:1] == [key])


def press_enter(terminal: Terminal, words: str) -> None:
    """Press Enter, and wait for what the form says then."""
    terminal.press("\r")
    terminal.wait_for(lambda: words in terminal.text(), 60, words)


def set_limit(terminal: Terminal, key: LimitKey, amount: str, words: str) -> None:
    """Type a limit and press Enter; once more if there is a warning. Wait for what the form says then."""
    type_limit(terminal, key, amount)
    terminal.press("\r")
    terminal.wait_for(lambda: words in terminal.text() or "Enter again" in terminal.text(), 60, words)
    if words not in terminal.text():
        press_enter(terminal, words)


def take_back(terminal: Terminal, words: str) -> None:
    """Press u, and wait for what the form says then."""
    assert "u takes it back" in terminal.text()
    terminal.press("u")
    terminal.wait_for(lambda: words in terminal.text(), 60, words)
