"""The list of sizes: read from the session with progress, why for each, and Enter types them into the limits."""

from __future__ import annotations

from textual.widgets import Input

from tests.helpers.pilot_wait import until
from tests.helpers.scenes import MIDDLE, Scene, Stage, pressing, staged
from tui.dialogs.limits_form import LimitsForm
from tui.presenters.comparison.sizes import settings_of
from tui.screens.detail.live import LiveWorkloadScreen
from tui.screens.sizes import SizesScreen
from tui.screens.workloads.past import PastScreen

SIZES = Scene(pressing("X"), MIDDLE)


async def listed(stage: Stage) -> SizesScreen:
    """Return the screen once it has read the session."""
    screen = stage.app.screen
    assert isinstance(screen, SizesScreen)
    await until(stage.pilot, lambda: screen.chosen() is not None)
    return screen


async def test_each_workload_has_two_lines_and_the_title_says_what_all_would_free() -> None:
    async with staged(SIZES) as stage:
        screen = await listed(stage)
        chosen = screen.chosen()
        assert chosen is not None
        text = stage.text()
        assert "all changes" in text
        assert f" {chosen.workload.name}" in text
        assert "95th percentile + 30 %" in text
        assert "weak evidence: seen for" in text


async def test_enter_types_what_would_fit_into_the_limits() -> None:
    async with staged(SIZES) as stage:
        screen = await listed(stage)
        chosen = screen.chosen()
        assert chosen is not None
        wanted = {name: value for name, value in settings_of(chosen).items() if name in ("cpu", "memory")}
        await stage.press("enter")
        await until(
            stage.pilot, lambda: isinstance(stage.app.screen, LimitsForm) and bool(stage.app.screen.query(Input))
        )
        typed = {str(field.name): field.value for field in stage.app.screen.query(Input) if field.value}
        assert typed == wanted
        await stage.press("escape")
        assert stage.app.screen is screen


async def test_it_opens_the_workload_and_leads_back() -> None:
    async with staged(SIZES) as stage:
        await listed(stage)
        await stage.press("j", "o")
        await until(stage.pilot, lambda: isinstance(stage.app.screen, LiveWorkloadScreen))
        await stage.press("escape", "X")
        await until(stage.pilot, lambda: stage.app.screen is stage.screen)


async def test_at_a_past_moment_nothing_can_be_set() -> None:
    async with staged(Scene(pressing("T"), MIDDLE)) as stage:
        await until(stage.pilot, lambda: isinstance(stage.app.screen, PastScreen))
        await stage.press("X")
        screen = await listed(stage)
        assert "set" not in stage.text().splitlines()[-1]
        await stage.press("enter")
        assert stage.app.screen is screen
