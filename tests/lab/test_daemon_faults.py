"""Daemons that freeze, die and come back: the rest stays live, keys answer, nothing piles up, all recovers by itself.

The engine and the libvirtd are real and of this test's own, with a container and domains that outlive them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors.analysis.rates import Moment
from collectors.engines.docker.source import DockerSource
from collectors.engines.libvirt.source import LibvirtSource
from collectors.model.workloads import Availability, State, WorkloadId
from tests.helpers.frame_watch import Watch, holding, threads_named
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.frail import DAEMONS, Frail, fail_once, frail_lab
from tests.helpers.lab.process import wait_until
from tests.helpers.pty_terminal import Start, Terminal

pytestmark = pytest.mark.lab

LONG_S = 12.0
"""Longer than every time-out: by then a source that is asked less and less often is asked every ten seconds."""
FRESH_NS = 5e9
SLACK = 2
"""Frames that a loaded machine may take longer."""
CYCLES = 9
"""Three of each kind of failure; `make reliability` has many more."""


@pytest.fixture(scope="module")
def frail(lab_root: Path) -> Iterator[Frail]:
    with skip_or_fail(), frail_lab(lab_root / "frail") as lab:
        yield lab


@contextmanager
def watching(frail: Frail, interval_s: float = 1.0) -> Iterator[Watch]:
    watch = Watch(frail.specs, interval_s)
    try:
        watch.until_all(Availability.OK, *DAEMONS)
        yield watch
    finally:
        watch.stop()


def lacking(frail: Frail, moment: Moment) -> list[str]:
    """Return what is not as it should be: the kernel's numbers are of now, and every workload has its row and name."""
    now_ns = moment.frame.at_ns
    names = {reading.workload.name for reading in moment.readings.values()}
    found = sorted({"frail-box", "frail-ended", *frail.names} - names)
    for identity in (frail.box, *frail.guests):
        taken = [pair.current for pair in moment.readings[identity].pairs if pair.current.source == "cgroup"]
        if not taken or now_ns - taken[0].at_ns > FRESH_NS:
            found.append(f"{moment.readings[identity].workload} {taken}")
    return found


@pytest.mark.parametrize(
    ("fault", "end"),
    [(Frail.freeze, Frail.thaw), (Frail.kill, Frail.start), (Frail.remove, Frail.start)],
    ids=["frozen", "killed", "socket removed"],
)
def test_daemons_that_fail_leave_the_rest_live_and_are_back_within_two_intervals(
    frail: Frail, fault: Callable[[Frail], None], end: Callable[[Frail], None]
) -> None:
    with watching(frail) as watch:
        fault(frail)
        failed = time.monotonic()
        try:
            watch.until_all(Availability.STALE, *DAEMONS)
            while time.monotonic() - failed < LONG_S:
                moment = watch.next()
                assert lacking(frail, moment) == []
                assert {state.availability for state in moment.sources if state.name in DAEMONS} == {Availability.STALE}
                assert threads_named("source-docker") == 1, "a second call was made beside one that hangs"
                assert threads_named("source-libvirt") <= 2, (
                    "one that hangs in a guest's monitor, and one to replace it"
                )
        finally:
            end(frail)
        frail.wait_for_answers()
        watch.newest()
        assert watch.until_all(Availability.OK, *DAEMONS, frames=10) <= 2 + SLACK
        assert lacking(frail, watch.next()) == []
    threads = ("source-docker", "docker-events", "source-libvirt", "libvirt-close")
    wait_until(lambda: not any(map(threads_named, threads)), 20, "the threads' end")


def test_one_domain_whose_monitor_hangs_hides_no_other(frail: Frail) -> None:
    stuck, others = frail.guests[0], frail.guests[1:]

    def told_at(moment: Moment, identity: WorkloadId) -> int:
        return max(pair.current.at_ns for pair in moment.readings[identity].pairs if pair.current.source == "libvirt")

    with watching(frail) as watch:
        with frail.stuck_monitor(0):
            began = time.monotonic_ns()
            frames = watch.until(
                lambda moment: all(told_at(moment, one) > began + 4e9 for one in others), "the others' numbers"
            )
            moment = watch.next()
            assert lacking(frail, moment) == []
            assert moment.frame.workloads[stuck].state is State.RUNNING
            assert threads_named("source-libvirt") == 2, "the one that hangs in the monitor, and the one that took over"
            for _ in range(5):
                watch.next()
            assert threads_named("source-libvirt") == 2
        thawed = time.monotonic_ns()
        watch.until(lambda moment: told_at(moment, stuck) > thawed, "the numbers of the domain that hung")
        wait_until(lambda: threads_named("source-libvirt") == 1, 20, "the end of the thread that hung")
    assert frames > 0


