"""Makes what the docs take from the code: docs/screen.svg, the README's table of keys, docs/metrics.md.

The picture is the app itself on a seeded fleet, exported by Textual. Run it with `make docs`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

from collectors.model import Frame
from collectors.sampler import Sampler
from tests.fleet import Fleet
from tui.app import VmtopApp
from tui.feed import FrameReady
from tui.keys import KEYS, shown
from tui.metric_docs import markdown
from tui.options import ScreenOptions
from tui.screens.overview import Overview

SECONDS = 90
_FONT_FACE = re.compile(r"@font-face\s*{.*?}\s*", re.DOTALL)
"""A picture in a README must not fetch fonts from elsewhere."""


class QuietSampler(Sampler):
    """Yields nothing: the frames come from the fleet's own clock."""

    async def frames(self) -> AsyncIterator[Frame]:
        await asyncio.Event().wait()
        yield Fleet().frame()


async def picture(path: Path) -> None:
    """Let a fleet of 40 live for a minute and a half, and export the screen."""
    app = VmtopApp(QuietSampler([]), ScreenOptions(is_demo=True))
    fleet = Fleet(40)
    async with app.run_test(size=(128, 34)) as pilot:
        await pilot.pause()
        screen = next(one for one in app.screen_stack if isinstance(one, Overview))
        for _ in range(SECONDS):
            screen.post_message(FrameReady(fleet.frame()))
            await pilot.pause()
        await pilot.press("j", "j")
        screen.post_message(FrameReady(fleet.frame()))
        await pilot.pause()
        picture_text = app.export_screenshot(title="vmtop demo")
    path.write_text(_FONT_FACE.sub("", picture_text), encoding="utf-8")


def with_keys(readme: str) -> str:
    """Return the README with its table of keys made anew from the bindings."""
    rows = "".join(f"| `{shown(key.keys)}` | {key.help} |\n" for key in KEYS)
    return re.sub(r"(\| key \| does \|\n\|---\|---\|\n)(?:\|.*\n|<!-- keys -->\n)*", lambda m: m[1] + rows, readme)


if __name__ == "__main__":
    top = Path(__file__).parent.parent
    (top / "README.md").write_text(with_keys((top / "README.md").read_text()))
    (top / "docs" / "metrics.md").write_text(markdown())
    asyncio.run(picture(top / "docs" / "screen.svg"))
