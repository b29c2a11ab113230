"""Every scene can be read: in each theme, at each colour depth, on light and on dark terminals."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

import pytest
from rich.segment import Segment

from tests.helpers.contrast_meter import SCHEMES, Faint, Scheme, faint, shown
from tests.helpers.scenes import SCENES, Stage, staged
from tui.themes.contrast import Rgb
from tui.themes.look import THEMES
from tui.themes.roles import GROUNDS, ROLES, Use
from tui.themes.terminal_colors import Depth, TerminalColors

QUICK = ("main", "cursor on an alarm", "groups", "charts", "confirm")
"""Scenes that the quick run of the tests measures, too."""
DECORATIONS = [role.name for role in ROLES.values() if role.use is Use.DECORATION]


def picture(stage: Stage) -> list[list[Segment]]:
    """What the terminal gets, line by line."""
    return [list(strip) for strip in stage.app.screen._compositor.render_strips()]


async def repaint(stage: Stage, theme: str, depth: Depth) -> list[list[Segment]]:
    """Show another theme as a terminal of some depth does."""
    stage.app.depth = depth
    stage.app.choose_theme(theme)
    await stage.pilot.pause()
    return picture(stage)


def decorations(theme: str, depth: Depth, scheme: Scheme) -> frozenset[Rgb]:
    """Return the colours in which a drawing carries no information."""
    look = THEMES[theme].look
    colors = TerminalColors(look.palette, depth)
    styles = (colors.style(look.style(role, ground)) for role in DECORATIONS for ground in GROUNDS)
    return frozenset(scheme.rgb_of(style.color, scheme.text) for style in styles)


def told(found: Iterable[Faint]) -> list[str]:
    return [f"line {one.line}: {one.contrast:.2f} {one.text.strip()!r} {one.style}" for one in found]


def few_color_decorations(lines: Iterable[Iterable[Segment]], scheme: Scheme) -> frozenset[Rgb]:
    """Return the colours of what is dim: a drawing of decoration is."""
    return frozenset(shown(style, scheme)[0] for line in lines for _, style, _ in line if style and style.dim)


def no_ground(lines: Iterable[Iterable[Segment]], only_grounds: bool) -> bool:
    """Return whether no ground has a colour, or with `only_grounds` off nothing at all."""
    styles = [style for line in lines for _, style, _ in line if style]
    colors = [style.bgcolor for style in styles] + ([] if only_grounds else [style.color for style in styles])
    return all(color is None or color.is_default for color in colors)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SCENES]
)
async def test_every_cell_can_be_read(name: str) -> None:
    async with staged(SCENES[name]) as stage:
        problems: dict[str, list[str]] = {}
        for theme, depth in product(THEMES, (Depth.TRUE, Depth.MANY)):
            lines, scheme = await repaint(stage, theme, depth), SCHEMES["xterm"]
            problems[f"{theme}, {depth.value}"] = told(faint(lines, scheme, decorations(theme, depth, scheme)))
        for theme, is_light in (("dark", False), ("light", True)):
            lines = await repaint(stage, theme, Depth.FEW)
            assert no_ground(lines, only_grounds=True), theme
            for title, scheme in SCHEMES.items():
                if scheme.is_light == is_light:
                    found = faint(lines, scheme, few_color_decorations(lines, scheme))
                    problems[f"16 colours of {title}"] = told(found)
        for theme in THEMES:
            assert no_ground(await repaint(stage, theme, Depth.NONE), only_grounds=False), theme
        assert {where: found for where, found in problems.items() if found} == {}
