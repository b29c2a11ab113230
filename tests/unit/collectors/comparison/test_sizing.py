"""What would fit: from what was measured, and only from that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collectors.analysis.rates import Deriver
from collectors.comparison.other_kind import as_other_kind, kinds_of, overheads, recorded_overheads
from collectors.comparison.size import Advice, Resource, round_memory
from collectors.comparison.sizing import Sizing, freed, sizings
from collectors.comparison.sizing_evidence import Survey
from collectors.model.facts import Fact
from collectors.model.workloads import Event, Frame, Kind, Sample, State, Workload, WorkloadId
from tests.helpers.strategies import HOST, samples, workload

MIB, GIB, NS = 1 << 20, 1 << 30, 10**9
CPUS, MEMORY = 8, 16 * GIB
LONG_S = 1200

Fields = dict[str, object]
At = Callable[[int], Sequence[Fields]]
"""The samples of an instant, each as its fields."""


def frames_of(described: Workload, at: At, seconds: int = LONG_S, step: int = 5) -> list[Frame]:
    """Make the frames of one workload on a host of 8 cores and 16 GiB."""
    frames = []
    for second in range(0, seconds + 1, step):
        at_ns = (second + 10) * NS
        samples = tuple(Sample(**{"source": "cgroup", "at_ns": at_ns, **fields}) for fields in at(second))  # type: ignore[arg-type]  # the test's
        frames.append(
            Frame(
                at_ns=at_ns,
                wall=1_700_000_000.0 + second,
                boot_ns=at_ns,
                host=Workload(HOST, Kind.HOST, "machine", State.RUNNING),
                workloads={described.id: described},
                samples={described.id: samples, HOST: (Sample(source="host", at_ns=at_ns),)},
                sources=(),
                cpus=CPUS,
                memory_bytes=MEMORY,
                interval_s=float(step),
            )
        )
    return frames


def survey_of(*sequences: Sequence[Frame]) -> Survey:
    survey = Survey()
    for frames in sequences:
        deriver = Deriver()
        for frame in frames:
            survey.feed(deriver.feed(frame))
    return survey


def sized(
    at: At, described: Workload | None = None, seconds: int = LONG_S, step: int = 5, headroom: float = 0.3
) -> Sizing:
    (found,) = sizings(survey_of(frames_of(described or workload(), at, seconds, step)), headroom)
    return found


def container(cores: float = 0.5, held: int = 100 * MIB, **fields: object) -> At:
    return lambda second: [{"cpu_total_ns": int(second * cores * NS), "memory_charged_bytes": held, **fields}]


def machine(cores: float = 0.5, used: int | None = 500 * MIB, **fields: object) -> At:
    """Make a guest with 4 virtual CPUs, 4 GiB of memory, of which its kernel keeps 96 MiB for itself."""
    seen = 4 * GIB - 96 * MIB
    guest = {} if used is None else {"memory_available_bytes": seen, "memory_usable_bytes": seen - used}
    return lambda second: [
        {
            "source": "libvirt",
            "cpu_total_ns": int(second * (cores + 0.1) * NS),
            "vcpu_total_ns": int(second * cores * NS),
            "vcpus": 4,
            "cpu_limit_cores": 4,
            "memory_limit_bytes": 4 * GIB,
            "memory_maximum_bytes": 6 * GIB,
            **guest,
            **fields,
        }
    ]


VM = workload("vm", Kind.VM, "libvirt")


# --- rules -----------------------------------------------------------------------------------------------------------


def test_cpu_is_the_95th_percentile_with_headroom_and_memory_the_highest_value() -> None:
    def at(second: int) -> list[Fields]:
        peak = 8 if second >= 600 else 0  # one reading of two cores
        held = 300 * MIB if second == 600 else 100 * MIB
        limits = {"cpu_limit_cores": 4.0, "memory_limit_bytes": GIB}
        return [{"cpu_total_ns": int((second * 0.4 + peak) * NS), "memory_charged_bytes": held, **limits}]

    found = sized(at)
    assert found.cpu.used is not None
    assert found.cpu.used.p95 == pytest.approx(0.4, rel=0.02)
    assert (found.cpu.resource, found.cpu.has, found.cpu.fits, found.cpu.advice) == (Resource.CPU, 4, 0.6, Advice.LESS)
    assert found.memory.used is not None
    assert found.memory.used.p95 == pytest.approx(100 * MIB, rel=0.02)
    assert found.memory.used.max == 300 * MIB
    assert found.memory.fits == 400 * MIB, "300 MiB + 30 %, rounded up to what people write, and not the percentile"
    assert found.memory.advice is Advice.LESS
    assert found.cpu.used.max == pytest.approx(2.0)
    assert found.cpu.frees == pytest.approx(3.4)
    assert found.memory.frees == GIB - 400 * MIB
    assert found.weak == ()


def test_who_needs_more_for_a_fiftieth_of_the_time_gets_the_99th_percentile() -> None:
    def at(second: int) -> list[Fields]:
        return [{"cpu_total_ns": int((second * 0.4 + second // 200 * 8) * NS), "cpu_limit_cores": 4.0}]

    assert sized(at).cpu.fits == 2.0


def test_no_limit_is_not_zero_and_frees_nothing() -> None:
    for limits in ({}, {"cpu_limit_cores": float(CPUS), "memory_limit_bytes": MEMORY}, {"memory_limit_bytes": 1 << 62}):
        found = sized(container(**limits))
        for size in found.sizes:
            assert (size.has, size.advice, size.frees) == (None, Advice.NO_LIMIT, 0.0)
        assert (found.cpu.fits, found.memory.fits) == (0.7, 144 * MIB), "what one would be, as information"


def test_a_limit_that_only_rounding_would_raise_is_kept() -> None:
    found = sized(container(0.5, 100 * MIB, cpu_limit_cores=0.66, memory_limit_bytes=135 * MIB))
    assert [(size.advice, size.fits) for size in found.sizes] == [(Advice.KEEP, 0.66), (Advice.KEEP, 135 * MIB)]


def test_what_is_used_with_headroom_may_need_more_than_there_is_now() -> None:
    found = sized(container(0.9, 100 * MIB, cpu_limit_cores=1, memory_limit_bytes=110 * MIB))
    assert (found.cpu.advice, found.cpu.fits) == (Advice.MORE, 1.5)
    assert (found.memory.advice, found.memory.fits) == (Advice.MORE, 144 * MIB)
    assert found.memory.frees == -34 * MIB


def test_nobody_is_given_more_than_the_host_has() -> None:
    found = sized(container(7.4, 14 * GIB, cpu_limit_cores=7.5, memory_limit_bytes=15 * GIB))
    assert (found.cpu.fits, found.memory.fits) == (CPUS, MEMORY)
    assert "no more than that" in found.cpu.notes[0]


# --- traps -----------------------------------------------------------------------------------------------------------


def throttled(share: float, cores: float = 0.3, limit: float = 2.0) -> At:
    def at(second: int) -> list[Fields]:
        periods = {"cpu_periods_total": second * 10, "cpu_throttled_periods_total": int(second * 10 * share)}
        fields: Fields = {"cpu_total_ns": int(second * cores * NS), "cpu_limit_cores": limit, **periods}
        return [{"source": "cgroup-slow", **fields}]

    return at


def test_who_is_throttled_needs_more_than_was_used_and_is_never_given_less() -> None:
    found = sized(throttled(0.2)).cpu
    assert (found.advice, found.fits) == (Advice.MORE, 3.0)
    assert "throttled in 20 % of its periods: what it used is less than what it needs" in found.why
    little = sized(throttled(0.005)).cpu
    assert (little.advice, little.fits) == (Advice.KEEP, 2.0)
    assert "throttled at times" in little.why
    assert sized(throttled(0.0)).cpu.advice is Advice.LESS


@given(st.floats(0.001, 1), st.floats(0.01, 8), st.floats(0.1, 8))
def test_whatever_is_throttled_is_not_given_less(share: float, cores: float, limit: float) -> None:
    found = sized(throttled(share, cores, limit), seconds=100).cpu
    is_throttled = int(100 * 10 * share) > 0
    assert not is_throttled or found.has is None or (found.fits is not None and found.fits >= found.has)


def test_waiting_for_the_host_understates_what_a_machine_needs() -> None:
    def at(second: int) -> list[Fields]:
        (fields,) = machine(0.4)(second)
        return [{**fields, "steal_total_ns": second * 4 * NS // 5}]

    found = sized(at, VM).cpu
    assert (found.advice, found.fits) == (Advice.KEEP, 4)
    assert "waited for a CPU of the host for 20 % of the time" in found.why


def test_an_oom_kill_or_a_limit_that_is_reached_suggests_more() -> None:
    def killed(second: int) -> list[Fields]:
        return [
            {"memory_charged_bytes": 60 * MIB, "memory_limit_bytes": 256 * MIB, "oom_kills_total": 2 + second // 700}
        ]

    found = sized(killed).memory
    assert (found.advice, found.fits) == (Advice.MORE, 336 * MIB)
    assert found.why == "1 process was killed because memory ran out"
    full = sized(container(held=250 * MIB, memory_limit_bytes=256 * MIB)).memory
    assert (full.advice, full.fits) == (Advice.MORE, 336 * MIB)
    assert "98 % of what it has" in full.why

    def slowed(second: int) -> list[Fields]:
        return [{"memory_charged_bytes": 60 * MIB, "memory_limit_bytes": 256 * MIB, "memory_high_total": second}]

    assert sized(slowed).memory.advice is Advice.MORE
    before = sized(container(held=60 * MIB, memory_limit_bytes=256 * MIB, oom_kills_total=7)).memory
    assert before.advice is Advice.LESS, "what was killed before is of another time"


def test_what_is_in_swap_is_needed_and_page_cache_that_can_go_is_not() -> None:
    swapped = sized(container(held=100 * MIB, memory_swap_bytes=100 * MIB, memory_limit_bytes=GIB)).memory
    assert swapped.fits == round_memory(260 * MIB)
    cached = sized(container(held=800 * MIB, memory_inactive_file_bytes=700 * MIB, memory_limit_bytes=GIB)).memory
    assert cached.fits == round_memory(130 * MIB)


def test_a_machine_is_sized_by_what_its_guest_uses_and_its_kernel_keeps() -> None:
    found = sized(machine(1.2), VM)
    assert (found.cpu.resource, found.cpu.has, found.cpu.fits) == (Resource.VCPUS, 4, 2), "not by its emulator's time"
    assert (found.memory.has, found.memory.advice) == (4 * GIB, Advice.LESS)
    assert found.memory.fits == round_memory((500 + 96) * 1.3 * MIB)


def test_a_guest_that_does_not_report_cannot_be_measured_from_outside() -> None:
    for at in (machine(used=None), machine(memory_report_age_s=1000.0)):
        found = sized(at, VM).memory
        assert (found.advice, found.fits, found.used, found.has) == (Advice.UNKNOWN, None, None, 4 * GIB)
        assert found.why.startswith("not measurable from outside: ")
    estimated = sized(machine(), workload("vm", Kind.VM, "vsphere")).memory
    assert (estimated.advice, estimated.fits) == (Advice.UNKNOWN, None)
    assert "only estimates" in estimated.why


def test_a_balloon_cannot_give_more_than_its_definition_has() -> None:
    found = sized(machine(used=3900 * MIB, memory_maximum_bytes=4 * GIB), VM).memory
    assert found.advice is Advice.MORE
    assert "definition has to change" in found.by_hand


def test_hugepages_and_pinned_cpus_are_not_suggested_away() -> None:
    huge = sized(machine(memory_hugetlb_bytes=4 * GIB), VM).memory
    assert (huge.advice, huge.fits) == (Advice.KEEP, 4 * GIB)
    assert "set aside" in huge.why

    def pinned(second: int) -> list[Fields]:
        return [*machine(0.2)(second), {"source": "cgroup-slow", "cpu_limit_cores": 4.0}]

    cpu = sized(pinned, VM).cpu
    assert (cpu.advice, cpu.fits) == (Advice.KEEP, 4)
    assert "chosen for it" in cpu.why

    def loose(second: int) -> list[Fields]:
        return [*machine(0.2)(second), {"source": "cgroup-slow", "cpu_limit_cores": float(CPUS)}]

    assert sized(loose, VM).cpu.advice is Advice.LESS
    by_hand = sized(container(1.95, source="cgroup-slow", cpu_limit_cores=2.0))
    assert by_hand.cpu.advice is Advice.MORE
    assert "chosen anew" in by_hand.cpu.by_hand, "a quota does not widen a set of CPUs"
    quota = sized(throttled(0.0, 1.95))
    assert (quota.cpu.advice, quota.cpu.by_hand) == (Advice.MORE, "")


def test_a_containers_hugepages_have_limits_of_their_own() -> None:
    found = sized(container(held=100 * MIB, memory_hugetlb_bytes=GIB, memory_limit_bytes=512 * MIB)).memory
    assert (found.fits, found.advice) == (144 * MIB, Advice.LESS)
    assert any("hugepages" in note for note in found.notes)


# --- evidence --------------------------------------------------------------------------------------------------------


def test_a_short_time_is_weak_evidence() -> None:
    assert sized(container(), seconds=300).weak == ("seen for 5 minutes only",)
    assert sized(container(), seconds=600).weak == ()


def test_gaps_are_weak_evidence() -> None:
    frames = frames_of(workload(), container())
    (found,) = sizings(survey_of([*frames[:80], *frames[160:]]))
    assert found.seconds == LONG_S
    (clause,) = found.weak
    assert clause.startswith("not measured for 3")
    few = sizings(survey_of([*frames[:80], *frames[90:]]))[0]
    assert few.weak == (), "a twentieth is not much"


def test_readings_that_are_far_apart_are_weak_evidence() -> None:
    (clause,) = sized(container(), seconds=36_000, step=300).weak
    assert clause == "readings 5 minutes apart, so that short peaks were not seen"


def test_restarts_are_told_and_short_runs_are_weak_evidence() -> None:
    def run(started_at: float, first: int, last: int) -> list[Frame]:
        described = workload(started_at=started_at)
        return [frame for frame in frames_of(described, container()) if first <= frame.at_ns // NS - 10 < last]

    once = survey_of([*run(1000.0, 0, 900), *run(1900.0, 900, 1201)])
    (found,) = sizings(once)
    assert (found.restarts, found.weak) == (1, ())
    assert "restarted once" in found.cpu.notes[0]
    often = [frame for number in range(4) for frame in run(1000.0 + 300 * number, 300 * number, 300 * number + 300)]
    (found,) = sizings(survey_of(often))
    assert found.restarts == 3
    assert found.weak == ("restarted 3 times, and never ran for 10 minutes",)


def test_an_engines_word_for_a_start_counts_where_no_time_of_it_is_known() -> None:
    frames = frames_of(VM, machine())
    frames[100] = replace(frames[100], events=(Event(frames[100].wall, VM.id, "start"),))
    (found,) = sizings(survey_of(frames))
    assert found.restarts == 1


def test_the_time_in_which_it_was_stopped_is_no_gap() -> None:
    frames = frames_of(workload(), container(), 2400)
    stopped = frames_of(workload(state=State.STOPPED), lambda _: [], 2400)
    (found,) = sizings(survey_of([*frames[:200], *stopped[200:300], *frames[300:]]))
    assert found.weak == ()
    assert found.seconds < 2000


def test_what_never_ran_has_no_size() -> None:
    assert sizings(survey_of(frames_of(workload(state=State.STOPPED), lambda _: []))) == []


def test_nothing_measured_is_unknown_with_the_reason() -> None:
    found = sized(lambda _: [{"pids": 3}])
    for size in found.sizes:
        assert (size.advice, size.fits, size.used, size.frees) == (Advice.UNKNOWN, None, None, 0.0)
        assert size.why.startswith("not measurable: ")


@given(st.lists(st.lists(samples, max_size=3), min_size=2, max_size=6), st.sampled_from((Kind.VM, Kind.CONTAINER)))
def test_any_samples_have_sizes_that_are_a_number_or_unknown(instants: list[list[Sample]], kind: Kind) -> None:
    described = workload("any", kind)
    frames = [
        replace(frame, samples={described.id: tuple(taken)})
        for frame, taken in zip(frames_of(described, lambda _: [], 5 * len(instants)), instants, strict=False)
    ]
    survey = survey_of(frames)
    for sizing in sizings(survey):
        for size in sizing.sizes:
            assert (size.used is None) == (size.advice is Advice.UNKNOWN)
            assert (size.fits is None) == (size.used is None)
            assert size.fits is None or isfinite(size.fits)
            assert size.why
            assert size.advice is not Advice.LESS or size.frees > 0
            assert size.advice is not Advice.MORE or size.frees < 0
            assert size.advice in (Advice.LESS, Advice.MORE) or size.frees == 0
    assert all(isfinite(total.cores) for total in freed(sizings(survey), survey.hosts).values())


# --- the host, and the other kind ------------------------------------------------------------------------------------


def test_what_is_freed_is_the_sum_of_the_differences_on_each_host() -> None:
    less = frames_of(workload("a"), container(0.5, 100 * MIB, cpu_limit_cores=4, memory_limit_bytes=GIB))
    more = frames_of(workload("b"), container(1.95, 900 * MIB, cpu_limit_cores=2, memory_limit_bytes=GIB))
    survey = survey_of(less, more)
    found = sizings(survey)
    total = freed(found, survey.hosts)[""]
    assert total.cores == pytest.approx(sum(sizing.cpu.frees for sizing in found))
    assert total.cores == pytest.approx((4 - 0.7) + (2 - 3))
    assert total.memory_bytes == (GIB - 144 * MIB) + (GIB - round_memory(1170 * MIB))
    assert (total.of_cores, total.of_memory_bytes) == (CPUS, MEMORY)


def test_as_the_other_kind_it_weighs_what_it_uses_and_the_overhead_that_was_measured() -> None:
    survey = survey_of(frames_of(workload("a"), container(held=100 * MIB)), frames_of(VM, machine()))
    of_container, of_machine = sizings(survey)
    facts = {VM.id: Fact(80.0 * MIB, "smaps"), WorkloadId("docker", "a"): Fact(12.0 * MIB, "its shim")}
    measured = overheads(facts, kinds_of((of_container, of_machine)))
    assert as_other_kind(of_container, measured).value == 180.0 * MIB
    assert "1 machines here (smaps)" in as_other_kind(of_container, measured).how
    assert as_other_kind(of_machine, measured).value == (500 + 96 + 12) * MIB
    assert recorded_overheads(survey) == {}, "this guest's hypervisor was not measured"
    missing = as_other_kind(of_container, {})
    assert missing.value is None
    assert missing.how.startswith("not measured here")
    service = sized(container(), workload("s.service", Kind.SERVICE, "systemd"))
    assert as_other_kind(service, measured).value is None
