"""All tables of keys: those of the screens and of the dialogs."""

from __future__ import annotations

from tui.keys.dialogs import DIALOGS
from tui.keys.tables import TABLES

EVERYWHERE = {**TABLES, **DIALOGS}
"""The rows by screen and by dialog: all that users can change."""


def actions() -> dict[str, tuple[str, ...]]:
    """Return every action that has keys: its name in `[keys]`, and the screens and dialogs that have it."""
    screens: dict[str, list[str]] = {}
    for screen, rows in EVERYWHERE.items():
        for row in rows:
            screens.setdefault(row.name, []).append(screen)
    return {name: tuple(where) for name, where in screens.items()}
