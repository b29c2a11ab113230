"""Frames of other hosts under those hosts' names: nothing of two hosts mixes, and each has its own ledger."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.analysis.rates import Deriver
from collectors.fleet.labelled import HostLabels
from collectors.model.workloads import Event, Frame, HostFacts, Kind, WorkloadId
from collectors.sampling.merge import join, mark_unlisted
from collectors.sampling.source import SourceReading
from collectors.session.decode import Decoder
from collectors.session.encode import Encoder
from tests.helpers.strategies import HOST, NS, frame, workload

WEB = workload("web", cgroup="/docker/web", started_at=1_699_999_000.0)
SIDECAR = workload("sidecar", parent=WEB.id)


def of_host(at_s: float, cpu_s: float) -> Frame:
    """Make a frame of a host whose container `web` has used some seconds of CPU."""
    made = frame(at_s, {WEB: {"cpu_total_ns": int(cpu_s * NS)}, SIDECAR: {}}, {"cpu_total_ns": int(2 * cpu_s * NS)})
    return replace(made, cpus=4, memory_bytes=8 << 30)


def fleet(local: Frame, readings: list[SourceReading]) -> Frame:
    """Join a local frame and readings of other hosts, as the sampler does."""
    own = SourceReading(local.workloads, local.samples)
    joined = join([(True, own), *((False, reading) for reading in readings)])
    hosts = {name: facts for reading in readings for name, facts in reading.hosts.items()}
    return replace(local, workloads=joined.workloads, samples=joined.samples, hosts=hosts)


def test_equal_ids_of_three_hosts_are_three_workloads_with_their_own_rates() -> None:
    labels, deriver = [HostLabels("hv01"), HostLabels("hv02")], Deriver()
    for at_s, used in ((10, (1.0, 2.0, 3.0)), (11, (1.25, 2.5, 3.75))):
        there = [one.reading(of_host(at_s, cpu)) for one, cpu in zip(labels, used[1:], strict=True)]
        moment = deriver.feed(fleet(of_host(at_s, used[0]), there))
    of = {
        host: moment.readings[WorkloadId("docker", "web", host)].value("cpu_percent") for host in ("", "hv01", "hv02")
    }
    assert of == {"": 25.0, "hv01": 50.0, "hv02": 75.0}


def test_the_ledger_of_several_hosts_is_the_sum_of_their_own() -> None:
    labels, deriver = HostLabels("hv01"), Deriver()
    for at_s, used in ((10, (1.0, 2.0)), (11, (1.25, 2.5))):
        moment = deriver.feed(fleet(of_host(at_s, used[0]), [labels.reading(of_host(at_s, used[1]))]))
    parts = {name: one.ledger.cpu_cores for name, one in moment.hosts.items()}
    assert parts[""] is not None
    assert parts["hv01"] is not None
    assert (parts[""].container, parts[""].rest, parts[""].host) == (0.25, 0.25, 0.5)
    assert (parts["hv01"].container, parts["hv01"].rest, parts["hv01"].host) == (0.5, 0.5, 1.0)
    assert moment.ledger.cpu_cores == (0.0, 0.75, 0.0, 0.75, 1.5, 8)


def test_a_host_that_has_not_answered_has_no_values_and_takes_none_from_the_others() -> None:
    deriver = Deriver()
    for at_s, used in ((10, 1.0), (11, 1.25)):
        moment = deriver.feed(replace(of_host(at_s, used), hosts={"hv01": HostFacts()}))
    assert moment.hosts["hv01"].reading is None
    assert moment.hosts["hv01"].ledger.cpu_cores is None
    assert moment.ledger.cpu_cores == moment.hosts[""].ledger.cpu_cores


def test_the_clocks_of_a_host_are_made_those_of_this_one() -> None:
    event = Event(1_700_007_210.0, WEB.id, "start", name="web")
    made = replace(of_host(10, 1.0), events=(event,))
    reading = HostLabels("hv01", ("prod",)).reading(made, at_offset_ns=-3 * NS, clock_ahead_s=7200.04)
    identity = WorkloadId("docker", "web", "hv01")
    assert reading.workloads[identity].started_at == 1_699_999_000.0 - 7200.04
    assert reading.samples[identity][0].at_ns == 7 * NS
    assert reading.events == (replace(event, workload=identity, wall=1_700_007_210.0 - 7200.04),)
    assert [state.read_at_ns for state in reading.sources] == [7 * NS, None]
    assert {state.host for state in reading.sources} == {"hv01"}
    facts = reading.hosts["hv01"]
    assert (facts.workload, facts.clock_ahead_s, facts.tags) == (WorkloadId(*HOST[:2], "hv01"), 7200.0, ("prod",))
    assert reading.workloads[WorkloadId(*HOST[:2], "hv01")].kind is Kind.HOST
    assert reading.workloads[WorkloadId("docker", "sidecar", "hv01")].parent == identity


def test_what_a_host_watches_elsewhere_is_left_out() -> None:
    far = HostLabels("hv02").reading(of_host(10, 1.0))
    reading = HostLabels("hv01").reading(fleet(of_host(10, 1.0), [far]))
    assert {identity.host for identity in (*reading.workloads, *reading.samples)} == {"hv01"}
    assert list(reading.hosts) == ["hv01"]


def test_another_hosts_workload_is_never_marked_by_this_hosts_engines() -> None:
    there = HostLabels("hv01").reading(of_host(10, 1.0)).workloads
    mark_unlisted(there, frozenset({"docker"}), 1_800_000_000.0)
    assert {one.is_listed for one in there.values()} == {None}


def test_nothing_on_another_host_is_here() -> None:
    there = HostLabels("hv01").reading(of_host(10, 1.0)).workloads
    assert not any(one.is_here for one in there.values())
    assert WEB.is_here


def test_frames_of_one_host_are_written_as_before_and_those_of_several_not_for_older_programs() -> None:
    alone = of_host(10, 1.0)
    both = fleet(of_host(11, 1.0), [HostLabels("hv01").reading(of_host(11, 1.0))])
    encoder, decoder = Encoder("a" * 16, 0, "test"), Decoder()
    versions = []
    for made in (alone, both):
        for line in encoder.lines(made).splitlines():
            decoder.take(line)
            versions += [decoder.meta.version] if line.startswith(b'{"k":"meta"') and decoder.meta else []
    assert versions == [1, 2]
