"""The palettes: contrast of every role on every ground, and colours that stay apart for colour-blind eyes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pytest

from tui.themes.contrast import Rgb, contrast, distance, legible, luminance, mixed, rgb
from tui.themes.palette import PALETTES, derived
from tui.themes.roles import DERIVED, FILL_SHARE, GROUNDS, ROLES, SAME_AS, Use

_LINEAR = {"normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1))} | {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
"""Colour blindness of severity 1 (Machado et al. 2009), for linear RGB."""
_APART = {
    "a number": (("text", "warn", "bad", "muted"), 0.041),
    "a kind": (("kind-vm", "kind-container", "kind-service"), 0.059),
    "the graphs": (("graph-cpu", "graph-mem", "graph-disk", "graph-net"), 0.050),
}


def seen(color: Rgb, eye: str) -> Rgb:
    """Return a colour as an eye sees it."""
    linear = [luminance((channel, channel, channel)) for channel in color]
    values = (sum(factor * part for factor, part in zip(row, linear, strict=True)) for row in _LINEAR[eye])
    red, green, blue = (_channel(min(1.0, max(0.0, value))) for value in values)
    return red, green, blue


def _channel(value: float) -> int:
    return round(255 * (value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055))


def test_the_ratio_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == 21
    assert round(contrast(rgb("#dfe6ee"), rgb("#0e1216")), 2) == 14.95
    assert round(contrast(rgb("#865300"), rgb("#fdfdfc")), 2) == 6.35


@pytest.mark.parametrize("name", PALETTES)
def test_every_role_is_legible_on_every_ground(name: str) -> None:
    assert list(PALETTES[name].faint()) == []


@pytest.mark.parametrize("eye", _LINEAR)
@pytest.mark.parametrize("name", PALETTES)
def test_what_stands_side_by_side_stays_apart(name: str, eye: str) -> None:
    colors = PALETTES[name].colors
    for what, (roles, least) in _APART.items():
        for one, other in combinations(roles, 2):
            apart = distance(seen(colors[one], eye), seen(colors[other], eye))
            assert apart >= least - 0.0006, f"{what}: {one} and {other} are {apart:.3f} apart"


def test_severity_and_marks_are_never_colour_alone() -> None:
    assert "bold" in ROLES["bad"].attributes
    assert "italic" in ROLES["stale"].attributes
    assert all(ROLES[name].mono for name in ("bad", "warn", "muted", "cursor", "marked"))


def test_of_sixteen_colours_the_kinds_and_severities_get_different_ones() -> None:
    for column in ("on_dark", "on_light"):
        kinds = {getattr(ROLES[name], column) for name in ("kind-vm", "kind-container", "kind-service")}
        assert len(kinds) == 3
        severities = {
            (getattr(ROLES[name], column), ROLES[name].attributes) for name in ("text", "muted", "warn", "bad")
        }
        assert len(severities) == 4
    assert ROLES["kind-container"].on_dark == "color(14)", "bright cyan"


@pytest.mark.parametrize("name", PALETTES)
def test_derived_roles_follow_their_sources(name: str) -> None:
    colors = PALETTES[name].colors
    for role, source in DERIVED.items():
        expected = mixed(colors[source], colors["background"], FILL_SHARE)
        assert all(abs(one - other) <= 1 for one, other in zip(colors[role], expected, strict=True)), role
    assert all(colors[role] == colors[source] for role, source in SAME_AS.items())


def test_a_changed_graph_takes_its_fill_along_and_a_given_fill_stays() -> None:
    green, grey = (0, 200, 0), (9, 9, 9)
    palette = derived("own", PALETTES["dark"], {"graph-cpu": green})
    assert palette.colors["fill-cpu"] == mixed(green, palette.colors["background"], FILL_SHARE)
    assert derived("own", palette, {"fill-cpu": grey}).colors["fill-cpu"] == grey


@pytest.mark.parametrize("use", [use for use in Use if use.contrast > 2])
@pytest.mark.parametrize("ground", GROUNDS)
def test_any_colour_can_be_made_legible(ground: str, use: Use) -> None:
    under: Callable[[str], Rgb] = lambda name: PALETTES[name].colors[ground]  # noqa: E731  # three grounds, one line
    for color in ((0, 0, 0), (255, 255, 255), (0, 0, 255), (128, 128, 128), (200, 0, 0)):
        for name in PALETTES:
            assert contrast(legible(color, under(name), use.contrast), under(name)) >= use.contrast
