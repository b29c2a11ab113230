"""`[keys]`: the users' own keys."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping

from tui.configuration.value_types import meant
from tui.keys.dialogs import CLOSING
from tui.keys.everywhere import EVERYWHERE, actions
from tui.keys.key import key_names, with_user_keys
from tui.keys.shared import QUIT
from tui.keys.tables import TABLES, clashes

_ALWAYS = {QUIT.name: "ctrl+c", **dict.fromkeys(CLOSING, "escape")}
"""Keys that users cannot take from actions: nothing keeps one in a dialog, or in vmtop."""

_SPECIAL = {
    "esc": "escape", "escape": "escape", "enter": "enter", "return": "enter", "tab": "tab", "space": "space",
    "backspace": "backspace", "del": "delete", "delete": "delete", "ins": "insert", "insert": "insert", "home": "home",
    "end": "end", "pgup": "pageup", "pageup": "pageup", "pgdn": "pagedown", "pagedown": "pagedown", "up": "up",
    "down": "down", "left": "left", "right": "right", **{f"f{number}": f"f{number}" for number in range(1, 25)},
}  # fmt: skip
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+left_square_bracket": "escape", "ctrl+h": "backspace"}
"""Keys that a terminal cannot tell from others."""
_MODIFIERS = {"ctrl": "ctrl", "control": "ctrl", "c": "ctrl", "alt": "alt", "meta": "alt", "shift": "shift"}


def textual_key(text: str) -> str:
    """Return Textual's name of a key as users write it: `ctrl+o`, `Ctrl-O`, `F5`, `space`, `?`, `G`.

    Raises:
        ValueError: There is no such key.
    """
    wanted = text.strip() if len(text) > 1 else text
    if len(wanted) == 1:
        return _character(wanted)
    is_sign = wanted[-1:] in "+-" and wanted[-2:-1] in "+-"  # ctrl++
    body, last = (wanted[:-2], wanted[-1:]) if is_sign else ("+" + wanted.replace("-", "+")).rsplit("+", 1)
    modifiers = list(filter(None, body.replace("-", "+").split("+")))
    names = {_MODIFIERS.get(modifier.lower(), "") for modifier in modifiers}
    key = _SPECIAL.get(last.lower()) or (_character(last.lower() if names else last) if len(last) == 1 else "")
    if "" in names or not key or (names == {"shift"} and len(last) == 1):
        capital = f"; write {last.upper()!r} for a capital letter" if names == {"shift"} and len(last) == 1 else ""
        raise ValueError(f"there is no key {text!r}; write it as ctrl+o, alt+x, F5, space, ? or G{capital}")
    whole = "+".join([*(name for name in ("alt", "ctrl", "shift") if name in names), key])
    return _SAME.get(whole, whole)


def _character(character: str) -> str:
    if character == " ":
        return "space"
    if not character.isprintable():
        raise ValueError(f"there is no key {character!r}")
    if character.isalnum():
        return character
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return {"solidus": "slash", "reverse_solidus": "backslash", "commercial_at": "at", "hyphen_minus": "minus",
            "plus_sign": "plus", "low_line": "underscore"}.get(name, name)  # fmt: skip


def keymap_of(table: Mapping[str, object]) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Return the keys of actions by their names, and mistakes: the name and a sentence for each.

    An action that is given the keys it has by default is left out: on some screens it has fewer.

    Args:
        table: What `[keys]` holds.
    """
    keymap: dict[str, str] = {}
    mistakes: list[tuple[str, str]] = []
    known = actions()
    for name, value in table.items():
        keys = [value] if isinstance(value, str) else value
        try:
            if name not in known:
                raise ValueError(f"there is no action {name!r}{meant(name, list(known))}")
            if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                raise ValueError(f'{name!r} has to be a key such as "ctrl+o", or a list of keys')
            keymap[name] = ",".join(dict.fromkeys(map(textual_key, keys)))
        except ValueError as error:
            mistakes.append((name, str(error)))
    ours = default_keys()
    keymap = {name: keys for name, keys in keymap.items() if set(keys.split(",")) != set(map(textual_key, ours[name]))}
    for name, key in _ALWAYS.items():
        if name in keymap:
            keymap[name] = ",".join(dict.fromkeys([*filter(None, keymap[name].split(",")), key]))
    mistakes += ((name, sentence) for name, sentence in _conflicts(keymap) if name not in dict(mistakes))
    return keymap, mistakes


def _conflicts(keymap: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the keys that two actions of a screen would have, of which the user has set at least one."""
    seen: set[tuple[str, frozenset[str]]] = set()
    for screen, rows in EVERYWHERE.items():
        for key, *owners in clashes(with_user_keys(rows, keymap)):
            names = sorted((owner.name for owner in owners), key=lambda name: name not in keymap)
            pair = key, frozenset(names)
            if key and names[0] in keymap and pair not in seen:
                seen.add(pair)
                first, second = names
                place = "on the screen" if screen in TABLES else "in the dialog"
                where = f"{first!r} and {second!r} {place} {screen!r}"
                yield first, f"{key_names(key)!r} is the key of both {where}; give one of them another"


def owner_of(key: str, keymap: Mapping[str, str], screens: Iterable[str]) -> str:
    """Return the name of the action that a key starts on one of some screens; empty if it is free."""
    rows = (row for screen in screens for row in with_user_keys(TABLES[screen], keymap))
    return next((row.name for row in rows if key in row.keys.split(",")), "")


def default_keys() -> dict[str, list[str]]:
    """Return the keys of every action, as users write them."""
    rows = {row.name: row for table in reversed(EVERYWHERE.values()) for row in table}
    return {name: key_names(rows[name].keys).split() for name in actions()}
