"""Generates what the docs take from the code: the pictures, the tables of keys, the reference pages, and the schema of
the configuration. Each picture is the app itself with made-up workloads, exported by Textual. Run it with
`make docs-generate`.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Callable
from pathlib import Path

from docs import (
    alert_page,
    command_page,
    engine_page,
    exit_code_page,
    exposition_page,
    key_page,
    metric_page,
    schema_page,
    settings_page,
)
from tests.helpers.scenes import SCENES, staged
from tui.cli.command_sections import option_tables
from tui.cli.main import main as vmtop
from tui.configuration.schema import schema
from tui.keys.key import TIME, Key, key_names
from tui.keys.tables import ALERTS, LIVE, REPLAY, TABLES
from tui.settings.screen_options import ScreenOptions

SECONDS = 90
_TOP = Path(__file__).parent.parent
PICTURES = {
    "docs/screen.svg": ("main", "dark"),
    "docs/pictures/main-80.svg": ("main at 80", "dark"),
    "docs/pictures/main-light.svg": ("main", "light"),
    "docs/pictures/tree.svg": ("groups", "dark"),
    "docs/pictures/past.svg": ("past", "dark"),
    "docs/pictures/charts.svg": ("charts of a minute", "dark"),
    "docs/pictures/compare.svg": ("compare", "dark"),
    "docs/pictures/classes.svg": ("classes", "dark"),
    "docs/pictures/logs.svg": ("logs", "dark"),
    "docs/pictures/confirm.svg": ("confirm", "dark"),
    "docs/pictures/limits.svg": ("limits, typed", "dark"),
    "docs/pictures/sizes.svg": ("sizes", "dark"),
    "docs/pictures/alerts.svg": ("alerts", "dark"),
}
"""Pictures of the documentation, by path: a scene (`tests/helpers/scenes.py`), and the theme that it is shown in."""
PAGES: dict[str, Callable[[], str]] = {
    "docs/metrics.md": metric_page.markdown,
    "docs/prometheus.md": exposition_page.markdown,
    "docs/engines.md": engine_page.markdown,
    "docs/reference/commands.md": command_page.markdown,
    "docs/reference/exit-codes.md": exit_code_page.markdown,
    "docs/reference/keys.md": key_page.markdown,
    "docs/reference/schemas.md": schema_page.markdown,
    "docs/reference/settings.md": settings_page.markdown,
    "docs/alerts.md": lambda: alert_page.with_rules((_TOP / "docs" / "alerts.md").read_text(encoding="utf-8")),
    "docs/config.schema.json": lambda: config_schema(),
}
"""Files that are generated, whole or their tables, by path, and what returns their text."""
_FONT_FACE = re.compile(r"@font-face\s*{.*?}\s*", re.DOTALL)
"""A picture in a README must not fetch fonts from elsewhere."""
_FIRST = (
    "look", "filter", "sort_menu", "stopped", "tree", "why", "sources", "mark", "act", "logs", "shell", "inspect",
    "compare", "rewind", "snapshot", "record", "help", "quit",
)  # fmt: skip
"""Names of the actions whose keys the README lists, in this order."""


async def picture(name: str, theme: str) -> str:
    """Run made-up workloads for a minute and a half, act out a scene, and return the screen as SVG."""
    options = ScreenOptions(is_demo=True, theme=theme)
    past = {"wall": time.time() - SECONDS} if name == "past" else {}  # it says how long ago that was
    async with staged(SCENES[name], options, ticks=SECONDS, **past) as stage:
        return _FONT_FACE.sub("", stage.app.export_screenshot(title="vmtop demo"))


async def draw(top: Path) -> None:
    """Write all pictures."""
    for path, (name, theme) in PICTURES.items():
        (top / path).parent.mkdir(exist_ok=True)
        (top / path).write_text(await picture(name, theme), encoding="utf-8")


def key_tables() -> dict[str, list[Key]]:
    """Return the keys that the table on each page lists, by the page's path."""
    live = TABLES[LIVE]
    return {
        "README.md": [key for name in _FIRST for key in live if key.name == name],
        "docs/screen.md": list(live),
        "docs/alerts.md": [
            key for key in TABLES[ALERTS] if key.name in ("open_alert", "acknowledge", "silence", "copy")
        ],
        "docs/sessions.md": [key for key in TABLES[REPLAY] if key.group == TIME],
    }


def with_keys(page: str, keys: list[Key]) -> str:
    """Return a page with the rows of its table of keys replaced."""
    rows = "".join(f"| `{key_names(key.keys)}` | {key.help} |\n" for key in keys)
    return re.sub(r"(\| key \| does \|\n\|---\|---\|\n)(?:\|.*\n)*", lambda table: table[1] + rows, page)


def config_schema() -> str:
    """Return the JSON schema of the configuration."""
    return json.dumps(schema(option_tables(vmtop)), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for page, keys in key_tables().items():
        (_TOP / page).write_text(with_keys((_TOP / page).read_text(), keys))
    for path, text in PAGES.items():
        (_TOP / path).write_text(text(), encoding="utf-8")
    asyncio.run(draw(_TOP))
