"""Keys that arrive together take effect one after the other, on the screen that each was meant for."""

from __future__ import annotations

from textual import events
from textual.widgets import Input

from collectors.model.workloads import Frame
from tests.app.test_workload_list import Session, session
from tests.helpers.demo_fleet import Fleet, PreparedSampler
from tests.helpers.pilot_wait import until
from tui.controllers.frame_feed import STAGED_FROM, FrameReady, feed
from tui.screens.column_picker import ColumnPicker
from tui.screens.help import HelpScreen

CHARACTERS = {"space": " ", "slash": "/", "question_mark": "?"}


def send(running: Session, *keys: str) -> None:
    """Post keys as the driver does when one read brings them all."""
    for key in keys:
        running.pilot.app.post_message(events.Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))


async def test_keys_for_a_dialogue_do_not_reach_the_table_below() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        cursor = running.screen.view.cursor
        send(running, "c", "down", "down", "space", "down")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, ColumnPicker))
        await running.pilot.pause(0.3)
        assert running.screen.view.marks == set()
        assert running.screen.view.cursor == cursor
        assert "[ ] PROJECT" in running.text(), "the third line of the dialogue was ticked off"


async def test_letters_do_not_overtake_backspace() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        send(running, "slash", "a", "b", "c", "backspace", "backspace", "d", "ctrl+u", "x", "y")
        prompt = running.screen.query_one("#prompt", Input)
        await until(running.pilot, lambda: prompt.value == "xy")


async def test_what_is_typed_after_help_is_searched_there() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        send(running, "question_mark", *"psi")
        await until(running.pilot, lambda: isinstance(running.pilot.app.screen, HelpScreen))
        await until(running.pilot, lambda: "PSI" in running.text() and "Most used" not in running.text())


async def test_a_key_is_taken_up_although_the_end_of_the_one_before_it_was_lost() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        app = running.pilot.app
        vars(app)["_is_busy"] = True
        send(running, "j", "j")
        await until(running.pilot, lambda: running.screen.view.index() == 2)


def redraws_of(running: Session) -> list[bool]:
    """Return a list that notes, whenever the table is made again, whether it follows a workload."""
    noted: list[bool] = []
    redraw = running.screen.redraw

    def note() -> None:
        noted.append(running.screen.view.follow)
        redraw()

    vars(running.screen)["redraw"] = note
    return noted


async def test_a_key_that_arrives_with_a_frame_goes_first_and_one_painting_shows_both() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        redraws, frame = redraws_of(running), running.fleet.frame()
        running.screen.post_message(FrameReady(frame))
        send(running, "F")
        await until(running.pilot, lambda: bool(redraws))
        await running.pilot.pause(0.3)
        assert redraws == [True]
        assert running.screen.shown_moment is not None
        assert running.screen.shown_moment.frame is frame


async def test_a_key_that_does_not_come_to_an_end_does_not_hold_back_the_frames() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        vars(running.pilot.app)["_is_busy"] = True
        redraws = redraws_of(running)
        running.screen.post_message(FrameReady(running.fleet.frame()))
        await until(running.pilot, lambda: redraws == [False])


async def test_a_key_that_comes_while_a_frame_is_derived_goes_before_the_rest_of_it() -> None:
    async with session((80, 24)) as running:
        await running.tick(2)
        follows: list[bool] = []

        def first(frame: Frame) -> None:
            follows.append(running.screen.view.follow)
            send(running, "F")

        def second(frame: Frame) -> None:
            follows.append(running.screen.view.follow)

        await feed(PreparedSampler([Fleet(STAGED_FROM).frame()]), running.screen, (first, second))
        assert follows == [False, True]


async def test_a_frame_of_few_workloads_is_left_to_the_screen_as_a_whole() -> None:
    staged: list[Frame] = []
    async with session((80, 24)) as running:
        frames = [Fleet(count).frame() for count in (STAGED_FROM - 1, STAGED_FROM)]
        for frame in frames:
            await feed(PreparedSampler([frame]), running.screen, (staged.append,))
        assert staged == frames[1:]


async def test_a_frame_is_left_to_the_screen_as_long_as_the_one_before_it_waits() -> None:
    staged: list[Frame] = []
    async with session((80, 24)) as running:
        fleet = Fleet(STAGED_FROM)
        first, second = fleet.frame(), fleet.frame()
        await feed(PreparedSampler([first, second]), running.screen, (staged.append,))
        assert staged == [first]
        await until(running.pilot, lambda: running.screen.shown_moment is not None)
        await until(running.pilot, lambda: running.screen.track.moment is not None)
        assert running.screen.track.moment is not None
        assert running.screen.track.moment.frame is second
