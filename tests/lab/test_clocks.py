"""Clocks that are set and a host that sleeps: rates, charts, events and recordings do not go by the wall clock."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import msgspec
import pytest

from collectors.analysis.history import CAPACITY
from collectors.analysis.rates import Moment
from collectors.analysis.tracker import MomentTracker
from collectors.model.workloads import Availability, Event, Frame, WorkloadId
from collectors.sampling.source import SourceSpec
from collectors.session.playback import Playback
from collectors.session.reader import Session
from collectors.session.sinks import file_writer
from tests.helpers.churn import strange
from tests.helpers.demo_fleet import Fleet
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.process import wait_until
from tests.helpers.lab.uml import UmlLab
from tests.unit.collectors.engines.docker.test_source import VERSION, engine, response

HOUR = 3600.0
COUNT = 30
CHANGED_AT = 15


def fleet_frames(wall_jump_s: float = 0.0, sleep_s: float = 0.0) -> list[Frame]:
    """Return frames a second apart, in the middle of which the wall clock is set or the host sleeps.

    A fake clock: nobody sets the clock of a machine that others use too.
    """
    fleet = Fleet(12)
    frames = [fleet.frame() for _ in range(COUNT)]
    return [
        frame
        if number < CHANGED_AT
        else msgspec.structs.replace(
            frame, wall=frame.wall + wall_jump_s + sleep_s, boot_ns=frame.boot_ns + int(sleep_s * 1e9)
        )
        for number, frame in enumerate(frames)
    ]


def lived(frames: Sequence[Frame]) -> tuple[MomentTracker, list[Moment]]:
    track = MomentTracker()
    return track, [track.feed(frame) for frame in frames]


def rates(moments: Sequence[Moment]) -> list[dict[WorkloadId, float | None]]:
    return [{identity: one.value("cpu_percent") for identity, one in moment.readings.items()} for moment in moments]


CHANGES = pytest.mark.parametrize(
    ("wall_jump_s", "sleep_s"),
    [(-HOUR, 0.0), (HOUR, 0.0), (-25 * HOUR, 0.0), (25 * HOUR, 0.0), (0.0, 8 * HOUR)],
    ids=["an hour back", "an hour ahead", "a day back", "a day ahead", "asleep for a night"],
)


@CHANGES
def test_rates_are_the_same_whatever_the_wall_clock_does(wall_jump_s: float, sleep_s: float) -> None:
    _, undisturbed = lived(fleet_frames())
    _, disturbed = lived(fleet_frames(wall_jump_s, sleep_s))
    assert rates(disturbed) == rates(undisturbed)
    assert [found for moment in disturbed for found in strange(moment)] == []


@pytest.mark.parametrize("wall_jump_s", [-HOUR, HOUR])
def test_a_clock_that_is_set_neither_stretches_nor_shrinks_the_charts(wall_jump_s: float) -> None:
    track, _ = lived(fleet_frames(wall_jump_s))
    assert track.history.ticks == COUNT
    assert track.history.span_s(COUNT, 1.0) == pytest.approx(COUNT - 1)


def test_a_night_asleep_is_a_gap_in_the_charts_and_counts_in_their_span() -> None:
    track, moments = lived(fleet_frames(sleep_s=60.0))
    identity = next(iter(moments[-1].readings))
    recent = track.history.recent(identity, "memory_host_bytes", COUNT + 60)
    gap = [value != value for value in recent]
    assert gap == [False] * CHANGED_AT + [True] * 60 + [False] * CHANGED_AT
    assert track.history.span_s(COUNT + 60, 1.0) == pytest.approx(COUNT + 59)
    asleep, _ = lived(fleet_frames(sleep_s=8 * HOUR))
    assert asleep.history.ticks <= COUNT + CAPACITY, "a long gap costs no more than the whole past"


@CHANGES
def test_a_recording_across_it_is_whole_and_replays_the_same_rates(
    wall_jump_s: float, sleep_s: float, tmp_path: Path
) -> None:
    frames = fleet_frames(wall_jump_s, sleep_s)
    writer = file_writer(tmp_path / "clocks.vmtop.gz")
    for frame in frames:
        writer.write(frame)
    assert writer.span_s >= 0
    writer.close()
    session = Session([tmp_path / "clocks.vmtop.gz"])
    try:
        read = [frame for _, frame in session.frames()]
        assert [frame.wall for frame in read] == [frame.wall for frame in frames]
        assert rates(lived(read)[1]) == rates(lived(frames)[1])
        playback = Playback(session)
        for frame in frames:
            playback.go(playback.number_at(frame.wall))
            assert playback.moment is not None
            assert abs(playback.moment.frame.wall - frame.wall) < 1.5
            assert strange(playback.moment) == []
    finally:
        session.close()


def event_chunk(number: int, wall: float) -> bytes:
    """Return a piece of the engine's stream of events."""
    told = {"Type": "container", "Action": "start", "Actor": {"ID": f"{number:064x}"}, "timeNano": int(wall * 1e9)}
    line = json.dumps(told).encode() + b"\n"
    return b"%x\r\n%b\r\n" % (len(line), line)


