"""Alerts on the screen: counted in the header, at the edges of rows, in a list that sees to them, and in the past."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from collectors.alerts.alert import Alert
from collectors.alerts.built_in import built_in_rules
from collectors.alerts.condition import parse_condition
from collectors.alerts.rule import Level, Rule
from collectors.alerts.watch import AlertWatch
from collectors.analysis.rates import Moment
from collectors.engines.connections import EngineConnections
from collectors.model.workloads import Availability, Frame, SourceState, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.app.test_replay import replaying
from tests.app.test_workload_list import Session, notes
from tests.helpers.demo_fleet import Fleet, QuietSampler, with_announced
from tests.helpers.pilot_wait import told_of, until
from tests.unit.collectors.session.test_session_file import write
from tui.app.live import VmtopApp
from tui.configuration.config import Config
from tui.controllers import alerts as controller_module
from tui.controllers.frame_feed import FrameReady
from tui.controllers.services import Services
from tui.presenters.table.gutter import LEVEL_TONES, edge
from tui.screens.alerts import AlertsScreen
from tui.screens.detail.live import LiveWorkloadScreen
from tui.screens.detail.replay import ReplayWorkloadScreen
from tui.screens.workloads.live import LiveListScreen
from tui.settings.screen_options import ScreenOptions
from tui.widgets.row_view import RowView

NAME = "media-web-1"


def rule(when: str = f"name={NAME}", level: Level = Level.CRITICAL, **options: Any) -> Rule:
    """Return a rule that holds for one container."""
    return Rule("watched", parse_condition(when), None, level, "it is watched", **options)


class Watching(Session):
    """A screen with rules of the test's own, whose announced events come with the next frame."""

    async def tick(self, count: int = 1) -> None:
        for _ in range(count):
            await self.show(self.next_frame())

    def next_frame(self) -> Frame:
        return with_announced(self.fleet.frame(), self.screen.sampler)

    def identity(self, name: str = NAME) -> WorkloadId:
        moment = self.screen.moment
        assert moment is not None
        return next(one.id for one in moment.frame.workloads.values() if one.name == name)

    def row(self, name: str = NAME) -> str:
        """The row of a workload as it is painted; empty if it is not."""
        return next((line for line in self.text().splitlines() if f" {name} " in line), "")

    @property
    def list(self) -> AlertsScreen:
        screen = self.pilot.app.screen
        assert isinstance(screen, AlertsScreen)
        return screen


@asynccontextmanager
async def watching(
    rules: Sequence[Rule] | None = None,
    size: tuple[int, int] = (120, 40),
    options: ScreenOptions | None = None,
    is_simulated: bool = True,
) -> AsyncIterator[Watching]:
    """Run the screen; the built-in rules are off.

    Args:
        rules: The rules; one that holds for a container unless given.
        size: Cells of the terminal.
        options: From the command line.
        is_simulated: Whether the workloads count as made up, so that no program is run.
    """
    off = [Rule(one.name, one.condition, is_on=False) for one in built_in_rules()]
    config = Config(alerts=(*off, *(rules if rules is not None else [rule()])))
    services = Services(EngineConnections([SourceSpec("demo")] if is_simulated else []), config)
    app = VmtopApp(QuietSampler([]), options or ScreenOptions(is_demo=True), services)
    async with app.run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        yield Watching(pilot, Fleet(20))


async def test_an_alert_is_counted_in_the_header_and_at_the_edge_of_its_row() -> None:
    async with watching() as running:
        await running.tick(3)
        assert "▲ 1 alert" in notes(running)
        assert running.row().startswith("▎")
        assert [line[:1] for line in running.text().splitlines()].count("▎") == 1


async def test_a_moment_is_judged_after_it_has_been_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[tuple[str, int]] = []
    redraw, judge = LiveListScreen.redraw, AlertWatch.feed

    def shown(screen: LiveListScreen) -> None:
        redraw(screen)
        if screen.moment is not None:
            done.append(("shown", screen.moment.frame.at_ns))

    def judged(watch: AlertWatch, moment: Moment) -> list[Alert]:
        done.append(("judged", moment.frame.at_ns))
        return judge(watch, moment)

    async with watching() as running:
        monkeypatch.setattr(LiveListScreen, "redraw", shown)
        monkeypatch.setattr(AlertWatch, "feed", judged)
        for _ in range(3):
            frame = running.next_frame()
            await running.show(frame)
            await until(running.pilot, partial(done.count, ("judged", frame.at_ns)))
            assert ("shown", frame.at_ns) in done[: done.index(("judged", frame.at_ns))]


