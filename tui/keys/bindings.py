"""Textual's bindings, made from the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from textual.binding import Binding, BindingType

from tui.keys.key import Key
from tui.keys.shared import APP, LINES, QUIT
from tui.keys.tables import TABLES

_ELSEWHERE = {row.name for row in APP}
"""Bound by the application."""
_IN_LINES = {row.action for row in LINES}
"""Bound by the view of lines, on the screens that have one."""


def bindings(screen: str, has_lines: bool = True) -> list[BindingType]:
    """Return the bindings of a screen.

    Args:
        screen: A name in `TABLES`.
        has_lines: Whether moving the cursor is left to a view of lines.
    """
    left_out = _IN_LINES if has_lines else set[str]()
    return bound(row for row in TABLES[screen] if row.name not in _ELSEWHERE and row.action not in left_out)


def bound(rows: Iterable[Key]) -> list[BindingType]:
    """Return the bindings of some rows; their ids are the names that `[keys]` uses."""
    return [Binding(row.keys, row.action, row.help, show=False, priority=row.has_priority, id=row.name) for row in rows]


def app_bindings() -> list[BindingType]:
    """Return the bindings of the application, which work on every screen."""
    return bound((*APP, QUIT))


def rows_named(screen: str, names: Collection[str]) -> tuple[Key, ...]:
    """Return some rows of a screen, in the order of its table."""
    return tuple(row for row in TABLES[screen] if row.name in names)
