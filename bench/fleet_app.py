"""vmtop's screen on prepared frames: what it costs without what makes the frames. Run as a program on a pty.

    python -m bench.fleet_app MODE WORKLOADS TICKS FILE

Modes: `paint` posts a frame after the other and writes what each cost as JSON, `steps` what each step of it took;
`live` posts a frame a second until it is ended; `hour` feeds so many frames as fast as they are made and writes the
memory that the process holds, and the blocks that Python has given out.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from bench.measure import yardstick
from bench.realistic_fleet import Believable
from bench.tick_steps import Steps
from collectors.kernel.self_usage import OwnCost
from tests.helpers.demo_fleet import Fleet, PreparedSampler, QuietSampler
from tui.app.live import VmtopApp
from tui.controllers.frame_feed import FrameReady, feed
from tui.controllers.recording import SessionRecorder
from tui.screens.workloads.live import LiveListScreen
from tui.settings.screen_options import ScreenOptions

_WARM_UP = 5
_QUIET_S = 0.12
"""Time in which a tick has been painted, on this kind of machine several times over."""


class FleetApp(VmtopApp):
    """The live screen, driven by a mode."""

    def __init__(self, mode: str, workloads: int, ticks: int, told: Path) -> None:
        super().__init__(
            QuietSampler([]),
            ScreenOptions(),
            session_recorder=SessionRecorder(told.parent / "spool" if mode == "hour" else None),
        )
        self._mode, self._workloads, self._ticks, self._told = mode, workloads, ticks, told
        fleet = Fleet(workloads)
        self._frames = [fleet.frame() for _ in range(0 if mode == "hour" else ticks + _WARM_UP)]

    def on_mount(self) -> None:
        self.run_worker(self._drive(), exclusive=True)

    async def _drive(self) -> None:
        await asyncio.sleep(0.5)
        screen = next(one for one in self.screen_stack if isinstance(one, LiveListScreen))
        if self._mode == "hour":
            await self._hour(screen)
        else:
            await {"paint": self._paint, "steps": self._steps, "live": self._live}[self._mode](screen)
        self.exit(0)

    async def _paint(self, screen: LiveListScreen) -> None:
        derived, painted = [], []
        for number, frame in enumerate(self._frames):
            if number == _WARM_UP:
                self._told.with_suffix(".warm").touch()
            began = time.process_time()
            moment = screen.track.feed(frame)
            after = time.process_time()
            screen.shown_moment = moment
            screen.redraw()
            await asyncio.sleep(_QUIET_S)
            derived.append(after - began)
            painted.append(time.process_time() - after)
        told = {"derived": derived[_WARM_UP:], "painted": painted[_WARM_UP:], "yardstick": yardstick()}
        self._told.write_text(json.dumps(told))

    async def _steps(self, screen: LiveListScreen) -> None:
        steps = Steps()
        with steps.timed():
            for frame in self._frames:
                screen.shown_moment = moment = screen.track.feed(frame)
                screen.alerts.take(moment)
                screen.redraw()
                screen.alerts.judge()
                await asyncio.sleep(_QUIET_S)
                steps.tick()
        self._told.write_text(json.dumps(steps.told()))

    async def _live(self, screen: LiveListScreen) -> None:
        await feed(PreparedSampler(self._frames, 1.0), screen, screen.track.stages())

    async def _hour(self, screen: LiveListScreen) -> None:
        cost, held = OwnCost(), []
        source = Believable(self._workloads)
        for number, frame in enumerate(source.frames(self._ticks)):
            self.session_recorder.recorder.take(frame)
            screen.post_message(FrameReady(frame))
            await asyncio.wrap_future(
                self.session_recorder.recorder.between_frames(lambda: None)
            )  # in a second it would be through
            if number % max(1, self._ticks // 60) == 0:
                await asyncio.sleep(0.02)
                held.append((number, cost.look().resident_bytes or 0, sys.getallocatedblocks()))
        self._told.write_text(json.dumps({"held": held}))


if __name__ == "__main__":
    mode, workloads, ticks, told = sys.argv[1:]
    app = FleetApp(mode, int(workloads), int(ticks), Path(told))
    code = app.run_to_end()
    app.session_recorder.close()
    sys.exit(code)
