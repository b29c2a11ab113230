"""Two lines at the bottom of a replay: the whole session to scale with its events, and the current position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual.events import Click
from textual.message import Message

from collectors.model.workloads import Event
from tui.presenters.event_kind import kind_of
from tui.presenters.formatting import duration, fit, stamp
from tui.presenters.styled_lines import Line, Run, plain_text
from tui.widgets.text_lines import TextLines


class Scene(NamedTuple):
    """What the timeline shows. Times are wall times in seconds since the epoch."""

    first: float
    last: float
    wall: float
    """Time of the current frame."""
    number: int
    """Number of the current frame, from 1."""
    total: int
    is_playing: bool
    speed: float
    pauses: Sequence[tuple[float, float]]
    """Spans without frames."""
    damage: Sequence[tuple[float, float]]
    """Spans that cannot be read."""
    events: Sequence[Event]
    """All events found so far."""
    here: Sequence[Event]
    """Events of the current frame."""
    problem: str = ""
    """What is wrong with the current part of the session; empty when it is intact."""


class Timeline(TextLines):
    """Paints a scene; a click on the line posts `Chosen`."""

    DEFAULT_CSS = "Timeline { height: 2; background: $panel; }"
    ground = "panel"

    class Chosen(Message):
        """A position on the line was clicked; `wall` is its time."""

        def __init__(self, wall: float) -> None:
            super().__init__()
            self.wall = wall

    def __init__(self, ascii_only: bool) -> None:
        super().__init__()
        self._ascii = ascii_only
        self._scene: Scene | None = None

    def show(self, scene: Scene) -> None:
        """Show a scene."""
        self._scene = scene
        self.show_lines([self._line(scene), _status(scene, self.size.width, self._ascii)])

    def _ends(self, scene: Scene) -> tuple[str, str]:
        form = "%H:%M:%S" if scene.last - scene.first < 80_000 else "%m-%d %H:%M"
        left, right = (stamp(wall, form) for wall in (scene.first, scene.last))
        return f" {left} ", f" {right} "

    def _line(self, scene: Scene) -> Line:
        left, right = self._ends(scene)
        width = max(1, self.size.width - len(left) - len(right))
        return [(left, "muted"), *_cells(scene, width, self._ascii), (right, "muted")]

    def on_click(self, event: Click) -> None:
        """Post the time that was clicked."""
        scene = self._scene
        if scene is None or event.y != 0:
            return
        left, right = self._ends(scene)
        width = max(1, self.size.width - len(left) - len(right))
        share = (event.x - len(left)) / max(1, width - 1)
        if 0 <= share <= 1:
            self.post_message(self.Chosen(scene.first + share * (scene.last - scene.first)))


_SIGNS = {
    "line": ("─", "-"),
    "pause": ("·", "."),
    "damage": ("✗", "x"),
    "event": ("┴", "+"),
    "bad": ("▲", "!"),
    "note": ("◆", "*"),
}
_TONES = {
    "line": "border", "pause": "muted", "damage": "bad", "event": "muted", "bad": "warn", "note": "accent",
}  # fmt: skip
_ORDER = ("event", "bad", "note")


def _cells(scene: Scene, width: int, ascii_only: bool) -> list[Run]:
    """Return a sign and a tone for each cell; the later wins: line, pause, damage, event, bad, note, position."""
    span = max(scene.last - scene.first, 1e-9)

    def cell(wall: float) -> int:
        return max(0, min(width - 1, round((wall - scene.first) / span * (width - 1))))

    kinds = ["line"] * width
    for kind, spans in (("pause", scene.pauses), ("damage", scene.damage)):
        for since, until in spans:
            kinds[cell(since) : cell(until) + 1] = [kind] * (cell(until) + 1 - cell(since))
    for event in scene.events:
        index, kind = cell(event.wall), kind_of(event)
        if kinds[index] not in _ORDER or _ORDER.index(kind) > _ORDER.index(kinds[index]):
            kinds[index] = kind
    cells = [(_SIGNS[kind][ascii_only], _TONES[kind]) for kind in kinds]
    cells[cell(scene.wall)] = ("#" if ascii_only else "█", "accent")
    return cells


def _status(scene: Scene, width: int, ascii_only: bool) -> Line:
    time = stamp(scene.wall)
    sign = (">" if ascii_only else "▶") if scene.is_playing else ("=" if ascii_only else "‖")
    line: list[Run] = [
        (f" {time} ", "title"),
        (f"{sign} {scene.speed:g}x  {scene.number:,} of {scene.total:,}  ", "text"),
    ]
    sentence = scene.problem or _next_pause(scene) or _event_label(scene.here)
    room = max(0, width - len(plain_text(line)))
    return [*line, (fit(sentence, room), "title" if scene.here else "muted")]


def _next_pause(scene: Scene) -> str:
    for since, until in scene.pauses:
        if abs(scene.wall - since) < 0.05:
            return f"no frames for the next {duration(until - since, 8).strip()}"
    return ""


def _event_label(events: Sequence[Event]) -> str:
    if not events:
        return ""
    first = events[0]
    more = f"  and {len(events) - 1} more" if len(events) > 1 else ""
    name = first.workload.named(first.name)
    return f"{name} {first.what} {first.detail}".strip() + more
