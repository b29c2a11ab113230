"""Readings, frames and strategies that several tests share."""

from __future__ import annotations

from hypothesis import strategies as st

from collectors.analysis.rates import Pair, Reading
from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    Kind,
    Sample,
    SourceState,
    State,
    Workload,
    WorkloadId,
)

HOST = WorkloadId("host", "machine")
NS = 1_000_000_000


def workload(name: str = "web", kind: Kind = Kind.CONTAINER, engine: str = "docker", **facts: object) -> Workload:
    """Make a workload whose id is its name."""
    return Workload(WorkloadId(engine, name), kind, name, **{"state": State.RUNNING, **facts})  # type: ignore[arg-type]  # facts are the test's


def reading(described: Workload | None = None, before: Sample | None = None, **fields: object) -> Reading:
    """Make a reading with one sample, one second after `before` where there is one."""
    now = Sample(source="cgroup", at_ns=2 * NS, **fields)  # type: ignore[arg-type]  # fields are the test's
    return Reading(described or workload(), (Pair(before, now),))


def busy(described: Workload, cpu_percent: float, memory_bytes: int | None = None) -> Reading:
    """Make a reading with a CPU percentage."""
    before = Sample(source="cgroup", at_ns=NS, cpu_total_ns=0)
    return reading(described, before, cpu_total_ns=int(cpu_percent * NS / 100), memory_charged_bytes=memory_bytes)


def frame(at_s: float, workloads: dict[Workload, dict[str, int]], host: dict[str, int] | None = None) -> Frame:
    """Make a frame of workloads with a sample's fields each."""
    at_ns = int(at_s * NS)
    samples: dict[WorkloadId, tuple[Sample, ...]] = {
        described.id: (Sample(source="cgroup", at_ns=at_ns, **fields),)  # type: ignore[arg-type]  # fields are the test's
        for described, fields in workloads.items()
    }
    samples[HOST] = (Sample(source="host", at_ns=at_ns, **(host or {})),)  # type: ignore[arg-type]  # as above
    return Frame(
        at_ns=at_ns,
        wall=1_700_000_000.0 + at_s,
        boot_ns=at_ns,
        host=Workload(HOST, Kind.HOST, "machine", State.RUNNING),
        workloads={described.id: described for described in workloads},
        samples=samples,
        sources=(
            SourceState("host", Availability.OK, "4 cpus", read_at_ns=at_ns, cost_ns=300_000),
            SourceState("docker", Availability.DENIED, "", "no permission", "join the group docker"),
        ),
        events=(Event(1_700_000_000.0, WorkloadId("docker", "web"), "oom", "killed", "web"),),
        cpus=4,
        memory_bytes=8 << 30,
        facts={"hostname": "machine", "kernel": "6.1", "cgroup": "v2"},
    )


_COUNTER = st.none() | st.integers(0, 2**64)

samples = st.builds(
    Sample,
    source=st.sampled_from(("cgroup", "libvirt", "docker-stats")),
    at_ns=st.integers(0, 2**62),
    epoch=st.sampled_from(("", "1", "2")),
    cpu_total_ns=_COUNTER,
    cpu_periods_total=_COUNTER,
    cpu_throttled_periods_total=_COUNTER,
    cpu_limit_cores=st.none() | st.floats(0.01, 4096),
    cpu_stall_total_ns=_COUNTER,
    memory_charged_bytes=_COUNTER,
    memory_inactive_file_bytes=_COUNTER,
    memory_limit_bytes=_COUNTER,
    memory_rss_bytes=_COUNTER,
    memory_unreclaimable_bytes=_COUNTER,
    memory_stall_total_ns=_COUNTER,
    memory_available_bytes=_COUNTER,
    memory_usable_bytes=_COUNTER,
    memory_report_age_s=st.none() | st.floats(),
    disk_read_total_bytes=_COUNTER,
    guest_disk_read_time_total_ns=_COUNTER,
    guest_disk_reads_total=_COUNTER,
    net_rx_total_bytes=_COUNTER,
    vcpus=st.none() | st.integers(0, 512),
    vcpu_total_ns=_COUNTER,
    steal_total_ns=_COUNTER,
)

workloads = st.builds(
    Workload,
    id=st.builds(WorkloadId, st.sampled_from(("docker", "qemu", "systemd")), st.text(max_size=8)),
    kind=st.sampled_from((Kind.VM, Kind.CONTAINER, Kind.SERVICE)),
    name=st.text(max_size=20),
    state=st.sampled_from(State),
    image=st.none() | st.text(max_size=8),
    project=st.none() | st.text(max_size=8),
    health=st.none() | st.text(max_size=8),
    endpoint=st.sampled_from(("", "", "far:2376")),
    started_at=st.none() | st.floats(),
    labels=st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), max_size=2).map(tuple),
)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading: pairs as `rates.derive` would make them."""
    pairs = []
    for now in draw(st.lists(samples, max_size=3)):
        before = draw(st.none() | samples)
        pairs.append(Pair(before, now))
    return Reading(draw(workloads), tuple(pairs))
