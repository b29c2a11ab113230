"""What each kind of terminal gets of a style."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from rich.color import ColorType
from rich.segment import Segment
from rich.style import Style
from textual.color import Color as TextualColor

from tests.helpers.contrast_meter import SCHEMES, shown
from tui.themes.contrast import contrast
from tui.themes.look import THEMES
from tui.themes.palette import PALETTES
from tui.themes.roles import GRAPHS, GROUNDS, ROLES, TEXTS
from tui.themes.terminal_colors import Depth, TerminalColors, depth_of


def least(role: str) -> float:
    return ROLES[role].use.contrast


def styles(filter_: TerminalColors, name: str) -> Iterator[tuple[str, str, Style]]:
    for role, ground in product((*TEXTS, *GRAPHS), GROUNDS):
        yield role, ground, filter_.style(THEMES[name].look.style(role, ground))


@pytest.mark.parametrize("name", PALETTES)
def test_of_256_colours_each_role_gets_one_that_is_legible_on_what_its_ground_becomes(name: str) -> None:
    for role, ground, style in styles(TerminalColors(PALETTES[name], Depth.MANY), name):
        assert style.color is not None
        assert style.bgcolor is not None
        assert style.color.type is style.bgcolor.type is ColorType.EIGHT_BIT
        ratio = contrast(style.color.get_truecolor(), style.bgcolor.get_truecolor())
        assert ratio >= least(role), f"{role} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("name", PALETTES)
def test_of_256_colours_the_grounds_and_the_kinds_get_different_ones(name: str) -> None:
    filter_, look = TerminalColors(PALETTES[name], Depth.MANY), THEMES[name].look
    assert len({filter_.style(look.style("text", ground)).bgcolor for ground in GROUNDS}) == len(GROUNDS)
    for ground in GROUNDS:
        kinds = {filter_.style(look.style(f"kind-{kind}", ground)).color for kind in ("vm", "container", "service")}
        assert len(kinds) == 3
        assert len({filter_.style(look.style(tone, ground)).color for tone in ("text", "muted", "warn", "bad")}) == 4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_of_16_colours_each_role_is_legible_in_the_usual_schemes(scheme: str) -> None:
    is_light = SCHEMES[scheme].is_light
    filter_ = TerminalColors(
        PALETTES["light" if is_light else "dark"], Depth.FEW, is_light, SCHEMES[scheme].dim < 1.0 or is_light
    )
    for role, ground, style in styles(filter_, "light" if is_light else "dark"):
        ratio = contrast(*shown(style, SCHEMES[scheme]))
        assert ratio >= least(role), f"{role} on {ground}: {ratio:.2f}"


@pytest.mark.parametrize("depth", [Depth.FEW, Depth.NONE])
def test_with_few_colours_no_ground_is_painted_and_the_cursor_is_reversed(depth: Depth) -> None:
    filter_, look = TerminalColors(PALETTES["dark"], depth), THEMES["dark"].look
    for role, ground, style in styles(filter_, "dark"):
        assert style.bgcolor is None or style.bgcolor.is_default, (role, ground)
        assert bool(style.reverse) == (ground == "cursor")
    assert not filter_.style(look.style("text reverse", "cursor")).reverse, "a match on the cursor's row stands out"


def test_without_colours_there_is_none_and_severity_keeps_its_attributes() -> None:
    filter_, look = TerminalColors(PALETTES["light"], Depth.NONE), THEMES["light"].look
    for role, _, style in styles(filter_, "light"):
        assert style.color is None or style.color.is_default, role
    for ground in GROUNDS:
        bad, warn = (filter_.style(look.style(tone, ground)) for tone in ("bad", "warn"))
        assert bad.bold
        assert bad.underline
        assert warn.underline
    assert filter_.style(look.style("muted")).dim


@pytest.mark.parametrize("depth", Depth)
def test_a_line_that_goes_through_twice_stays_the_same(depth: Depth) -> None:
    """What lies below a dialogue does."""
    for name in PALETTES:
        filter_ = TerminalColors(PALETTES[name], depth)
        for _, _, once in styles(filter_, name):
            assert filter_.style(once) == once


def test_what_is_no_role_becomes_legible_and_dim_becomes_muted() -> None:
    palette = PALETTES["light"]
    filter_ = TerminalColors(palette, Depth.TRUE)
    pale = Style.parse("#eeeeee on #fdfdfc")
    color = filter_.style(pale).color
    assert color is not None
    assert contrast(color.get_truecolor(), palette.colors["background"]) >= 4.5
    dim = filter_.style(THEMES["light"].look.style("text dim"))
    assert dim.color == THEMES["light"].look.style("muted").color
    assert not dim.dim
    [segment] = filter_.apply([Segment("x", None)], TextualColor(0, 0, 0))
    assert segment.style is not None
    assert segment.style == filter_.style(THEMES["light"].look.style("text"))


@pytest.mark.parametrize(
    ("color_system", "environment", "depth"),
    [
        ("truecolor", {"TERM": "xterm-256color"}, Depth.TRUE),
        ("256", {"TERM": "xterm-256color"}, Depth.MANY),
        ("standard", {"TERM": "linux"}, Depth.FEW),
        ("standard", {"TERM": "vt100"}, Depth.NONE),
        ("standard", {"TERM": "vt220"}, Depth.NONE),
        ("truecolor", {"NO_COLOR": "1"}, Depth.NONE),
        ("truecolor", {"NO_COLOR": ""}, Depth.TRUE),
        (None, {}, Depth.NONE),
    ],
)
def test_the_depth_is_that_of_the_terminal(color_system: str | None, environment: dict[str, str], depth: Depth) -> None:
    assert depth_of(color_system, environment) is depth
