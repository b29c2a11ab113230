"""Writes `docs/reference/keys.md` from the tables of keys; run by `make docs-generate`."""

from __future__ import annotations

from docs.table import table
from tui.keys import dialogs
from tui.keys.key import Key, key_names
from tui.keys.tables import (
    ALERTS,
    DETAIL,
    DETAIL_PROCESSES,
    FLEET,
    FLEET_PAST,
    HOST,
    LIVE,
    PAST,
    PAST_ALERTS,
    PAST_DETAIL,
    PAST_HOST,
    PAST_SIZES,
    PROCESSES,
    REPLAY,
    SIZES,
    TABLES,
    TITLES,
)

_HEAD = """# Keys

This page is generated from `tui/keys/` by `make docs-generate`. `?` shows the keys of the screen that you are on.

The last column has the name of the action in `[keys]` of the [configuration](../configuration.md#keys), which gives it
other keys. `Ctrl-C` always quits.
"""
_LIKE = {
    PAST: REPLAY,
    PAST_DETAIL: DETAIL,
    PAST_HOST: HOST,
    DETAIL_PROCESSES: PROCESSES,
    FLEET: LIVE,
    FLEET_PAST: REPLAY,
    PAST_ALERTS: ALERTS,
    PAST_SIZES: SIZES,
}
"""Screens that have most of their keys from another one."""
_DIALOGS = {
    dialogs.MENU: "Dialog: what can be done to a workload",
    dialogs.SIGNALS: "Dialog: signals to a process",
    dialogs.CONFIRM: "Dialog: confirmation",
    dialogs.PROMPT: "Dialog: a question",
    dialogs.TEXT: "Dialog: a page of text",
    dialogs.COLUMNS: "Dialog: columns",
    dialogs.COMMAND_LINE: "Dialog: a line that is typed",
    dialogs.LIMITS: "Dialog: limits",
}
"""What each dialog is."""


def markdown() -> str:
    """Return the whole page as Markdown."""
    screens = [_section(screen) for screen in TABLES]
    return "\n".join(
        [_HEAD, *screens, *(f"## {_DIALOGS[name]}\n\n{_keys(rows)}" for name, rows in dialogs.DIALOGS.items())]
    )


def _section(screen: str) -> str:
    rows, lines = TABLES[screen], [f"## {TITLES[screen]}\n"]
    if screen in _LIKE:
        base = TABLES[_LIKE[screen]]
        missing = [row for row in base if row.name not in {one.name for one in rows}]
        rows = tuple(row for row in rows if _meaning(row) not in {_meaning(one) for one in base})
        title = TITLES[_LIKE[screen]]
        end = ", and:" if rows else "."
        lines.append(f"The keys are those of [{title}](#{_anchor(title)}){_without(missing)}{end}\n")
    if rows:
        lines.append(_keys(rows))
    return "\n".join(lines)


def _keys(rows: tuple[Key, ...]) -> str:
    return table(("key", "does", "name"), (_cells(row) for row in rows))


def _without(rows: list[Key]) -> str:
    names = dict.fromkeys(f"`{row.name}`" for row in rows)
    return f" without {', '.join(names)}" if names else ""


def _meaning(row: Key) -> tuple[str, str, str]:
    return row.name, row.keys, row.help


def _anchor(title: str) -> str:
    return "".join(char for char in title.lower().replace(" ", "-") if char.isalnum() or char in "-_")


def _cells(row: Key) -> tuple[str, str, str]:
    return f"`{key_names(row.keys)}`".replace("|", "\\|"), row.help.replace("|", "\\|"), f"`{row.name}`"