async def test_of_moments_that_come_faster_than_they_are_shown_each_is_judged_in_its_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    judged: list[int] = []
    async with watching() as running:

        def judge(watch: AlertWatch, moment: Moment) -> list[Alert]:
            judged.append(moment.frame.at_ns)
            return []

        monkeypatch.setattr(AlertWatch, "feed", judge)
        frames = [running.next_frame() for _ in range(4)]
        for frame in frames:
            running.screen.take_frame(FrameReady(frame))
        assert judged == [frame.at_ns for frame in frames[:-1]]
        assert running.screen.alerts_now() == []
        assert judged == [frame.at_ns for frame in frames]
        await running.pilot.pause()
        assert judged == [frame.at_ns for frame in frames], "none is judged twice"


async def test_without_an_alert_nothing_is_said() -> None:
    async with watching([]) as running:
        await running.tick(3)
        assert "alert" not in notes(running)
        assert "▎" not in running.text()


async def test_a_folded_group_has_the_edge_of_its_gravest_member_and_an_open_one_has_none() -> None:
    rules = [rule("name~^media-", Level.INFO), Rule("other", parse_condition(f"name={NAME}"), level=Level.WARNING)]
    async with watching(rules) as running:
        await running.tick(3)
        await running.press("t", "g")
        shop = next(line for line in running.screen.view.lines if line.reading is None and "media" in line.label)
        running.screen._go(running.screen.view.lines.index(shop))
        cells = running.table.cells
        assert cells.line(shop, running.table._columns, False)[0].text == " "
        await running.press("enter")
        shop = next(line for line in running.screen.view.lines if line.reading is None and "media" in line.label)
        first = cells.line(shop, running.table._columns, False)[0]
        assert (first.text, first.tone) == ("▎", LEVEL_TONES[Level.WARNING])


async def test_a_marked_row_still_shows_its_alert() -> None:
    async with watching() as running:
        await running.tick(3)
        identity = running.identity()
        running.screen.view.marks.add(identity)
        await running.tick()
        assert running.row().startswith("█")
        running.screen.alerts.acknowledge(running.screen.alerts.watch.active[0])
        await running.tick()
        assert running.row().startswith("▌")


@pytest.mark.parametrize("options", [ScreenOptions(is_demo=True, ascii=True)])
async def test_in_ascii_the_edge_and_the_count_are_ascii(options: ScreenOptions) -> None:
    async with watching(options=options) as running:
        await running.tick(3)
        assert "^ 1 alert" in notes(running)
        assert running.row().startswith("|")
        running.screen.view.marks.add(running.identity())
        await running.tick()
        assert running.row().startswith("#")
        await running.press("B")
        assert running.text().isascii()


def test_by_their_shapes_alone_mark_alert_both_and_neither_are_told_apart() -> None:
    for ascii_only in (False, True):
        shapes = [edge(mark, level, ascii_only)[0] for mark in (False, True) for level in (None, Level.INFO)]
        assert len(set(shapes)) == 4


async def test_without_colours_the_list_still_says_how_grave_each_is() -> None:
    rules = [rule(), Rule("minor", parse_condition(f"name={NAME}"), level=Level.INFO)]
    async with watching(rules, options=ScreenOptions(is_demo=True)) as running:
        await running.tick(3)
        await running.press("B")
        lines = running.text().splitlines()
        assert any(line.startswith(" ▲ ") and " watched " in line for line in lines)
        assert any(line.startswith(" · ") and " minor " in line for line in lines)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (40, 10)])
async def test_the_list_shows_what_is_active_and_what_is_over_at_every_size(size: tuple[int, int]) -> None:
    async with watching(size=size) as running:
        await running.tick(5)
        await running.press("B")
        assert "Active: 1" in running.text()
        assert "Over: 0" in running.text()
        assert all(len(line) <= size[0] for line in running.text().splitlines())
        await running.press("B")
        assert running.pilot.app.screen is running.screen


async def test_with_nothing_wrong_the_list_says_so_and_its_keys_do_nothing() -> None:
    async with watching([]) as running:
        await running.tick(2)
        await running.press("B")
        assert "nothing is wrong by any rule" in running.text()
        await running.press("a", "s", "enter")
        await told_of(running, "only an active alert can be acknowledged")
        await told_of(running, "only an active alert can be silenced")


async def test_one_that_was_seen_is_out_of_the_count_and_off_its_row_and_comes_back() -> None:
    async with watching() as running:
        await running.tick(3)
        await running.press("B", "a")
        assert "; seen" in running.text()
        await running.press("escape")
        await running.tick()
        assert "alert" not in notes(running)
        assert not running.row().startswith("▎")
        await running.press("B", "a", "escape")
        await running.tick()
        assert "▲ 1 alert" in notes(running)


