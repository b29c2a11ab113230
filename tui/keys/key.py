"""One row of a table of keys, and how keys are written for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Key(NamedTuple):
    """What one action is called, which keys start it, and how it is described."""

    name: str
    """Its name in `[keys]` and the id of its binding. The same name on several screens means the same thing."""
    keys: str
    """Textual key names, separated by commas; the first one is shown in the footer."""
    action: str
    """Textual's action, with its parameters."""
    help: str
    group: str
    """Heading in the help."""
    word: str = ""
    """For the footer; empty keeps it out of there."""
    rank: int = 0
    """Place in the footer: 1 is the last to give way on a narrow screen. Rows with the same rank share one word."""
    has_priority: bool = False
    """Whether it takes effect before what has the focus sees the key."""


MOVE, ORDER, SHOW, WORK = "Move", "Order and filter", "Show", "Workloads"
OWN_RANK = 90
"""Rank of the users' own commands."""
SESSION, TIME, PAGES, OTHER, OWN = "Session", "Time", "Pages", "Other", "Own commands"

_KEY_NAMES = {
    "slash": "/", "less_than_sign": "<", "greater_than_sign": ">", "percent_sign": "%", "exclamation_mark": "!",
    "plus": "+", "equals_sign": "=", "minus": "-", "asterisk": "*", "question_mark": "?", "colon": ":",
    "space": "Space", "escape": "Esc", "enter": "Enter", "pagedown": "PgDn", "pageup": "PgUp", "down": "Down",
    "up": "Up", "home": "Home", "end": "End", "left": "Left", "right": "Right", "apostrophe": "'", "tab": "Tab",
    "shift+tab": "Shift-Tab", "full_stop": ".", "comma": ",", "ampersand": "&", "semicolon": ";", "quotation_mark": '"',
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}",
    "backspace": "Backspace", "delete": "Del", "insert": "Ins", "number_sign": "#", "dollar_sign": "$", "at": "@",
    "backslash": "\\", "vertical_line": "|", "tilde": "~", "underscore": "_", "circumflex_accent": "^",
}  # fmt: skip


def key_names(keys: str) -> str:
    """Return the keys as users know them: `/ f F4`."""
    return " ".join(_key_name(key) for key in keys.split(","))


def first_key(keys: str) -> str:
    """Return the first of the keys as users know it."""
    return _key_name(keys.partition(",")[0])


def _key_name(key: str) -> str:
    if key in _KEY_NAMES:
        return _KEY_NAMES[key]
    if key.startswith("ctrl+"):
        return "Ctrl-" + _key_name(key[5:]).upper()
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return key


def with_user_keys(rows: Iterable[Key], keymap: Mapping[str, str]) -> tuple[Key, ...]:
    """Return the rows with the user's keys in place of ours.

    Args:
        rows: Rows of any table.
        keymap: The user's keys, separated by commas, by the names of the rows.
    """
    return tuple(row._replace(keys=keymap.get(row.name, row.keys)) for row in rows)
