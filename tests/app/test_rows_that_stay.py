"""Rows that stay although their workload is at rest or missing: while it is acted on."""

from __future__ import annotations

import threading

import msgspec

from collectors.model.workloads import State
from tests.app.test_acting import acting, to_confirm
from tests.helpers.fake_engines import FakeEngine, held_by
from tests.helpers.pilot_wait import until


async def test_marked_rows_of_a_filter_stay_while_they_are_restarted_whatever_the_engine_lists() -> None:
    engine, release = FakeEngine(), threading.Event()
    engine.on_perform = held_by(release)
    async with acting(engine) as session:
        await session.press("slash", *"media-", "enter", "asterisk")
        shown = [line.id for line in session.screen.view.lines]
        assert len(shown) >= 3
        await to_confirm(session, "r")
        await session.press("right", "enter")
        await until(session.pilot, lambda: len(session.screen.acting()) == len(shown))
        for second in range(8):
            frame = session.fleet.frame()
            for identity in shown[:2]:
                frame.workloads[identity] = msgspec.structs.replace(frame.workloads[identity], state=State.STOPPED)
                frame.samples.pop(identity, None)
            if second in (3, 4):
                del frame.workloads[shown[2]], frame.samples[shown[2]]
            await session.show(frame)
            assert "Nothing matches" not in session.text()
            assert {line.id for line in session.screen.view.lines} == set(shown)
            assert "restarting" in session.text()
        release.set()
        await until(session.pilot, lambda: not session.screen.acting())
        await session.tick()
        assert {line.id for line in session.screen.view.lines} == set(shown)
        assert session.screen.view.marks == set(shown)