async def test_one_that_is_silenced_is_over_for_an_hour() -> None:
    async with watching() as running:
        await running.tick(3)
        await running.press("B", "s")
        await told_of(running, f"watched: silent about {NAME} for an hour")
        assert "Over: 1" in running.text()
        await running.press("s")
        await told_of(running, "only an active alert can be silenced")
        await running.press("escape")
        for _ in range(5):
            await running.show(running.next_frame())
        assert "alert" not in notes(running)
        running.fleet.wall += controller_module.SILENCE_S
        await running.tick(2)
        assert "▲ 1 alert" in notes(running)


async def test_enter_opens_the_workload_whose_page_shows_the_alert_until_it_is_over() -> None:
    async with watching() as running:
        await running.tick(3)
        await running.press("B", "enter")
        assert isinstance(running.pilot.app.screen, LiveWorkloadScreen)
        await running.tick(2)
        assert running.text().splitlines()[1].startswith(" ▲ watched: it is watched for ")
        running.screen.alerts.silence(running.screen.alerts.watch.active[0], running.fleet.wall)
        await running.tick(2)
        assert "it is watched" not in running.text().splitlines()[1]


async def test_a_source_has_no_page_and_that_is_said() -> None:
    async with watching([Rule("late", parse_condition("source=stale"))]) as running:
        for _ in range(3):
            frame = running.next_frame()
            state = SourceState("docker", Availability.STALE, "", "docker has not responded for 9 s")
            await running.show(replace(frame, sources=(*frame.sources, state)))
        await running.press("B", "enter")
        await told_of(running, "docker has no page of its own here")


async def test_the_cursor_stays_with_its_alert_when_others_come() -> None:
    rules = [
        rule("name~^media-", Level.WARNING),
        Rule("later", parse_condition("cpu >= 0 for 6s"), level=Level.CRITICAL),
    ]
    async with watching(rules) as running:
        await running.tick(4)
        await running.press("B", "j")
        before = running.list.chosen()
        await running.tick(6)
        assert len(running.list._shown) > 10
        assert running.list.chosen() is before
        assert running.list.query_one(RowView).chosen is not None


async def test_the_alert_is_copied_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    copied: list[str] = []
    async with watching() as running:
        monkeypatch.setattr(running.pilot.app, "copy_to_clipboard", copied.append)
        await running.tick(3)
        await running.press("B", "y")
        await until(running.pilot, lambda: copied == [f"{NAME}: it is watched"])


async def test_the_bell_rings_once_and_the_desktop_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rang: list[bool] = []
    written: list[str] = []
    async with watching([rule(has_bell=True, is_shown_on_desktop=True)]) as running:
        monkeypatch.setattr(running.pilot.app, "bell", lambda: rang.append(True))
        monkeypatch.setattr(running.screen.alerts, "_write", written.append)
        await running.tick(6)
        assert rang == [True]
        assert len(written) == 1
        assert f"{NAME}: it is watched" in written[0]


async def test_programs_are_run_for_real_workloads_and_never_for_made_up_ones(tmp_path: Path) -> None:
    for is_simulated in (True, False):
        place = tmp_path / str(is_simulated)
        async with watching([rule(run=("touch", str(place)))], is_simulated=is_simulated) as running:
            await running.tick(3)
            assert running.screen.alerts.watch.active
            if not is_simulated:
                await until(running.pilot, place.exists)
        assert place.exists() != is_simulated


async def test_in_the_past_the_list_is_that_of_the_moment_and_nothing_can_be_done(tmp_path: Path) -> None:
    frames: list[Frame] = []
    async with watching() as running:
        for _ in range(20):
            frames.append(running.next_frame())
            await running.show(frames[-1])
    path = tmp_path / "a.vmtop.gz"
    write(path, frames)
    async with replaying(path) as replay:
        await replay.press("B")
        assert "Active: 0" in replay.text()
        await replay.press("escape", "end")
        await until(replay.pilot, lambda: "▲" in replay.text().splitlines()[-3])  # on the timeline
        assert "▲ 1 alert" in replay.text().splitlines()[1]
        assert any(line.startswith("▎") and f" {NAME} " in line for line in replay.text().splitlines())
        await replay.press("B")
        assert "Active: 1" in replay.text()
        assert NAME in replay.text()
        await replay.press("a", "s")
        assert "Active: 1" in replay.text()
        await replay.press("enter")
        assert isinstance(replay.pilot.app.screen, ReplayWorkloadScreen)
        assert replay.text().splitlines()[1].startswith(" ▲ watched: it is watched for ")
