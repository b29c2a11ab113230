"""vmtop's screen with one workload more or less at each step, for a pty; it tells how often Textual made a picture.

python -m tests.helpers.growing_table FILE STEPS

It paints a step a tenth of a second. At the end it writes the number of pictures that Textual's compositor made for
the steps, then lets it make the whole screen anew, and waits to be ended.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from msgspec.structs import replace

from collectors.model.workloads import Frame
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tui.app.live import VmtopApp
from tui.screens.workloads.live import LiveListScreen
from tui.settings.screen_options import ScreenOptions
from tui.terminal.textual_private import Picture

_FEWEST, _MOST = 60, 80


def part_of(frame: Frame, count: int) -> Frame:
    """Return a frame with only the first so many workloads."""
    kept = list(frame.workloads)[:count]
    samples = {identity: of for identity, of in frame.samples.items() if identity in kept or identity == frame.host.id}
    return replace(frame, workloads={identity: frame.workloads[identity] for identity in kept}, samples=samples)


class GrowingApp(VmtopApp):
    """Shows a moment after the other; every one has another number of rows."""

    def __init__(self, told: Path, steps: int) -> None:
        super().__init__(QuietSampler(), ScreenOptions())
        self._told, self._steps, self._pictures = told, steps, 0

    def show_picture(self, picture: Picture) -> None:
        self._pictures += 1
        super().show_picture(picture)

    def on_mount(self) -> None:
        self.run_worker(self._grow(), exclusive=True)

    async def _grow(self) -> None:
        await asyncio.sleep(0.5)
        screen = next(one for one in self.screen_stack if isinstance(one, LiveListScreen))
        fleet, span = Fleet(_MOST), _MOST - _FEWEST
        for step in range(-3, self._steps):
            count = _FEWEST + abs(step % (2 * span) - span)
            screen.shown_moment = screen.track.feed(part_of(fleet.frame(), count))
            screen.redraw()
            await asyncio.sleep(0.1)
            if step < 0:  # the first moments lay the screen out
                self._pictures = 0
        self._told.write_text(f"{self._pictures}\n")
        await asyncio.sleep(1.0)
        screen.refresh(layout=True)
        screen.call_after_refresh(self._told.with_suffix(".anew").touch)
        await asyncio.sleep(60)


if __name__ == "__main__":
    sys.exit(GrowingApp(Path(sys.argv[1]), int(sys.argv[2])).run_to_end())
