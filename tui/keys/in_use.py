"""The keys as they are in an app: with those of the user."""

from __future__ import annotations

from typing import Any

from textual.app import App

from tui.keys.everywhere import EVERYWHERE
from tui.keys.key import Key, first_key


def rows_of(app: App[Any], screen: str) -> tuple[Key, ...]:
    """Return the rows of a screen's keys as they are in an app: with the user's keys, and own commands.

    Args:
        app: One of vmtop's.
        screen: A name in `EVERYWHERE`.
    """
    key_rows = getattr(app, "key_rows", EVERYWHERE.__getitem__)
    rows: tuple[Key, ...] = key_rows(screen)
    return rows


def keys_of(app: App[Any], screen: str, *names: str) -> str:
    """Return the first key of each of some actions, as users know them: `J K`; empty if none of them has one."""
    keys = {row.name: first_key(row.keys) for row in rows_of(app, screen) if row.keys}
    return " ".join(keys[name] for name in names if name in keys)


def user_keys(app: App[Any]) -> dict[str, str]:
    """Return the user's keys, separated by commas, by the names of the actions; empty without any."""
    return getattr(app, "user_keys", {})
