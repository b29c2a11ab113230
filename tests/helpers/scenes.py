"""Scenes: every screen of vmtop with made-up workloads, as tests measure them and the documentation shows them.

A new screen, dialogue or state of a row is a row of `SCENES`; what is tested of all scenes is then tested of it too.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
from textual.pilot import Pilot

from collectors.model.workloads import Kind
from tests.helpers.demo_fleet import Fleet, QuietSampler, with_announced
from tests.helpers.far_fleet import FarFleet
from tests.helpers.pilot_wait import rest, until
from tests.helpers.scene_engine import scene_services
from tui.app.live import VmtopApp
from tui.controllers.frame_feed import FrameReady
from tui.controllers.recording import SessionRecorder
from tui.keys.in_use import rows_of
from tui.keys.tables import LIVE
from tui.presenters.table.line import Line
from tui.screens.workloads.live import LiveListScreen
from tui.settings.screen_options import ScreenOptions
from tui.widgets.first_run import FirstRunLine
from tui.widgets.workload_table import WorkloadTable

SMALL, MIDDLE = (80, 24), (120, 36)


class Stage:
    """A running screen, the fleet that feeds it, and its session so far."""

    def __init__(
        self, pilot: Pilot[int], app: VmtopApp, fleet: Fleet | FarFleet, session_recorder: SessionRecorder
    ) -> None:
        self.pilot, self.app, self.fleet, self._session_recorder = pilot, app, fleet, session_recorder

    @property
    def screen(self) -> LiveListScreen:
        """The main screen, even below another one."""
        return next(screen for screen in self.app.screen_stack if isinstance(screen, LiveListScreen))

    async def tick(self, count: int = 1, age_s: float = 0.0) -> None:
        """Let frames arrive, with samples of some age."""
        for _ in range(count):
            frame = self.fleet.frame()
            frame = with_announced(frame, self.app.sampler)
            frame = msgspec.structs.replace(frame, at_ns=frame.at_ns + int(age_s * 1e9))
            self._session_recorder.recorder.take(frame)
            self.screen.post_message(FrameReady(frame))
            await self.pilot.pause()

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until what they start is done."""
        for key in keys:
            await self.pilot.press(key)
            await rest(self.pilot)

    async def point_at(self, is_wanted: Callable[[Line], bool]) -> None:
        """Put the cursor on the first line that is wanted."""
        self.screen._go(next(index for index, line in enumerate(self.screen.view.lines) if is_wanted(line)))
        await self.pilot.pause()

    def tones(self, line: Line) -> set[str]:
        """Return the tones of a line's cells."""
        table = self.screen.query_one(WorkloadTable)
        return {cell.tone for cell in table.cells.line(line, table._columns, False)}

    def text(self) -> str:
        """Return what is on the screen."""
        return "\n".join(strip.text.rstrip() for strip in self.app.screen._compositor.render_strips())


Act = Callable[[Stage], Awaitable[None]]


class Scene(NamedTuple):
    """What to do to get to a picture."""

    act: Act
    size: tuple[int, int] = MIDDLE
    hosts: tuple[str, ...] = ()
    """Other hosts, which are watched instead of this one."""


def pressing(*keys: str) -> Act:
    """Return an act of keys."""

    async def act(stage: Stage) -> None:
        await stage.press(*keys)

    return act


def on_kind(kind: Kind, *keys: str) -> Act:
    """Return an act that puts the cursor on a workload of a kind, and presses keys."""

    async def act(stage: Stage) -> None:
        await stage.point_at(lambda line: line.reading is not None and line.reading.workload.kind is kind)
        await stage.press(*keys)

    return act


def on_tone(tone: str, *keys: str) -> Act:
    """Return an act that puts the cursor on a row with a tone, and presses keys."""

    async def act(stage: Stage) -> None:
        for _ in range(200):
            if any(tone in stage.tones(line) for line in stage.screen.view.lines):
                break
            await stage.tick()
        await stage.point_at(lambda line: tone in stage.tones(line))
        await stage.press(*keys)

    return act


