"""Style sheets and widgets name roles; nothing outside the room of themes names a colour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui.themes.contrast import code_of
from tui.themes.look import THEMES, RoleTheme
from tui.themes.roles import ROLES

TUI = Path(__file__).parents[4] / "tui"
_OTHERS = ("page_style.py", "default_file.py")
"""A page for browsers, and an example of a user's theme."""
FILES = [path for path in TUI.rglob("*.py") if "themes" not in path.parts and path.name not in _OTHERS]
_SHEET = re.compile(r'CSS\b[^"\n]*= f?("""(?:.*?)"""|"[^"\n]*")', re.DOTALL)


def sheets() -> list[tuple[Path, str]]:
    texts = [(path, path.read_text()) for path in FILES]
    texts.append((TUI / "themes" / "style_sheet.py", (TUI / "themes" / "style_sheet.py").read_text()))
    return [(path, sheet) for path, text in texts for sheet in re.findall(_SHEET, text)] + texts[-1:]


def test_style_sheets_have_roles_and_no_other_variable_of_textual() -> None:
    assert len(sheets()) > 10
    for path, sheet in sheets():
        unknown = set(re.findall(r"\$([a-z][a-z0-9-]*)", sheet)) - set(ROLES)
        assert unknown == set(), f"{path.name}: {unknown}"


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_a_variable_that_is_a_role_has_its_colour(theme: RoleTheme) -> None:
    variables = {**theme.to_color_system().generate(), **theme.variables}
    for role, color in theme.look.palette.colors.items():
        assert variables[role] == code_of(color), role


def test_style_sheets_mix_nothing() -> None:
    for path, sheet in sheets():
        assert re.findall(r"\$[a-z-]+ \d+%", sheet) == [], path.name


def test_no_colour_is_written_anywhere_else() -> None:
    for path in FILES:
        assert re.findall(r"""["' ]#[0-9a-fA-F]{6}["' ;]""", path.read_text()) == [], path.name
