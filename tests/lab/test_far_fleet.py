"""Several real hosts in one table: equal names stay apart, one goes and comes back, clocks differ, all is replayed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from collectors.analysis.rates import Deriver, Moment
from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import load_source, specs_of
from collectors.model.workloads import Availability, Frame, SourceState, WorkloadId
from collectors.session.reader import Session
from collectors.session.sinks import file_writer
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.far_kernel import add_kernel
from tests.helpers.lab.fixtures import skip_or_fail

pytestmark = pytest.mark.lab
NAMES = ("hv01", "hv02", "hv04")
AHEAD_S = 7200


@pytest.fixture(scope="module")
def fleet(far_lab: FarHosts) -> Iterator[FarHosts]:
    """Three hosts with a container `web` on each, busy on the first; the third's clock is two hours ahead."""
    with skip_or_fail():
        add_kernel(far_lab, "hv04", AHEAD_S).wait_ready()
    far_lab.hosts["hv01"].run("web", "while :; do :; done", "--cpus", "0.2")
    for name in NAMES[1:]:
        far_lab.hosts[name].run("web")
    with far_lab.as_client():
        yield far_lab
    far_lab.remove("hv04")
    for name in NAMES[:2]:
        far_lab.hosts[name].inside("docker", "rm", "-f", "web")


@pytest.fixture(scope="module")
def watch(fleet: FarHosts) -> Iterator[Watch]:
    """The three hosts, watched until all of them answer."""
    watching = Watch(specs_of([HostSpec(name, name) for name in NAMES]), 1.0, load_source)
    try:
        watching.until_all(Availability.OK, *NAMES)
        yield watching
    finally:
        watching.stop()


def webs(moment: Moment) -> dict[str, WorkloadId]:
    """Return the ids of the containers called `web`, by host."""
    return {one.host: one for one, reading in moment.readings.items() if reading.workload.name == "web"}


def test_equal_names_on_three_hosts_are_three_workloads_with_their_own_values(watch: Watch) -> None:
    def is_measured(moment: Moment) -> bool:
        found = webs(moment)
        return len(found) == 3 and all(moment.readings[one].value("cpu_percent") is not None for one in found.values())

    watch.until(is_measured, "a rate of each")
    moment = watch.next()
    shown = {host: moment.readings[one].value("cpu_percent") for host, one in webs(moment).items()}
    assert shown["hv01"] == pytest.approx(20, abs=12)
    assert shown["hv02"] == pytest.approx(0, abs=2)
    assert shown["hv04"] == pytest.approx(0, abs=2)


def test_a_clock_that_is_ahead_is_cancelled_and_said(fleet: FarHosts, watch: Watch) -> None:
    moment = watch.newest()
    ahead_s = float(fleet.ssh("hv04", "date", "+%s").stdout) - time.time()
    assert ahead_s == pytest.approx(AHEAD_S, abs=60)
    assert moment.frame.hosts["hv04"].clock_ahead_s == pytest.approx(ahead_s, abs=5)
    assert moment.frame.hosts["hv01"].clock_ahead_s == pytest.approx(0, abs=1)
    started = moment.readings[webs(moment)["hv04"]].workload.started_at
    assert started is not None
    assert time.time() - 300 < started < time.time() + 2


def test_events_of_a_host_ahead_have_the_time_of_this_one(fleet: FarHosts, watch: Watch) -> None:
    watch.newest()
    fleet.hosts["hv04"].inside("docker", "kill", "web")
    told: list[float] = []

    def hears(moment: Moment) -> bool:
        told.extend(event.wall for event in moment.events if (event.what, event.workload.host) == ("die", "hv04"))
        return bool(told)

    watch.until(hears, "the end of web")
    assert abs(told[0] - time.time()) < 60


def test_a_host_without_power_is_stale_and_comes_back_by_itself_and_replays_as_it_was_lived(
    fleet: FarHosts, watch: Watch, tmp_path: Path
) -> None:
    lived: list[Frame] = []
    watch.newest()
    watch.sampler.on_frame(lived.append)
    host = fleet.hosts["hv01"]  # hv02 is the jump host of another one
    host.kill()
    began = time.monotonic()
    watch.until(lambda moment: state(moment.frame, "hv01") is not Availability.OK, "hv01 not being fresh")
    assert time.monotonic() - began < 15, "three seconds, and what a busy machine adds"
    watch.until_all(Availability.OK, "hv02", "hv04")
    host.start()
    host.wait_ready()
    host.inside("docker", "start", "web")
    watch.until_all(Availability.OK, *NAMES, frames=90)
    watch.until(lambda moment: "hv01" in webs(moment), "web on hv01 again", frames=30)
    frames = list(lived)
    assert {state(frame, "hv01") for frame in frames} > {Availability.OK}
    assert_same(frames, replayed(frames, tmp_path / "fleet.vmtop.gz"))


def replayed(frames: Sequence[Frame], path: Path) -> list[Frame]:
    """Record frames, and return what the recording has."""
    writer = file_writer(path)
    for frame in frames:
        writer.write(frame)
    writer.close()
    session = Session([path])
    try:
        return [frame for _, frame in session.frames()]
    finally:
        session.close()


def assert_same(lived: Sequence[Frame], read: Sequence[Frame]) -> None:
    """Compare hosts, states, counters and rates, frame by frame."""
    assert len(read) == len(lived)
    first, second = Deriver(), Deriver()
    for before, after in zip(lived, read, strict=True):
        assert after.hosts == before.hosts
        assert after.samples == before.samples
        assert {one.id: one.state for one in after.workloads.values()} == {
            one.id: one.state for one in before.workloads.values()
        }
        assert list(map(_of_source, after.sources)) == list(map(_of_source, before.sources))
        assert _rates(second.feed(after)) == _rates(first.feed(before))


def _of_source(state: SourceState) -> tuple[str, str, Availability]:
    return state.name, state.host, state.availability


def _rates(moment: Moment) -> dict[WorkloadId, float | None]:
    return {one: reading.value("cpu_percent") for one, reading in moment.readings.items()}


def state(frame: Frame, name: str) -> Availability:
    """Return how the connection to a host is doing."""
    return next(one.availability for one in frame.sources if one.name == name and not one.host)
