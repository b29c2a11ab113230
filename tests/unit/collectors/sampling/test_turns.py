"""The sources of this host read files in turn; one that hangs holds the others up once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from collectors.model.errors import SourceAbsent
from collectors.sampling.source import SourceReading
from collectors.sampling.turns import Turns
from collectors.sampling.worker import Worker
from tests.unit.collectors.sampling.test_worker import FakeSource, answer, settle

_LONG_S = 20.0


@contextmanager
def held(turns: Turns) -> Iterator[None]:
    """Have another thread hold a turn as long as this lasts."""
    entered, released = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.turn():
            entered.set()
            assert released.wait(_LONG_S)

    holder = threading.Thread(target=hold)
    holder.start()
    assert entered.wait(_LONG_S)
    try:
        yield
    finally:
        released.set()
        holder.join()


def test_no_two_threads_have_a_turn_at_once() -> None:
    turns, inside, most = Turns(_LONG_S), 0, 0

    def read(_: int) -> None:
        nonlocal inside, most
        for _ in range(50):
            with turns.turn():
                inside += 1
                most = max(most, inside)
                threading.Event().wait(0.0001)
                inside -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    assert most == 1


def test_whoever_hangs_in_a_turn_is_waited_for_once_and_the_others_still_take_turns() -> None:
    turns, waits = Turns(0.01), []
    with held(turns):
        with turns.turn():
            waits.append("once")
            assert not turns._lock.locked(), "it goes without a turn"
        with held(turns):  # a new turn, which is not that of the one that hangs
            assert threading.active_count() > 2
        with turns.turn():
            waits.append("not again")
            assert turns._lock.locked(), "it has a turn"
    assert waits == ["once", "not again"]


class Reader(FakeSource):
    """A source of this host's files that notes how many like it read at once."""

    is_near = True
    now = most = 0

    def __init__(self) -> None:
        super().__init__(self._look)

    @staticmethod
    def _look() -> SourceReading:
        Reader.now += 1
        Reader.most = max(Reader.most, Reader.now)
        threading.Event().wait(0.001)
        Reader.now -= 1
        return answer()


def test_workers_that_share_turns_read_one_after_the_other() -> None:
    turns = Turns(_LONG_S)
    workers = [Worker("reader", Reader, turns=turns) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        settle(worker)
    for tick in range(20):
        for worker in workers:
            worker.ask(float("inf"))
        for worker in workers:
            settle(worker)
        assert all(isinstance(worker.source, Reader) and worker.source.reads == tick + 2 for worker in workers)
    for worker in workers:
        worker.stop()
    assert Reader.most == 1


def test_a_source_that_waits_for_a_daemon_does_not_wait_for_a_turn() -> None:
    turns = Turns(_LONG_S)
    with held(turns):
        worker = Worker("far", lambda: FakeSource(lambda: answer("web")), turns=turns)
        worker.start()
        settle(worker)
        assert worker.reading is not None
        worker.stop()


def test_a_daemon_is_connected_to_at_once_and_looked_for_in_turn_once_it_was_not_there() -> None:
    turns = Turns(_LONG_S)
    source = Reader()
    looked: list[str] = []

    def look() -> None:
        looked.append("looked")
        if len(looked) == 1:
            raise SourceAbsent("it is not there")

    source.on_open = look
    worker = Worker("near", lambda: source, turns=turns)
    with held(turns):
        worker.start()
        settle(worker)
        assert looked == ["looked"]
        worker.ask(float("inf"))
        worker.wait(time.monotonic() + 0.05)
        assert looked == ["looked"]
    settle(worker)
    assert looked == ["looked", "looked"]
    worker.stop()
