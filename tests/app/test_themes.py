"""Themes on the screen: switching, the cursor and marks on any row, alarms where there are few colours."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.segment import Segment

from collectors.model.workloads import WorkloadId
from tests.helpers.contrast_meter import SCHEMES, shown
from tests.helpers.pilot_wait import until
from tests.helpers.scenes import SCENES, Scene, Stage, on_tone, pressing, staged
from tui.settings.screen_options import ScreenOptions
from tui.themes.choice import ThemeError
from tui.themes.contrast import contrast
from tui.themes.palette import PALETTES
from tui.themes.terminal_colors import Depth
from tui.widgets.workload_table import WorkloadTable


def cursor_row(stage: Stage) -> list[Segment]:
    """What the terminal gets of the row under the cursor, without the scrollbar."""
    assert stage.screen.view.cursor is not None
    return row_of(stage, stage.screen.view.cursor)


def row_of(stage: Stage, identity: WorkloadId) -> list[Segment]:
    """What the terminal gets of a workload's row, without the scrollbar."""
    table = stage.screen.query_one(WorkloadTable)
    lines = ((y, table._line(table._index_at(y))) for y in range(1, table.region.height))
    y = next(y for y, line in lines if line is not None and line.id == identity)
    strip = stage.app.screen._compositor.render_strips()[table.region.y + y]
    return list(strip.crop(0, table.region.width - 2))


def grounds(row: list[Segment]) -> set[tuple[int, ...]]:
    return {tuple(style.bgcolor.get_truecolor()) for _, style, _ in row if style and style.bgcolor}


@pytest.mark.parametrize("theme", PALETTES)
async def test_every_row_shows_the_cursor_groups_and_marked_ones_too(theme: str) -> None:
    for name in ("groups", "alarm, marked"):
        async with staged(SCENES[name], ScreenOptions(is_demo=True, theme=theme)) as stage:
            assert grounds(cursor_row(stage)) == {PALETTES[theme].colors["cursor"]}, name


async def test_a_marked_row_has_a_ground_of_its_own() -> None:
    async with staged(Scene(pressing("space", "j"))) as stage:
        await stage.press("k", "k")
        marked = next(iter(stage.screen.view.marks))
        stage.screen.view.marks.add(marked)
        await stage.press("j", "j", "j")
        assert grounds(row_of(stage, marked)) == {PALETTES["dark"].colors["marked"]}


@pytest.mark.parametrize("theme", PALETTES)
async def test_under_the_cursor_an_alarm_is_bold_in_its_colour_and_legible(theme: str) -> None:
    async with staged(Scene(on_tone("bad")), ScreenOptions(is_demo=True, theme=theme)) as stage:
        alarms = [
            (text, style)
            for text, style, _ in cursor_row(stage)
            if style and style.color and tuple(style.color.get_truecolor()) == PALETTES[theme].colors["bad"]
        ]
        assert alarms
        for _, style in alarms:
            assert style.bold
            assert contrast(*shown(style, SCHEMES["xterm"])) >= 4.5


@pytest.mark.parametrize("depth", [Depth.FEW, Depth.NONE])
async def test_where_the_cursor_takes_the_colours_a_sign_stands_before_alarming_numbers(depth: Depth) -> None:
    async with staged(Scene(on_tone("bad"))) as stage:
        line = stage.screen.view.current()
        assert line is not None
        table = stage.screen.query_one(WorkloadTable)
        cells = table.cells.line(line, table._columns, False)
        numbers = [cell.text.strip() for cell in cells if cell.tone == "bad" and cell.text.strip()[:1].isdigit()]
        before = "".join(text for text, _, _ in cursor_row(stage))
        stage.app.depth = depth
        stage.app.choose_theme("dark")
        await stage.pilot.pause()
        after = "".join(text for text, _, _ in cursor_row(stage))
        assert [number for number in numbers if f"!{number}" not in after] == []
        assert re.sub("!(?=[0-9])", " ", after) == before, "no column moves"


async def test_a_theme_is_shown_at_once_and_a_mistake_changes_nothing(tmp_path: Path) -> None:
    async with staged(SCENES["main"]) as stage:
        for theme in ("light", "contrast", "dark", "auto"):
            stage.app.choose_theme(theme)
            await stage.pilot.pause()
            palette = PALETTES["dark" if theme == "auto" else theme]
            assert {palette.colors[role] for role in ("background", "panel", "cursor")} <= {
                ground for strip in stage.app.screen._compositor.render_strips() for ground in grounds(list(strip))
            }
        with pytest.raises(ThemeError):
            stage.app.choose_theme("nosuch")
        assert (stage.app.theme_choice, stage.app.theme) == ("auto", "vmtop-dark")


async def test_a_theme_whose_file_is_gone_is_auto() -> None:
    async with staged(SCENES["main at 80"], ScreenOptions(is_demo=True, theme="gone")) as stage:
        assert (stage.app.theme_choice, stage.app.theme) == ("auto", "vmtop-dark")


async def test_a_theme_of_the_users_own_is_shown_and_is_in_the_palette(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = tmp_path / "vmtop" / "themes"
    folder.mkdir(parents=True)
    (folder / "plum.toml").write_text('background = "#221122"\n')
    async with staged(SCENES["main"]) as stage:
        stage.app.search_themes()
        await until(stage.pilot, lambda: "theme plum" in stage.text())
        offered = re.findall(r"theme (\S+) +use", stage.text())
        assert offered == ["auto", "dark", "light", "contrast", "plum"], "and none of Textual's"
        await stage.press("p", "l", "u", "m", "enter")
        await until(stage.pilot, lambda: stage.app.theme == "vmtop-plum")
        strips = stage.app.screen._compositor.render_strips()
        assert (0x22, 0x11, 0x22) in {ground for strip in strips for ground in grounds(list(strip))}
