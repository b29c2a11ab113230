"""The table of roles: everything that has a colour, in the three palettes, in 16 colours and without any.

Widgets, style sheets and presenters name a role (or "tone"); nothing else in vmtop names a colour. A new role is a row.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Use(Enum):
    """What a role colours, and so the contrast that it needs."""

    GROUND = 1.0
    TEXT = 4.5
    GRAPH = 3.0
    DECORATION = 1.0001
    """Carries no information of its own: rules, the empty part of a bar, the area below a graph."""

    @property
    def contrast(self) -> float:
        """Least contrast to every ground (WCAG 2)."""
        return self.value


class Role(NamedTuple):
    """One row."""

    name: str
    use: Use
    dark: str
    """As #rrggbb, as are the next two."""
    light: str
    contrast: str
    on_dark: str = "default"
    """In 16 colours on a dark terminal, as a Rich style; colours that palettes of terminals show legibly."""
    on_light: str = "default"
    """In 16 colours on a light terminal: only blue, magenta and red have 4.5:1 on white in all usual palettes."""
    mono: str = ""
    """Attributes without colours."""
    attributes: str = ""
    """Attributes at every colour depth."""


_G, _T, _C, _D = Use.GROUND, Use.TEXT, Use.GRAPH, Use.DECORATION

ROLES: dict[str, Role] = {
    role.name: role
    for role in (
        Role("background", _G, "#0e1216", "#fdfdfc", "#000000"),
        Role("panel", _G, "#171d24", "#f0f3f6", "#0d0d0d"),
        Role("cursor", _G, "#193250", "#d6e7fa", "#002f66", "reverse", "reverse", "reverse"),
        Role("marked", _G, "#3a2140", "#f7e2f4", "#4a1450", "bold", "bold", "bold"),
        Role("text", _T, "#dfe6ee", "#1a2128", "#ffffff"),
        Role("title", _T, "#dfe6ee", "#1a2128", "#ffffff", mono="bold", attributes="bold"),
        Role("muted", _T, "#99a1ac", "#5b646e", "#d6d6d6", "dim", "dim", "dim"),
        Role("kind-vm", _T, "#35a5f5", "#0a3590", "#62b5ff", "color(10)", "color(4)"),
        Role("kind-container", _T, "#86f0e0", "#005c52", "#96fff0", "color(14)"),
        Role("kind-service", _T, "#c9b8ff", "#93449f", "#e2c6ff", "color(13)", "color(5)"),
        Role("good", _T, "#98e496", "#00663c", "#a8f5a0", "color(10)"),
        Role("warn", _T, "#dcb03e", "#865300", "#f0c52e", "color(11)", "color(1)", "underline"),
        Role("bad", _T, "#ff8b7c", "#a00020", "#ffa698", "color(9)", "color(1)", "underline", "bold"),
        Role("stale", _T, "#99a1ac", "#5b646e", "#d6d6d6", "dim", "dim", "dim", "italic"),
        Role("accent", _T, "#a9d6ff", "#0a4a8c", "#ffffff", "bold color(15)", "bold", "bold"),
        Role("focus", _C, "#4da3ff", "#0b63c5", "#ffffff", "bold color(15)", "bold", "bold"),
        Role("rest", _C, "#808893", "#7a828a", "#a6a6a6", "dim", "dim", "dim"),
        Role("graph-cpu", _C, "#4cbf8c", "#1d8256", "#5fd79c", "color(2)", "color(4)"),
        Role("graph-mem", _C, "#8fbcf2", "#2d7fd0", "#b4d6ff", "color(12)", "color(5)"),
        Role("graph-disk", _C, "#b187ee", "#6a2c94", "#b98cf5", "color(13)", "color(4)"),
        Role("graph-net", _C, "#8794a1", "#66707a", "#98a2ac"),
        Role("spark", _C, "#3b8f6b", "#338e67", "#4cac7d", "color(2)", "color(4)"),
        Role("border", _D, "#46535f", "#aab5c0", "#b8b8b8", "dim", "dim", "dim"),
        Role("fill-cpu", _D, "#285b48", "#9fc9b6", "#285a42", "dim color(2)", "dim color(4)", "dim"),
        Role("fill-mem", _D, "#445972", "#a6c8ea", "#4c5a6b", "dim color(12)", "dim color(5)", "dim"),
        Role("fill-disk", _D, "#524371", "#bfa5d0", "#4e3b67", "dim color(13)", "dim color(4)", "dim"),
        Role("fill-net", _D, "#414950", "#bec2c5", "#404448", "dim", "dim", "dim"),
    )
}
GROUNDS = tuple(role.name for role in ROLES.values() if role.use is Use.GROUND)
TEXTS = tuple(role.name for role in ROLES.values() if role.use is Use.TEXT)
GRAPHS = tuple(role.name for role in ROLES.values() if role.use is Use.GRAPH)
DERIVED = {"fill-cpu": "graph-cpu", "fill-mem": "graph-mem", "fill-disk": "graph-disk", "fill-net": "graph-net"}
"""Roles that a theme derives from another one, by mixing it with the background."""
SAME_AS = {"title": "text", "stale": "muted"}
"""Roles that have the colour of another one in every theme, and differ in their attributes."""
FILL_SHARE = 0.42
