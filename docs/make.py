"""Makes what the docs take from the code: docs/screen.svg, the README's table of keys, docs/metrics.md.

The picture is the app itself on a seeded fleet, exported by Textual. Run it with `make docs`.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from docs.metric_page import markdown
from tests.helpers.demo_fleet import Fleet, QuietSampler
from tui.app.live import VmtopApp
from tui.controllers.frame_feed import FrameReady
from tui.screens.workloads.live import LiveListScreen
from tui.settings.keymap import LIVE, REPLAY, keys_of, shown
from tui.settings.screen_options import ScreenOptions

SECONDS = 90
_FONT_FACE = re.compile(r"@font-face\s*{.*?}\s*", re.DOTALL)
"""A picture in a README must not fetch fonts from elsewhere."""


async def picture() -> str:
    """Let a fleet of 40 live for a minute and a half, and return the screen as SVG."""
    app = VmtopApp(QuietSampler([]), ScreenOptions(is_demo=True))
    fleet = Fleet(40)
    async with app.run_test(size=(128, 34)) as pilot:
        await pilot.pause()
        screen = next(one for one in app.screen_stack if isinstance(one, LiveListScreen))
        for _ in range(SECONDS):
            screen.post_message(FrameReady(fleet.frame()))
            await pilot.pause()
        await pilot.press("j", "j", "P")
        screen.post_message(FrameReady(fleet.frame()))
        await pilot.pause()
        return _FONT_FACE.sub("", app.export_screenshot(title="vmtop demo"))


def with_keys(page: str) -> str:
    """Return a page with its tables of keys made anew from the bindings: the first is live, the second the replay's."""
    tables = iter((LIVE, REPLAY))

    def table(found: re.Match[str]) -> str:
        where = next(tables)
        keys = [key for key in keys_of(where) if where == LIVE or key.where == REPLAY]
        return found[1] + "".join(f"| `{shown(key.keys)}` | {key.help} |\n" for key in keys)

    return re.sub(r"(\| key \| does \|\n\|---\|---\|\n)(?:\|.*\n|<!-- keys -->\n)*", table, page)


if __name__ == "__main__":
    top = Path(__file__).parent.parent
    for page in (top / "README.md", top / "docs" / "guide.md"):
        page.write_text(with_keys(page.read_text()))
    (top / "docs" / "metrics.md").write_text(markdown())
    (top / "docs" / "screen.svg").write_text(asyncio.run(picture()), encoding="utf-8")