def test_events_of_an_engine_whose_clock_was_set_back_are_told_and_each_once(tmp_path: Path) -> None:
    now = 1_750_000_000.0
    chunks = [event_chunk(number, wall) for number, wall in ((1, now), (2, now - HOUR), (3, now - HOUR + 1))]
    stream = b"".join((b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", *chunks, b"0\r\n\r\n"))

    def answer(path: str) -> bytes:
        if "/events" in path:
            return stream  # it ends, and is opened and told again at the next reading
        return response(VERSION if path == "/version" else b"[]")

    told: list[Event] = []
    with engine(tmp_path, answer) as source:
        source.open(lambda: None)

        def heard(count: int) -> bool:
            told.extend(source.read().events)
            return len(told) >= count

        wait_until(lambda: heard(3), 10, "three events")
        for _ in range(5):
            heard(4)
            time.sleep(0.05)
    assert [int(event.workload.id, 16) for event in told] == [1, 2, 3]


@pytest.mark.uml
def test_inside_a_kernel_of_its_own_whose_clock_is_set_rates_go_on_and_events_are_told(docker_lab: DockerLab) -> None:
    assert "VMTOP_INSIDE_UML" in os.environ, "this sets the clock"
    busy = WorkloadId("docker", docker_lab.run_busy("clock-busy", 0.3))
    specs = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
    watch = Watch(specs, 0.5)
    watch.until_all(Availability.OK, "host", "cgroup", "docker")
    watch.until(lambda moment: moment.readings[busy].value("cpu_percent") is not None, "the first rate")
    found: list[str] = []

    def tells_start_of(name: str, moment: Moment) -> bool:
        host = moment.host.workload.name  # whose /proc/stat counts no idle time in this kernel, and so is no measure
        found.extend(one for one in strange(moment) if not one.startswith(host))
        found.extend(["a rate is missing"] if moment.readings[busy].value("cpu_percent") is None else [])
        return any((event.what, event.name) == ("start", name) for event in moment.events)

    for number, jump_s in enumerate((-HOUR, 2 * HOUR)):
        time.clock_settime(time.CLOCK_REALTIME, time.time() + jump_s)
        name = f"clock-{number}"
        docker_lab.run(name, "sleep 1000")
        watch.until(partial(tells_start_of, name), f"the start of {name}", frames=200)
    watch.stop()
    assert found == []


@pytest.mark.lab
def test_the_same_holds_where_the_clock_of_a_real_kernel_is_set(uml_lab: UmlLab) -> None:
    done = uml_lab.run([sys.executable, "-m", "pytest", "-m", "uml", "-q", "-p", "no:cacheprovider", __file__])
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