def on_alerts(*keys: str) -> Act:
    """Return an act that opens the list once alerts have begun, and presses keys."""

    async def act(stage: Stage) -> None:
        for _ in range(60):
            if stage.screen.alerts.watch.active:
                break
            await stage.tick()
        await stage.press("B", *keys)

    return act


async def _past_alerts(stage: Stage) -> None:
    await stage.tick(25)
    await _past(stage)
    await stage.press("B")


async def _alert_on_page(stage: Stage) -> None:
    await on_alerts("j")(stage)
    await stage.press("enter")
    await stage.tick()


async def _stale(stage: Stage) -> None:
    await stage.tick(1, age_s=40.0)


async def _toasts(stage: Stage) -> None:
    for severity in ("information", "warning", "error"):
        stage.app.notify("web-1: restarted in 1.9 s", title="Done", severity=severity, timeout=600)
    await stage.pilot.pause()


async def _first_run(stage: Stage) -> None:
    stage.screen.query_one(FirstRunLine).welcome(rows_of(stage.app, LIVE))
    await stage.pilot.pause()


async def _compared(stage: Stage) -> None:
    await stage.press("space", "j", "space", "equals_sign")
    await until(stage.pilot, lambda: "reading recent" not in stage.text())


async def _compared_lines(stage: Stage) -> None:
    await _compared(stage)
    await stage.press("o", "o")


async def _classes(stage: Stage) -> None:
    await stage.press("equals_sign")
    await until(stage.pilot, lambda: "BARE METAL" in stage.text())


async def _past(stage: Stage) -> None:
    await stage.press("T")
    await stage.press(*["left"] * 5)


async def _gone(stage: Stage) -> None:
    assert isinstance(stage.fleet, FarFleet)
    stage.fleet.silent.add("hv02")
    stage.fleet.frame(90.0)
    await stage.tick()
    await stage.press("G")


