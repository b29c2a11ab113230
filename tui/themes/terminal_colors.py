"""What reaches the terminal: every style of the screen in the colours that the terminal has.

Widgets and style sheets use the colours of a theme. This is the last place before the terminal that sees them, so what
holds here holds for the whole screen: each text has a ground, `dim` is the role `muted`, a colour that is no role's
(of Textual's blends, of a workload's log) is legible; and terminals of 256, 16 or no colours get their variant.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from math import hypot
from typing import Any

from rich.color import Color, ColorType
from rich.segment import Segment
from rich.style import Style
from textual.app import App
from textual.color import Color as TextualColor
from textual.filter import LineFilter

from tui.themes.contrast import Rgb, distance, legible, nearest, oklab
from tui.themes.palette import Palette
from tui.themes.roles import GROUNDS, ROLES, Role, Use

_MONO = ("vt", "ansi-m", "xterm-mono", "dumb")
"""How the names of terminals without colours begin."""
_NEARLY_GREY = 0.03
"""Chroma in OKLab."""
_NEAR = 0.03
"""Distance up to which a colour is taken for that of a role, where there are only 16 colours or none."""


class Depth(Enum):
    """How many colours a terminal has."""

    TRUE = "truecolor"
    MANY = "256"
    FEW = "16"
    NONE = "none"


def depth_of(color_system: str | None, environment: Mapping[str, str] = os.environ) -> Depth:
    """Return the depth of a terminal from its environment and what Rich makes of it (`Console.color_system`)."""
    if environment.get("NO_COLOR") or environment.get("TERM", "").startswith(_MONO):
        return Depth.NONE
    return {"truecolor": Depth.TRUE, "256": Depth.MANY}.get(
        color_system or "", Depth.FEW if color_system else Depth.NONE
    )


def hides_alarms(app: App[Any], ground: str) -> bool:
    """Return whether an app's terminal does not show on a ground which numbers are alarming."""
    depth = getattr(app, "depth", Depth.TRUE)
    return depth is Depth.NONE or (depth is Depth.FEW and ground == "cursor")


class TerminalColors(LineFilter):
    """Gives styles the colours of a terminal; a filter for one palette and one depth.

    Args:
        palette: The colours of the screen's theme.
        depth: The colours of the terminal.
        is_light: Whether the terminal's own ground is light; it is seen where there are few colours or none.
        has_dim: Whether the terminal shows dim text legibly.
    """

    def __init__(self, palette: Palette, depth: Depth, is_light: bool = False, has_dim: bool = True) -> None:
        super().__init__()
        self.depth, self.palette = depth, palette
        self._is_light, self._has_dim = is_light, has_dim
        self._roles = {
            color: ROLES[name] for name, color in reversed(list(palette.colors.items())) if name not in GROUNDS
        }
        self._grounds = {palette.colors[name]: name for name in reversed(GROUNDS)}
        self._styles: dict[Style | None, Style] = {}

    def apply(self, segments: list[Segment], background: TextualColor) -> list[Segment]:
        """Return a line with the terminal's colours."""
        return [Segment(text, self.style(style), control) for text, style, control in segments]

    def style(self, style: Style | None) -> Style:
        """Return the style that the terminal gets in place of one of the screen."""
        result = self._styles.get(style)
        if result is None:
            result = self._styles[style] = self._converted(style or Style.null())
        return result

    def _converted(self, style: Style) -> Style:
        if _is_converted(style):
            return style
        ground = _rgb_of(style.bgcolor) or self.palette.colors["background"]
        color = _rgb_of(style.color) or self.palette.colors["text"]
        if style.dim and color == self.palette.colors["text"]:
            color = self.palette.colors["muted"]
        if self.depth in (Depth.TRUE, Depth.MANY):
            return self._colored(style, color, ground)
        return self._plain(style, color, ground)

    def _colored(self, style: Style, color: Rgb, ground: Rgb) -> Style:
        role = self._roles.get(color)
        if role is None:
            role = ROLES["text"]
            color = legible(color, ground, role.use.contrast)
        if self.depth is Depth.TRUE:
            return style + Style(color=Color.from_rgb(*color), bgcolor=Color.from_rgb(*ground), dim=False)
        number = _nearest_256(ground, None, 1.0)
        text = _nearest_256(color, _XTERM[number], role.use.contrast)
        return style + Style(color=Color.from_ansi(text), bgcolor=Color.from_ansi(number), dim=False)

    def _plain(self, style: Style, color: Rgb, ground: Rgb) -> Style:
        """Return the variant of the table for 16 colours or none: no ground is painted."""
        plain = style + _NO_COLORS
        name = self._grounds.get(ground) or self._nearest_ground(ground)
        if name is None:  # a colour as a ground: a button, the cursor of a field
            return self._variant(plain, self._role_of(ground)) + Style(reverse=not style.reverse)
        role = self._role_of(color)
        if name == "cursor":  # on reverse video tones are dropped
            kept = Style.parse(role.mono if self.depth is Depth.NONE else role.attributes)
            return plain + kept + Style(reverse=not style.reverse, dim=False)
        return self._variant(plain, role) + Style.parse(ROLES[name].mono)

    def _variant(self, plain: Style, role: Role) -> Style:
        row = role.mono if self.depth is Depth.NONE else role.on_light if self._is_light else role.on_dark
        variant = plain + Style.parse(row)
        return variant if self._has_dim else variant + _NOT_DIM

    def _role_of(self, color: Rgb) -> Role:
        """Return the role of a colour; text for one that looks like none of them."""
        role = self._roles.get(color)
        if role is not None:
            return role
        near = min(self._roles, key=lambda known: distance(known, color))
        return self._roles[near] if distance(near, color) < _NEAR else ROLES["text"]

    def _nearest_ground(self, color: Rgb) -> str | None:
        """Return the ground that a colour may be a blend of; `None` if it is nearer to a role."""
        ground = min(self._grounds, key=lambda known: distance(known, color))
        solid = (known for known, role in self._roles.items() if role.use is not Use.DECORATION)
        role = min(solid, key=lambda known: distance(known, color))
        return self._grounds[ground] if distance(ground, color) <= distance(role, color) else None


_NOT_DIM = Style(dim=False)
_NO_COLORS = Style(color="default", bgcolor="default", dim=False)
_XTERM: dict[int, Rgb] = {
    number: tuple(Color.from_ansi(number).get_truecolor())  # type: ignore[misc]  # three numbers
    for number in range(16, 256)
}
"""The colours of a terminal with 256 that no user changes; the first 16 are of the user's scheme."""
_NUMBERS = {color: number for number, color in reversed(_XTERM.items())}


@lru_cache(4096)
def _nearest_256(color: Rgb, ground: Rgb | None, least: float) -> int:
    """Return the number of the nearest colour; a grey only for what is nearly grey, or all grounds would be one."""
    is_colored = hypot(*oklab(color)[1:]) > _NEARLY_GREY
    candidates = [known for known in _XTERM.values() if not is_colored or len(set(known)) > 1]
    return _NUMBERS[nearest(color, candidates, ground, least)]


def _rgb_of(color: Color | None) -> Rgb | None:
    """Return the values of a colour; `None` for that of the terminal."""
    if color is None or color.is_default:
        return None
    red, green, blue = color.triplet or color.get_truecolor()
    return red, green, blue


def _is_converted(style: Style) -> bool:
    """Return whether a style has been through the filter: what is below a dialogue passes it twice."""
    return any(color is not None and color.type is not ColorType.TRUECOLOR for color in (style.color, style.bgcolor))
