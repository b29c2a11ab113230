"""The theme that a user chooses: by itself, built in, the table `[theme]` of the configuration, or a file in `themes`.

A table, or a file, holds roles and colours, and which theme the others come from:

    base = "light"
    bad = "#b00020"
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from collectors.safety.toml_file import TooDeep, parse_toml, read_text
from tui.themes.contrast import Rgb, rgb
from tui.themes.palette import DARK, PALETTES, PREFIX, Palette, derived
from tui.themes.roles import ROLES

log = logging.getLogger(__name__)

AUTO = "auto"
OWN = "own"
"""The theme of the configuration's table `[theme]`."""
_CONFIG = "config.toml"
_FOLDER = "themes"
_LARGEST = 1 << 14
"""Bytes of a theme's file, at most."""
_LARGEST_CONFIG = 1 << 16
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,40}")
_COLOR = re.compile("#[0-9a-fA-F]{6}")


class ThemeError(Exception):
    """There is no such theme, or its file is not well-formed; a sentence with what is allowed.

    Args:
        words: The sentence, or a clause about the key.
        key: What is wrong in it; empty for the whole.
    """

    def __init__(self, words: str, key: str = "") -> None:
        super().__init__(words)
        self.key = key


def choices(folder: Path) -> list[str]:
    """Return the names of all themes.

    Args:
        folder: The folder of the configuration.
    """
    try:
        files = sorted(path.stem for path in (folder / _FOLDER).iterdir() if path.suffix == ".toml")
    except OSError:
        files = []
    known = (AUTO, *PALETTES, *([OWN] if _own_table(folder) else []))
    return [*known, *(name for name in files if _NAME.fullmatch(name) and name not in known)]


def find_palette(choice: str, folder: Path) -> Palette:
    """Return the built-in palette of a name, or that of the user's own theme.

    Args:
        choice: The name; `vmtop-light` is `light`.
        folder: The folder of the configuration.

    Raises:
        ThemeError: There is none, or its file is not well-formed.
    """
    name = choice.removeprefix(PREFIX)
    if name in PALETTES:
        return PALETTES[name]
    if name == OWN and (own := _own_table(folder)):
        base, colors = colors_of(own)
        return derived(OWN, PALETTES[base], colors)
    path = folder / _FOLDER / f"{name}.toml"
    if not _NAME.fullmatch(name) or not path.exists():
        known = choices(folder)
        guess = _guess(name, known)
        raise ThemeError(f"there is no theme {choice!r}.{guess} Themes: {', '.join(known)}; your own go into {path}")
    base, colors = _parsed(path)
    palette = derived(name, PALETTES[base], colors)
    for warning in warnings(palette):
        log.warning("%s: %s", path, warning)
    return palette


def problems(folder: Path) -> Iterator[str]:
    """Yield a sentence about each thing that is wrong with the user's own themes."""
    for name in (name for name in choices(folder) if name not in (AUTO, *PALETTES)):
        try:
            yield from (f"{name}: {warning}" for warning in warnings(find_palette(name, folder)))
        except ThemeError as error:
            yield str(error)


def warnings(palette: Palette) -> Iterator[str]:
    """Yield a sentence about each role that is hard to read on one of the grounds."""
    for role, ground, ratio in palette.faint():
        least = ROLES[role].use.contrast
        if least > 2:
            yield f"{role} on {ground} has a contrast of {ratio:.1f}:1, {least:g}:1 is legible"


def _own_table(folder: Path) -> dict[str, Any]:
    """Return the table `[theme]` of the configuration; empty if there is none, or if the file cannot be read."""
    try:
        table = _document(folder / _CONFIG, _LARGEST_CONFIG)[1].get("theme")
    except ThemeError:
        return {}  # whoever reads the configuration says why
    return table if isinstance(table, dict) else {}


def _parsed(path: Path) -> tuple[str, dict[str, Rgb]]:
    """Return the base of a theme's file, and the colours that it changes."""
    text, table = _document(path)
    try:
        return colors_of(table)
    except ThemeError as error:
        raise ThemeError(f"{_where(path, text, error.key)}: {error}") from error


def _document(path: Path, largest: int = _LARGEST) -> tuple[str, dict[str, Any]]:
    text = _text(path, largest)
    try:
        return text, parse_toml(text)
    except TooDeep as error:
        raise ThemeError(f"the theme {path} cannot be used: {error}") from error
    except ValueError as error:  # it names the line
        raise ThemeError(f"the theme {path} is not TOML: {error}") from error


def colors_of(table: Mapping[str, Any]) -> tuple[str, dict[str, Rgb]]:
    """Return the base of a theme, and the colours that it changes.

    Raises:
        ThemeError: A key or a value is not allowed; it names the key.
    """
    base = str(table.get("base", DARK)).removeprefix(PREFIX)
    if base not in PALETTES:
        raise ThemeError(f"base is one of {', '.join(PALETTES)}, not {base[:40]!r}", "base")
    colors = {}
    for key, value in table.items():
        if key == "base":
            continue
        if key not in ROLES:
            guess = _guess(key, ROLES)
            raise ThemeError(f"no role {key[:40]!r}.{guess} Roles: {', '.join(ROLES)}", key)
        if not isinstance(value, str) or not _COLOR.fullmatch(value):
            raise ThemeError(f"{key} is a colour such as '#1a2b3c', not {str(value)[:40]!r}", key)
        colors[key] = rgb(value)
    return base, colors


def _text(path: Path, largest: int) -> str:
    try:
        return read_text(path, largest)
    except OSError as error:
        raise ThemeError(f"the theme {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ThemeError(f"the theme {path} is not UTF-8: {error.reason} at byte {error.start}") from error


def _guess(name: str, known: Iterable[str]) -> str:
    """Return a question with the nearest name; empty if none is near."""
    from difflib import get_close_matches

    return "".join(f" Did you mean '{near}'?" for near in get_close_matches(name, known, 1))


def _where(path: Path, text: str, key: str) -> str:
    """Return the file and the line of a key."""
    pattern = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*(=|\.)""")
    lines = (number for number, line in enumerate(text.splitlines(), 1) if pattern.match(line))
    number = next(lines, None)
    return f"the theme {path}" + (f", line {number}" if number else "")
