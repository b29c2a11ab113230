"""A palette: a colour for every role. Three are built in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tui.themes.contrast import Rgb, contrast, luminance, mixed, rgb
from tui.themes.roles import DERIVED, FILL_SHARE, GROUNDS, ROLES, SAME_AS

DARK, LIGHT, CONTRAST = "dark", "light", "contrast"
PREFIX = "vmtop-"
"""Textual knows a theme by this and its name; users may write both."""
LIGHT_FROM = 0.4
"""Luminance from which a ground counts as light."""


@dataclass(frozen=True)
class Palette:
    """The colours of a theme, by role; every role has one."""

    name: str
    colors: Mapping[str, Rgb]

    @property
    def is_light(self) -> bool:
        """Whether its ground is light."""
        return is_light(self.colors["background"])

    def faint(self) -> Iterator[tuple[str, str, float]]:
        """Yield each role whose contrast to a ground is too low, with the ground and the contrast."""
        for role in ROLES.values():
            for ground in GROUNDS:
                if role.name == "spark" and ground == "cursor":
                    continue  # on the cursor's row sparklines have the role graph-cpu
                ratio = contrast(self.colors[role.name], self.colors[ground])
                if role.name not in (*GROUNDS, *SAME_AS) and ratio < role.use.contrast:
                    yield role.name, ground, ratio


def is_light(ground: Rgb) -> bool:
    """Return whether text on a ground should be dark."""
    return luminance(ground) > LIGHT_FROM


def derived(name: str, base: Palette, changes: Mapping[str, Rgb]) -> Palette:
    """Return a palette that differs from another one in some roles; fills follow their graphs."""
    colors = {**base.colors, **changes}
    for role, source in SAME_AS.items():
        colors[role] = changes.get(role, colors[source])
    for role, source in DERIVED.items():
        colors[role] = changes.get(role, mixed(colors[source], colors["background"], FILL_SHARE))
    return Palette(name, colors)


PALETTES = {
    name: Palette(name, {role.name: rgb(getattr(role, name)) for role in ROLES.values()})
    for name in (DARK, LIGHT, CONTRAST)
}
