"""From a tone and a ground to a style, and from a palette to a theme of Textual: the one place that makes styles."""

from __future__ import annotations

from typing import Any

from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.theme import Theme

from tui.themes.contrast import code_of
from tui.themes.palette import DARK, PALETTES, PREFIX, Palette
from tui.themes.roles import ROLES


class Look:
    """The styles of a palette. A tone is a role, with attributes after it if need be: `warn`, `text underline`."""

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self._foregrounds: dict[str, Style] = {}
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, tone: str, ground: str = "background") -> Style:
        """Return the style of a tone on a ground, opaque. Made once: it is the same object each time.

        Raises:
            KeyError: One of them is not in the table of roles.
        """
        style = self._styles.get((tone, ground))
        if style is None:
            foreground = self.foreground("graph-cpu" if (tone, ground) == ("spark", "cursor") else tone)
            style = foreground + Style(bgcolor=Color.from_rgb(*self.palette.colors[ground]))
            self._styles[tone, ground] = style
        return style

    def foreground(self, tone: str) -> Style:
        """Return the style of a tone without a ground: for a part of a text that has one already."""
        style = self._foregrounds.get(tone)
        if style is None:
            role, _, attributes = tone.partition(" ")
            style = Style.parse(f"{ROLES[role].attributes} {attributes}")
            style = self._foregrounds[tone] = style + Style(color=Color.from_rgb(*self.palette.colors[role]))
        return style


class RoleTheme(Theme):
    """A theme whose variables are the roles; style sheets of Textual's own widgets get theirs from the same roles."""

    look: Look

    @property
    def choice(self) -> str:
        """The name by which users choose it."""
        return self.name.removeprefix(PREFIX)


def look_of(app: App[Any]) -> Look:
    """Return the styles of an app's theme; an app without themes of ours gets those of the dark one."""
    look = getattr(app, "look", None)
    return look if isinstance(look, Look) else _DEFAULT


def theme_of(palette: Palette) -> RoleTheme:
    """Return a theme with the colours of a palette."""
    color = {role: code_of(value) for role, value in palette.colors.items()}
    theme = RoleTheme(
        name=PREFIX + palette.name,
        primary=color["focus"],
        secondary=color["accent"],
        warning=color["warn"],
        error=color["bad"],
        success=color["good"],
        accent=color["accent"],
        foreground=color["text"],
        background=color["background"],
        surface=color["panel"],
        panel=color["panel"],
        boost=color["panel"],
        dark=not palette.is_light,
        variables={**color, **{name: color.get(value, value) for name, value in _OF_TEXTUAL.items()}},
    )
    theme.look = Look(palette)
    return theme


_OF_TEXTUAL = {
    **dict.fromkeys(("text-muted", "text-disabled", "foreground-muted", "foreground-disabled"), "muted"),
    **dict.fromkeys(("text-primary", "text-secondary", "text-accent", "link-color", "link-color-hover"), "accent"),
    "text-success": "good",
    "text-warning": "warn",
    "text-error": "bad",
    **dict.fromkeys(("primary-background", "secondary-background", "surface-active"), "panel"),
    **dict.fromkeys((f"{ground}-{way}-{step}" for ground in ("surface", "panel", "background")
                     for way in ("lighten", "darken") for step in (1, 2, 3)), "panel"),
    "border-blurred": "border",
    **dict.fromkeys(("block-cursor-background", "block-cursor-blurred-background"), "cursor"),
    **dict.fromkeys(("block-cursor-foreground", "block-cursor-blurred-foreground"), "text"),
    "block-cursor-text-style": "bold",
    "block-hover-background": "panel",
    "input-cursor-background": "text",
    "input-cursor-foreground": "background",
    "input-selection-background": "cursor",
    "input-selection-foreground": "text",
    "screen-selection-background": "cursor",
    "screen-selection-foreground": "text",
    **dict.fromkeys(("scrollbar", "scrollbar-hover"), "border"),
    "scrollbar-active": "focus",
    **dict.fromkeys(("scrollbar-background", "scrollbar-background-hover", "scrollbar-background-active",
                     "scrollbar-corner-color"), "background"),
    **dict.fromkeys(("footer-foreground", "footer-description-foreground", "button-foreground",
                     "button-color-foreground"), "text"),
    "footer-background": "panel",
    "footer-key-foreground": "accent",
    "link-background-hover": "cursor",
}  # fmt: skip
"""Variables of Textual's style sheets, by name: a role, or a value of another kind."""
_DEFAULT = Look(PALETTES[DARK])
THEMES = {name: theme_of(palette) for name, palette in PALETTES.items()}
"""The built-in themes, by the name that users choose them by."""
