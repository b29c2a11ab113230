"""The fleet view on real engines: who is shown, their values, their past, and hosts that are away."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, Frame, Kind, WorkloadId
from collectors.prometheus.access import FleetAccess
from collectors.prometheus.server import Server
from collectors.sampling.sampler import Sampler
from collectors.session.playback import Playback
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.metric_engines import ENGINES, MetricEngine, metric_engine
from tests.helpers.pty_terminal import Terminal
from tests.helpers.served_hosts import ServedHost, served_hosts

pytestmark = pytest.mark.lab
NAMES = ("hv01", "hv02", "hv03")
_WORKLOADS = 20
_SCRAPES = 12
"""After so many there is a past to look at."""


class Scraped(NamedTuple):
    """An engine with three hosts, two of which have the same names and ids."""

    engine: MetricEngine
    hosts: dict[str, tuple[ServedHost, str]]

    def access(self, most: int = 200) -> FleetAccess:
        return FleetAccess(Server(self.engine.url), most)


@pytest.fixture(scope="module", params=ENGINES)
def scraped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scraped]:
    folder = tmp_path_factory.mktemp("fleet")
    with served_hosts(NAMES, _WORKLOADS, seeds=(1, 1, 2)) as hosts, skip_or_fail():
        targets = {f"{name}:9922": address for name, (_, address) in hosts.items()}
        with metric_engine(request.param, folder / "engine", targets) as engine:
            engine.daemon.wait_until(
                lambda: all(len(host.frames) >= _SCRAPES for host, _ in hosts.values()), 60, "scrapes"
            )
            yield Scraped(engine, hosts)


def _watch(access: FleetAccess, until: Callable[[Moment], bool], patience_s: float = 120) -> Moment:
    """Sample until a moment is as it should be, and return it."""
    sampler, deriver = Sampler(access.specs(), access.load, 1.0), Deriver()
    moments: list[Moment] = []
    sampler.on_frame(lambda frame: moments.append(deriver.feed(frame)))
    sampler.start()
    try:
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            for moment in moments[-1:]:
                if until(moment):
                    return moment
            time.sleep(0.1)
    finally:
        sampler.stop()
    raise AssertionError(f"not within {patience_s} s: {moments[-1].sources if moments else 'no frame'}")


def _has_rates(moment: Moment) -> bool:
    values = [reading.value("cpu_percent") for reading in moment.readings.values()]
    return len(values) > 3 * _WORKLOADS / 2 and sum(value is not None for value in values) > 3 * _WORKLOADS / 2


def _of_host(moment: Moment, host: str) -> dict[tuple[str, str], WorkloadId]:
    return {(one.engine, one.id): one for one in moment.readings if one.host == host and one.engine != "host"}


def test_equal_workloads_of_several_hosts_stand_side_by_side_with_their_own_values(scraped: Scraped) -> None:
    moment = _watch(scraped.access(), _has_rates)
    first, second = _of_host(moment, "hv01"), _of_host(moment, "hv02")
    shared = first.keys() & second.keys()  # scraped one after the other: one may have ended in between
    assert len(shared) >= _WORKLOADS * 0.8
    for host in NAMES:
        for identity in _of_host(moment, host).values():
            _check_counters(moment, identity, scraped.hosts[host][0].frames)


def _check_counters(moment: Moment, identity: WorkloadId, served: Sequence[Frame]) -> None:
    """Check that a workload's newest CPU time is one that was served, in microseconds."""
    shown = moment.readings[identity].gauge("cpu_total_ns")
    times = {
        sample.cpu_total_ns // 1000
        for frame in served
        for workload, samples in frame.samples.items()
        for sample in samples
        if workload.engine == identity.engine
        and workload.id.startswith(identity.id)
        and sample.cpu_total_ns is not None
    }
    assert shown is None or any(abs(round(shown) // 1000 - one) <= 1 for one in times), identity


def test_the_fleets_ledger_is_the_sum_of_the_hosts_own(scraped: Scraped) -> None:
    moment = _watch(scraped.access(), _has_rates)
    whole = moment.ledger.cpu_cores
    assert whole is not None
    parts = [moment.hosts[name].ledger.cpu_cores for name in NAMES]
    assert whole.host == pytest.approx(sum(part.host for part in parts if part is not None))
    assert whole.capacity == 3 * 32
    assert None not in parts


def test_those_that_use_most_are_shown_and_the_ledger_has_all(scraped: Scraped) -> None:
    few = _watch(scraped.access(10), lambda moment: moment.ledger.cpu_cores is not None and bool(moment.readings))
    shown = [one for one in few.readings if one.engine != "host"]
    assert len(shown) == 10
    (state,) = [state for state in few.sources if state.name.startswith("127.0.0.1")]
    assert re.match(r"10 of \d\d shown", state.reason)
    everyone = _watch(scraped.access(), _has_rates)
    sizes = [moment.ledger.memory_bytes for moment in (few, everyone)]
    assert sizes[0] is not None
    assert sizes[1] is not None
    assert sizes[0].container == pytest.approx(sizes[1].container, rel=0.2)


def test_who_is_searched_for_is_found_among_those_that_use_little(scraped: Scraped) -> None:
    access = scraped.access(10)
    idle = _watch(scraped.access(), _has_rates)
    quiet = min(
        (one for one in idle.readings.values() if one.workload.kind is Kind.SERVICE),
        key=lambda one: one.value("memory_host_bytes") or 0.0,
    )
    _watch(access, lambda moment: bool(moment.readings))
    assert access.search(f"name={quiet.workload.name} kind=service")
    found = access.recent()[-1]
    assert {one.name for one in found.workloads.values() if one.kind is not Kind.HOST} == {quiet.workload.name}
    assert {one.id.host for one in found.workloads.values() if one.kind is not Kind.HOST} >= {quiet.workload.id.host}


def test_a_chart_of_one_workload_has_its_past(scraped: Scraped) -> None:
    access = scraped.access()
    access.discover()
    host = scraped.hosts["hv02"][0]
    running = next(one for one in host.frames[-1].workloads.values() if one.kind is Kind.VM)
    identity = WorkloadId(running.id.engine, running.short_id, "hv02")
    now = time.time()
    frames = list(access.frames_of(identity, now - 10, now))
    deriver = Deriver()
    values = [_cpu(deriver.feed(frame), identity) for frame in frames]
    assert sum(value is not None for value in values) >= 5
    weeks = list(access.frames_of(identity, now - 7 * 86400, now))
    assert weeks[0].interval_s == 1800
    assert len(weeks) == 337
    assert identity in weeks[-1].workloads or len(weeks[-1].workloads) == 0


def _cpu(moment: Moment, identity: WorkloadId) -> float | None:
    return moment.readings[identity].value("cpu_percent") if identity in moment.readings else None


def test_one_steps_back_through_the_fleets_past(scraped: Scraped) -> None:
    access = scraped.access()
    access.discover()
    playback = Playback(access.session())
    try:
        playback.go(playback.total - 2)
        assert playback.moment is not None
        late = playback.moment.frame
        playback.go(playback.number - 3)
        assert playback.moment is not None
        assert playback.moment.frame.wall < late.wall
        assert {one.host for one in playback.moment.readings} == set(NAMES)
        assert all(playback.moment.hosts[name].ledger.cpu_cores is not None for name in NAMES)
    finally:
        playback.session.close()


def test_a_host_that_cannot_be_scraped_any_more_is_said_to_be_stale_and_comes_back(scraped: Scraped) -> None:
    host = scraped.hosts["hv03"][0]
    host.is_up = False
    try:
        away = _watch(scraped.access(), lambda moment: _state(moment.frame, "hv03") is Availability.STALE)
        assert _state(away.frame, "hv01") is Availability.OK
    finally:
        host.is_up = True
    _watch(scraped.access(), lambda moment: _state(moment.frame, "hv03") is Availability.OK)


def _state(frame: Frame, host: str) -> Availability | None:
    return next((state.availability for state in frame.sources if state.name == host and not state.host), None)


def test_the_command_shows_the_fleet_its_charts_and_its_past(scraped: Scraped, tmp_path: Path) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    terminal = Terminal(["vmtop", "fleet", "--prometheus", scraped.engine.url], (120, 40), environment)
    try:
        terminal.wait_for(lambda: "hv03" in terminal.text() and "FLEET" in terminal.text(), 30, "the fleet")
        for keys, words in (("jd", " every "), ("\x1b", "FLEET"), ("T", "PAST"), ("q", "FLEET")):
            terminal.press(keys)
            terminal.wait_for(lambda words=words: words in terminal.text(), 30, words)  # type: ignore[misc]
        terminal.read(1.0)  # a key that comes while one screen gives way to another is not the next one's
        terminal.press("q")
        assert terminal.wait_exit(30) == 0
    finally:
        terminal.close()
