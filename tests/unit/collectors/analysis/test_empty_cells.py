"""An empty cell says why it is empty: each reason for its own situation, never another."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.empty_cells import has_failed, lasting_reason, reason
from collectors.analysis.rates import Deriver, Moment
from collectors.model.metrics import METRICS
from collectors.model.unmeasured import SENTENCES, Cause, Topic, topic_of
from collectors.model.workloads import Availability, Kind, SourceState, State, Unmeasured, Workload, WorkloadId
from collectors.session.format import COLUMNS
from tests.helpers.strategies import frame, workload

RX, CPU = "net_rx_bytes_per_second", "cpu_percent"
OK = (SourceState("cgroup", Availability.OK), SourceState("docker", Availability.OK))


def moment_of(
    described: Workload,
    *samples: dict[str, int],
    sources: tuple[SourceState, ...] = OK,
    others: tuple[Workload, ...] = (),
) -> Moment:
    """Return the moment of the last of some frames, a second apart; without a sample the workload was not read."""
    deriver = Deriver()
    for second, fields in enumerate(samples or ({},), 1):
        shown = frame(second, {described: fields, **{other: {} for other in others}})
        if not samples:
            shown = msgspec.structs.replace(shown, samples={shown.host.id: shown.samples[shown.host.id]})
        moment = deriver.feed(msgspec.structs.replace(shown, sources=sources))
    return moment


def why(moment: Moment, key: str, engine: str = "docker", name: str = "web") -> str:
    reading = next(reading for reading in moment.readings.values() if reading.workload.name == name)
    assert reading.value(key) is None
    return reason(key, reading, moment, engine)


VM = workload("web", Kind.VM, "qemu")
NOTED = [
    (Topic.NETWORK, Cause.HOST_NETWORK, "", RX, "it uses the host's network; its traffic is part of the host's"),
    (Topic.NETWORK, Cause.NO_INTERFACE, "", RX, "it has no network interface"),
    (
        Topic.DISK,
        Cause.NO_CONTROLLER,
        "io",
        "disk_read_bytes_per_second",
        "the io controller is not enabled for its cgroup",
    ),
    (Topic.MEMORY, Cause.NO_CONTROLLER, "memory", "memory_of_limit_percent", "the memory controller is not enabled"),
    (
        Topic.MEMORY,
        Cause.NO_RIGHT,
        "/x/memory.current",
        "memory_host_bytes",
        "this user may not read /x/memory.current",
    ),
    (Topic.TASKS, Cause.NO_CONTROLLER, "pids", "pids", "the pids controller is not enabled for its cgroup"),
    (Topic.PRESSURE, Cause.NO_PSI, "", "io_wait_percent", "this kernel does not measure pressure (PSI)"),
    (Topic.QUOTA, Cause.NO_CONTROLLER, "cpu", "cpu_throttled_percent", "the cpu controller is not enabled"),
]


@pytest.mark.parametrize(("topic", "cause", "detail", "key", "sentence"), NOTED)
def test_what_a_source_noted_is_the_reason(topic: str, cause: str, detail: str, key: str, sentence: str) -> None:
    described = workload("web", unmeasured=(Unmeasured(topic, cause, detail),))
    fields = {"cpu_total_ns": 1, "memory_limit_bytes": 5}
    assert why(moment_of(described, fields, fields), key).startswith(sentence)


@pytest.mark.parametrize("by", ["id", "cgroup"])
def test_who_counts_a_shared_network_is_named(by: str) -> None:
    owner = Workload(WorkloadId("docker", "f" * 64), Kind.CONTAINER, "proxy", State.RUNNING, cgroup="/docker/f")
    other = owner.id.id if by == "id" else "/docker/f"
    sharer = workload("web", unmeasured=(Unmeasured(Topic.NETWORK, Cause.SHARED_NETWORK, other),))
    fields = {"cpu_total_ns": 1}
    assert why(moment_of(sharer, fields, others=(owner,)), RX).startswith("it shares the network of proxy,")
    gone = "f" * 12 if by == "id" else other
    assert why(moment_of(sharer, fields), RX).startswith(f"it shares the network of {gone},")


@pytest.mark.parametrize("key", METRICS)
def test_what_does_not_run_has_no_other_reason(key: str) -> None:
    stopped = workload("web", state=State.STOPPED, state_reason="out of memory")
    assert why(moment_of(stopped), key) == "it does not run: it is stopped (out of memory)"


def test_a_rate_needs_two_readings_of_one_run() -> None:
    first = moment_of(workload("web"), {"cpu_total_ns": 5})
    assert why(first, CPU) == "it has been read only once since it started, and a rate needs two readings"
    fell = moment_of(workload("web"), {"cpu_total_ns": 5}, {"cpu_total_ns": 4})
    assert why(fell, CPU) == "its counter started again from zero, and a rate needs two readings"
    assert why(moment_of(workload("web")), CPU) == "it has not been read yet"


@pytest.mark.parametrize(("availability", "words"), [
    (Availability.DENIED, "libvirt may not be read by this user: no permission"),
    (Availability.DOWN, "libvirt cannot be read: no permission"),
    (Availability.STALE, "libvirt does not answer now: no permission"),
    (Availability.WAITING, "libvirt has not answered yet: no permission"),
])  # fmt: skip
def test_a_source_that_fails_is_named_with_its_reason(availability: Availability, words: str) -> None:
    sources = (OK[0], SourceState("libvirt", availability, "", "no permission"))
    moment = moment_of(VM, {"cpu_total_ns": 1}, {"cpu_total_ns": 2}, sources=sources)
    assert why(moment, "vcpu_percent", "libvirt") == words
    without_docker = (OK[0], SourceState("docker", availability, "", "no permission"))
    assert "docker" not in why(moment_of(workload("web"), {"cpu_total_ns": 1}, sources=without_docker), RX)


def test_the_host_lacks_what_only_workloads_have() -> None:
    moment = moment_of(workload("web"), {"cpu_total_ns": 1})
    for key in ("oom_kills", "cpu_limit_cores", "memory_of_limit_percent", "vcpus"):
        assert reason(key, moment.host, moment, "") == "it is measured for workloads, not for the host"


def test_what_a_kind_never_has_is_said_to_be() -> None:
    moment = moment_of(workload("web"), {"cpu_total_ns": 1}, {"cpu_total_ns": 2})
    assert why(moment, "vcpu_percent") == "only a virtual machine has it"
    by_proxmox = moment_of(workload("web", Kind.VM, "proxmox"), {"cpu_total_ns": 1})
    sentence = "only libvirt reports it, and it does not run this virtual machine"
    assert why(by_proxmox, "memory_report_age_seconds", "") == sentence
    assert why(by_proxmox, "vcpu_percent", "") != sentence


def test_limits_that_are_not_set_are_said_not_to_be() -> None:
    moment = moment_of(workload("web"), {"memory_charged_bytes": 1}, {"memory_charged_bytes": 1})
    for key in ("memory_limit_bytes", "memory_of_limit_percent"):
        assert why(moment, key) == "it has no memory limit; the host's memory is all that limits it"
    assert why(moment, "cpu_throttled_percent") == "it has no CPU quota"
    fields = {"cpu_periods_total": 5, "cpu_throttled_periods_total": 1}
    assert "none of its tasks ran" in why(moment_of(workload("web"), fields, fields), "cpu_throttled_percent")


def test_a_guest_that_read_nothing_has_no_latency() -> None:
    fields = {"guest_disk_reads_total": 5, "guest_disk_read_time_total_ns": 1}
    moment = moment_of(VM, fields, fields, sources=(OK[0], SourceState("libvirt", Availability.OK)))
    assert why(moment, "guest_disk_read_milliseconds", "libvirt").startswith("no operation was completed")


def test_a_remote_engine_has_only_what_it_reports() -> None:
    remote = workload("web", endpoint="farm")
    moment = moment_of(remote, {"cpu_total_ns": 1}, {"cpu_total_ns": 2})
    sentence = "it runs on farm, where only docker is read, which does not report it"
    assert why(moment, "cpu_wait_percent") == sentence
    assert why(moment, "memory_peak_bytes") == sentence


def test_an_old_recording_gets_what_may_be_the_case() -> None:
    assert why(moment_of(workload("web"), {"cpu_total_ns": 1}), RX) == METRICS[RX].missing


def test_over_several_readings_the_noted_cause_is_the_reason() -> None:
    noted = workload("web", unmeasured=(Unmeasured(Topic.PRESSURE, Cause.NO_PSI),))
    assert lasting_reason("cpu_wait_percent", noted) == "this kernel does not measure pressure (PSI)"
    assert lasting_reason(CPU, noted) == METRICS[CPU].missing


@given(
    st.sampled_from(list(METRICS)),
    st.sampled_from(list(Kind)),
    st.sampled_from(list(State)),
    st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=3),
    st.sampled_from(["docker", "libvirt", "systemd", ""]),
)
def test_there_is_always_a_reason(
    key: str, kind: Kind, state: State, notes: list[tuple[str, str, str]], engine: str
) -> None:
    described = workload("web", kind, state=state, unmeasured=tuple(Unmeasured(*note) for note in notes))
    moment = moment_of(described)
    reading = moment.readings[described.id]
    if reading.value(key) is None:
        assert reason(key, reading, moment, engine)


def test_each_cause_has_a_sentence_and_each_column_a_topic() -> None:
    assert set(SENTENCES) == set(Cause)
    other = {name for name in COLUMNS if topic_of(name) is Topic.OTHER}
    assert other <= {"load_1m"}


def test_a_source_that_says_who_it_is_is_not_named_twice() -> None:
    for availability in (Availability.STALE, Availability.WAITING, Availability.DOWN):
        sources = (SourceState("cgroup", availability, "", "cgroup has not responded for 22 s"),)
        assert why(moment_of(workload("web"), sources=sources), CPU) == "cgroup has not responded for 22 s"


def test_of_several_engines_of_a_kind_all_have_to_fail() -> None:
    near, far = (SourceState(name, Availability.DOWN, "", "refused") for name in ("docker@near", "docker@far"))
    remote = workload("web", endpoint="far")
    assert why(moment_of(remote, sources=(near, far)), CPU) == "docker@near cannot be read: refused"
    alive = SourceState("docker@near", Availability.OK)
    assert "cannot be read" not in why(moment_of(remote, sources=(alive, far)), CPU)


FAILED = [
    (Topic.MEMORY, Cause.NO_RIGHT, "memory_host_bytes", True),
    (Topic.MEMORY, Cause.NO_CONTROLLER, "memory_of_limit_percent", True),
    (Topic.NETWORK, Cause.HOST_NETWORK, RX, False),
    (Topic.NETWORK, Cause.SHARED_NETWORK, RX, False),
]


@pytest.mark.parametrize(("topic", "cause", "key", "is_failure"), FAILED)
def test_what_a_workload_does_not_have_has_not_failed(topic: str, cause: str, key: str, is_failure: bool) -> None:
    described = workload("web", unmeasured=(Unmeasured(topic, cause, ""),))
    fields = {"cpu_total_ns": 1, "memory_limit_bytes": 5}
    moment = moment_of(described, fields, fields)
    assert has_failed(key, moment.readings[described.id], moment, "") is is_failure


def test_rest_a_limit_that_is_not_set_and_another_kind_are_no_failures_and_a_first_reading_is() -> None:
    stopped = workload("web", state=State.STOPPED)
    moment = moment_of(stopped)
    assert not has_failed(CPU, moment.readings[stopped.id], moment, "")
    running = workload("web")
    fields = {"memory_charged_bytes": 1}
    moment = moment_of(running, fields, fields)
    for key in ("memory_limit_bytes", "memory_of_limit_percent", "cpu_throttled_percent", "vcpu_percent"):
        assert not has_failed(key, moment.readings[running.id], moment, "")
    moment = moment_of(running, {"cpu_total_ns": 5})
    assert has_failed(CPU, moment.readings[running.id], moment, "")


def test_hugepages_that_this_host_does_not_have_are_not_blamed_on_a_controller() -> None:
    fields = {"memory_charged_bytes": 1}
    moment = moment_of(workload("web"), fields, fields)
    assert why(moment, "memory_hugetlb_bytes") == "this host has no hugepages"
    with_pool = msgspec.structs.replace(moment.frame, facts={"hugepages_total": "1073741824"})
    shown = moment._replace(frame=with_pool)
    assert why(shown, "memory_hugetlb_bytes") == "the hugetlb controller is not enabled for its cgroup"