def test_repeated_failures_leave_no_thread_and_no_descriptor_behind(
    frail: Frail, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for source in (DockerSource, LibvirtSource):
        monkeypatch.setattr(source, "interval_s", 0.2)
    with watching(frail, 0.2) as watch:
        for _ in range(3):  # what is made once and stays
            fail_once(frail, watch, 0)
        before = holding()
        for number in range(CYCLES):
            fail_once(frail, watch, number)
        wait_until(lambda: is_close(holding(), before), 20, f"as much as the {before} held before, now {holding()}")
        assert lacking(frail, watch.newest()) == []
    assert [record.message for record in caplog.records if record.exc_info] == []


def is_close(now: tuple[int, int], before: tuple[int, int]) -> bool:
    """Whether threads and descriptors are as many as before, give or take a call that is under way."""
    return now[0] <= before[0] + 1 and now[1] <= before[1] + 3


def header(terminal: Terminal) -> str:
    return terminal.line(0) + terminal.line(1)


def row(terminal: Terminal, name: str) -> str:
    return next((line for line in terminal.text().splitlines() if name in line), "")


def is_doubtful(terminal: Terminal, name: str) -> bool:
    """Whether the state of a workload is marked as one that nobody vouches for."""
    return "?" in row(terminal, name).partition("frail")[0]


def answer_key(terminal: Terminal) -> float:
    """Press a key, wait until the screen shows its effect, and return the milliseconds that it took."""
    is_on = "following" in header(terminal)
    began = time.monotonic()
    terminal.press("F")
    terminal.wait_for(lambda: ("following" in header(terminal)) is not is_on, 20, "the key's effect")
    return (time.monotonic() - began) * 1e3


def test_on_the_screen_keys_answer_old_rows_are_marked_with_their_age_and_q_ends_it_while_all_daemons_are_frozen(
    frail: Frail, start: Start, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    terminal = start(
        *("--docker", frail.engine.url, "--libvirt", frail.libvirt.uri, "--filter", "name~^frail"),
        size=(140, 40),
        environment={"XDG_STATE_HOME": str(tmp_path)},
    )
    terminal.wait_for(lambda: are_well(terminal), 60, "both daemons")
    terminal.press("a")
    terminal.wait_for(lambda: bool(row(terminal, "frail-ended")), 20, "the stopped container")
    for fault, end in ((Frail.kill, Frail.start), (Frail.freeze, Frail.thaw)):
        fault(frail)
        try:
            terminal.wait_for(lambda: are_stale(terminal), 60, "both daemons as stale")
            terminal.wait_for(
                lambda: is_doubtful(terminal, "frail-ended"), 20, "doubt: only the engine can tell its end"
            )
            assert not is_doubtful(terminal, "frail-box"), "its numbers are the kernel's"
            record_property(f"key_ms_{fault.__name__}", [round(answer_key(terminal)) for _ in range(5)])
        finally:
            end(frail)
        terminal.wait_for(lambda: are_well(terminal), 60, "both daemons again")
        terminal.wait_for(lambda: not is_doubtful(terminal, "frail-ended"), 20, "the end as the engine tells it")
    frail.freeze()
    try:
        terminal.wait_for(lambda: are_stale(terminal), 60, "both daemons as stale")
        terminal.press("q")
        assert terminal.wait_exit(20) == 0
    finally:
        frail.thaw()
    assert b"Traceback" not in terminal.received
    assert "Traceback" not in (tmp_path / "vmtop" / "vmtop.log").read_text()


def are_well(terminal: Terminal) -> bool:
    """Whether the header names no daemon that does not answer."""
    return " vmtop " in header(terminal) and not any(daemon in header(terminal) for daemon in DAEMONS)


def are_stale(terminal: Terminal) -> bool:
    """Whether the header has the age of one daemon's last answer, and counts the other."""
    return re.search(r"(docker|libvirt) ✗\d+\w+ \+1", header(terminal)) is not None