_HOSTS = ("hv01", "hv02", "hv03")
SCENES: dict[str, Scene] = {
    "main": Scene(pressing("j", "j")),
    "main at 80": Scene(pressing("j"), SMALL),
    "before the first frame": Scene(pressing(), SMALL),
    "first run": Scene(_first_run, SMALL),
    "cursor on the host": Scene(pressing("g", "k")),
    "cursor on a VM": Scene(on_kind(Kind.VM)),
    "cursor on a container": Scene(on_kind(Kind.CONTAINER)),
    "cursor on a service": Scene(on_kind(Kind.SERVICE)),
    "cursor on an alarm": Scene(on_tone("bad")),
    "cursor on a warning": Scene(on_tone("warn")),
    "alarm, marked": Scene(on_tone("bad", "space")),
    "marked": Scene(pressing("space", "space", "space", "g")),
    "stale": Scene(_stale),
    "groups": Scene(pressing("t", "g")),
    "several hosts": Scene(pressing("j"), hosts=_HOSTS),
    "several hosts at 80": Scene(pressing("j"), SMALL, _HOSTS),
    "several hosts in groups": Scene(pressing("t", "g", "enter"), hosts=_HOSTS),
    "one of several hosts": Scene(pressing("j", "H"), hosts=_HOSTS),
    "a host is gone": Scene(_gone, hosts=_HOSTS),
    "sources of several hosts": Scene(pressing("exclamation_mark"), hosts=_HOSTS),
    "stopped shown": Scene(pressing("a")),
    "enlarged panes": Scene(pressing("o")),
    "filter": Scene(pressing("slash", "w", "e", "b"), SMALL),
    "filter in error": Scene(pressing("slash", "c", "p", "u", "greater_than_sign"), SMALL),
    "nothing matches": Scene(pressing("slash", "z", "z", "z", "enter"), SMALL),
    "a name is typed": Scene(pressing("apostrophe", "w", "e"), SMALL),
    "help": Scene(pressing("question_mark")),
    "help, searched": Scene(pressing("question_mark", "p", "s", "i"), SMALL),
    "sort menu": Scene(pressing("s")),
    "columns": Scene(pressing("c")),
    "columns, a set": Scene(pressing("c", "n", "e", "t")),
    "why": Scene(pressing("w")),
    "sources": Scene(pressing("exclamation_mark")),
    "palette": Scene(pressing("ctrl+p")),
    "palette, typed": Scene(pressing("ctrl+p", "s", "o", "r", "t", "down")),
    "toasts": Scene(_toasts),
    "action menu": Scene(on_kind(Kind.CONTAINER, "x")),
    "limits": Scene(on_kind(Kind.CONTAINER, "x", "m"), SMALL),
    "limits, typed": Scene(on_kind(Kind.CONTAINER, "x", "m", "1", "M")),
    "sizes": Scene(pressing("X")),
    "sizes, small": Scene(pressing("X", "j"), SMALL),
    "confirm": Scene(on_kind(Kind.CONTAINER, "x", "r"), SMALL),
    "confirm by name": Scene(on_kind(Kind.CONTAINER, "x", "K"), SMALL),
    "a question": Scene(pressing("S"), SMALL),
    "charts": Scene(on_kind(Kind.CONTAINER, "enter", "j")),
    "charts of a minute": Scene(on_kind(Kind.CONTAINER, "enter", "minus")),
    "help of a page": Scene(on_kind(Kind.CONTAINER, "enter", "question_mark")),
    "host": Scene(pressing("5"), (120, 45)),
    "processes of the host": Scene(pressing("p", "j")),
    "columns of identity": Scene(pressing("shift+tab")),
    "jump": Scene(pressing("apostrophe", "m", "e"), SMALL),
    "charts, lines": Scene(on_kind(Kind.CONTAINER, "enter", "o", "minus")),
    "facts": Scene(on_kind(Kind.CONTAINER, "enter", "2")),
    "devices": Scene(on_kind(Kind.CONTAINER, "enter", "3")),
    "processes": Scene(on_kind(Kind.CONTAINER, "enter", "4")),
    "events": Scene(on_kind(Kind.CONTAINER, "enter", "5")),
    "compare": Scene(_compared),
    "compare, lines": Scene(_compared_lines),
    "classes": Scene(_classes),
    "past": Scene(_past),
    "alerts": Scene(on_alerts()),
    "alerts at 80": Scene(on_alerts("j", "a"), SMALL),
    "no alerts": Scene(pressing("B"), SMALL),
    "alerts of the past": Scene(_past_alerts),
    "alert on a workload's page": Scene(_alert_on_page),
    "edges of alerts": Scene(on_alerts("escape", "t", "g", "space")),
    "logs": Scene(on_kind(Kind.CONTAINER, "l"), SMALL),
    "logs, searched": Scene(on_kind(Kind.CONTAINER, "l", "slash", "c", "a", "r", "t", "enter"), SMALL),
    "inspect": Scene(on_kind(Kind.CONTAINER, "i"), SMALL),
}


def _fleet(scene: Scene, workloads: int, wall: float) -> Fleet | FarFleet:
    return FarFleet(scene.hosts, workloads // 3) if scene.hosts else Fleet(workloads, wall=wall)


@asynccontextmanager
async def staged(
    scene: Scene,
    options: ScreenOptions | None = None,
    workloads: int = 30,
    ticks: int = 15,
    wall: float = 1_750_000_000.0,
    fleet: FarFleet | None = None,
) -> AsyncIterator[Stage]:
    """Run the app up to the picture of a scene, which begins after some frames.

    Args:
        scene: What to do.
        options: From the command line.
        workloads: How many there are.
        ticks: The frames before it, a second apart.
        wall: Wall time of the beginning, in seconds; always the same by default.
        fleet: Several hosts that feed it instead.
    """
    options = options or ScreenOptions(is_demo=True)
    with tempfile.TemporaryDirectory() as folder:
        session_recorder = SessionRecorder(Path(folder))
        app = VmtopApp(QuietSampler([]), options, scene_services(), session_recorder)
        async with app.run_test(size=scene.size, notifications=True) as pilot:
            await pilot.pause()
            stage = Stage(pilot, app, fleet or _fleet(scene, workloads, wall), session_recorder)
            stage.screen.view.clock = lambda: stage.fleet.now_ns / 1e9
            if scene is not SCENES["before the first frame"]:
                await stage.tick(ticks)
            await scene.act(stage)
            await pilot.pause()
            yield stage
        session_recorder.close()
