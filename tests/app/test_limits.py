"""The form of limits: what is typed is planned, set at once, seen, and taken back with one key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.widgets import Input

from collectors.model.limits import LimitKey
from collectors.model.workloads import Kind
from tests.helpers.fake_limits import FakeLimits
from tests.helpers.pilot_wait import until
from tests.helpers.scene_engine import SceneAccess
from tests.helpers.scenes import SMALL, Scene, Stage, on_kind, staged
from tui.dialogs.limits_form import LimitsForm


def is_read(stage: Stage) -> bool:
    """Return whether the form is open and has its limits."""
    return isinstance(stage.app.screen, LimitsForm) and bool(stage.app.screen.query(Input))


def _inside(line: str) -> str:
    """Return what is inside the frame of the form."""
    return line.partition("│")[2].rpartition("│")[0]


@asynccontextmanager
async def form(*keys: str, size: tuple[int, int] = SMALL) -> AsyncIterator[tuple[Stage, FakeLimits]]:
    """Open the form of a container, and press keys once its limits are there."""
    async with staged(Scene(on_kind(Kind.CONTAINER, "x", "m"), size)) as stage:
        await until(stage.pilot, lambda: is_read(stage))
        await stage.press(*keys)
        moment = stage.screen.moment
        assert moment is not None
        access = stage.app.services.connections.of(next(iter(moment.readings.values())).workload)
        assert isinstance(access, SceneAccess)
        yield stage, access.limits_of_all


async def shows(stage: Stage, words: str) -> None:
    await until(stage.pilot, lambda: words in stage.text())


async def test_it_shows_what_is_there_and_what_is_used() -> None:
    async with form() as (stage, _):
        await shows(stage, "512MiB")
        await shows(stage, "Type what is to be new")
        for row in ("memory", "cpu", "pids"):
            assert any(line.strip(" │").startswith(row) for line in map(_inside, stage.text().splitlines()))


async def test_what_is_typed_is_planned_with_its_command_and_set_on_enter() -> None:
    async with form("down", "2") as (stage, limits):
        await shows(stage, "cpu=2 (was none)")
        await shows(stage, "$ fake cpu 2")
        await shows(stage, "It lasts until it ends.")
        assert not limits.sent
        await stage.press("enter")
        await shows(stage, "cpu is 2, was none")
        assert limits.sent == [(LimitKey.CPU, 2.0)]
        await shows(stage, "u takes it back")


async def test_one_key_takes_it_back_once() -> None:
    async with form("down", "2", "enter") as (stage, limits):
        await shows(stage, "cpu is 2, was none")
        await stage.press("u")
        await shows(stage, "cpu is none, was 2")
        await stage.press("u", "u")
        assert limits.sent == [(LimitKey.CPU, 2.0), (LimitKey.CPU, None)]


async def test_a_value_below_what_is_used_is_set_at_the_second_enter_only() -> None:
    async with form("5", "M") as (stage, limits):
        await shows(stage, "It uses")
        await stage.press("enter")
        await shows(stage, "Enter again sets it all the same")
        assert not limits.sent
        await stage.press("enter")
        await shows(stage, "memory is 5MiB")
        assert limits.sent == [(LimitKey.MEMORY, 5 << 20)]


async def test_a_change_after_the_warning_is_warned_of_again() -> None:
    async with form("5", "M", "enter") as (stage, limits):
        await shows(stage, "Enter again")
        await stage.press("backspace", "backspace", "4", "M")
        await shows(stage, "memory=4MiB")
        await stage.press("enter")
        await shows(stage, "Enter again")
        assert not limits.sent


async def test_what_is_no_amount_and_what_the_engine_cannot_are_sentences() -> None:
    async with form("x") as (stage, limits):
        await shows(stage, "write a number of bytes")
        await stage.press("backspace", "down", "down", "1", "3")
        await shows(stage, "13 brings bad luck")
        await stage.press("enter")
        assert not limits.sent


async def test_kept_for_the_next_start_is_refused_before_where_the_engine_cannot() -> None:
    async with form("down", "2") as (stage, limits):
        limits.keeps = "it is started anew each time: change what starts it"
        await stage.press("f2")
        await shows(stage, "it is started anew each time")
        await stage.press("enter")
        assert not limits.sent
        await stage.press("f2")
        await shows(stage, "cpu=2 (was none)")


async def test_locked_actions_leave_it_to_read() -> None:
    async with staged(Scene(on_kind(Kind.CONTAINER, "L", "x", "m"), SMALL)) as stage:
        await until(stage.pilot, lambda: is_read(stage))
        assert all(field.disabled for field in stage.app.screen.query(Input))
        await shows(stage, "actions are locked")


async def test_several_at_a_time_have_no_form() -> None:
    async with staged(Scene(on_kind(Kind.CONTAINER, "space", "space", "x"), SMALL)) as stage:
        await shows(stage, "of one workload at a time")
        assert "Enter sets it" not in stage.text()
        await stage.press("f2")
        assert "for the next start" not in stage.text()


async def test_what_is_there_now_is_read_again_once_it_is_set() -> None:
    async with form("down", "2", "enter") as (stage, _):
        await shows(stage, "cpu is 2, was none")
        await until(stage.pilot, lambda: _now_of(stage, "cpu") == "2")
        await stage.press("u")
        await until(stage.pilot, lambda: _now_of(stage, "cpu") == "none")


async def test_enter_on_what_is_refused_says_that_nothing_was_set() -> None:
    async with form("down", "2", "down", "1", "3") as (stage, limits):
        await shows(stage, "13 brings bad luck")
        await stage.press("enter")
        await shows(stage, "Nothing was set")
        assert not limits.sent


async def test_a_long_plan_shows_what_is_refused_first_and_scrolls() -> None:
    async with form("5", "M", "down", "2", "down", "1", "3", size=(80, 15)) as (stage, _):
        await shows(stage, "13 brings bad luck")
        await until(stage.pilot, lambda: "It lasts until it ends." not in stage.text())
        await stage.press("pagedown", "pagedown")
        await shows(stage, "It lasts until it ends.")
        await stage.press("pageup", "pageup")
        await shows(stage, "13 brings bad luck")


def _now_of(stage: Stage, limit: str) -> str:
    """Return what the form says that a limit is now."""
    words = next(line.split() for line in map(_inside, stage.text().splitlines()) if line.split()[:1] == [limit])
    return words[1]
