"""Which workloads the command has started, and what of them could not be followed."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.model.workloads import Availability, Event, Kind, Sample, SourceState, State, Workload, WorkloadId
from collectors.running.followed import combined
from collectors.running.follower import Baseline, Follower, is_new_run
from collectors.running.quantities import QUANTITIES, Measured, missing
from tests.helpers.strategies import frame

NOW = 1_800_000_000.0
NOWHERE = Hierarchy(Mode.NONE)


def container(name: str, started_at: float | None = None, state: State = State.RUNNING) -> Workload:
    return Workload(WorkloadId("docker", name), Kind.CONTAINER, name, state, started_at=started_at)


def baseline(*late: str, **active: float | None) -> Baseline:
    return Baseline(NOW, {WorkloadId("docker", name): at for name, at in active.items()}, late)


@pytest.mark.parametrize(
    ("workload", "before", "is_new"),
    [
        (container("a", NOW + 3), baseline(), True),
        (container("a", None), baseline(), True),
        (container("a", NOW + 3, State.STOPPED), baseline(), False),
        (container("a", NOW - 60), baseline(a=NOW - 60), False),
        (container("a", NOW + 3), baseline(a=NOW - 60), True),  # started again
        (container("a", NOW - 60), baseline("docker"), False),  # its source was late: it ran before
        (container("a", NOW + 3), baseline("docker"), True),
        (container("a", None), baseline("docker"), False),  # nobody can tell
    ],
)
def test_what_started_since_is_new_a_stopped_one_too(workload: Workload, before: Baseline, is_new: bool) -> None:
    assert is_new_run(workload, before) is is_new


def fed(follower: Follower, *workloads: Workload, **fields: object) -> None:
    seen = frame(0.0, {workload: {} for workload in workloads})
    follower.take(msgspec.structs.replace(seen, **{"sources": (), "events": (), **fields}))
    follower.update()


def test_a_stopped_container_that_is_started_and_several_new_ones_are_all_followed() -> None:
    follower = Follower(None, NOWHERE)
    fed(follower, container("old", NOW - 900, State.STOPPED), container("there", NOW - 900))
    follower.begin()
    late = 4_000_000_000.0
    fed(follower, container("old", late), container("there", NOW - 900), container("one", late), container("two", late))
    assert [one.workload.name for one in follower.followed.values()] == ["old", "one", "two"]
    assert all(one.is_new for one in follower.followed.values())


def test_one_that_was_removed_has_ended() -> None:
    follower = Follower(None, NOWHERE)
    fed(follower)
    follower.begin()
    fed(follower, container("brief", 4_000_000_000.0))
    (followed,) = follower.followed.values()
    assert followed.is_running
    fed(follower)
    assert not followed.is_running


def test_one_that_its_engine_gives_another_id_is_still_one() -> None:
    follower = Follower(None, NOWHERE)
    fed(follower)
    follower.begin()
    seen = Workload(WorkloadId("vmm", "1-2"), Kind.VM, "db", State.RUNNING, cgroup="/m", started_at=4_000_000_000.0)
    fed(follower, seen)
    listed = msgspec.structs.replace(seen, id=WorkloadId("qemu", "uuid"), name="database")
    fed(follower, listed)
    (followed,) = follower.followed.values()
    assert followed.workload == listed


def test_a_source_that_was_silent_at_the_start_is_named() -> None:
    follower = Follower(None, NOWHERE)
    fed(follower, sources=(SourceState("docker", Availability.WAITING), SourceState("host", Availability.OK)))
    assert follower.waiting_for == ("docker",)
    follower.begin()
    assert follower.notes() == ["docker had not answered when the command started: following began late"]


def test_one_that_came_and_went_between_two_frames_is_named() -> None:
    follower = Follower(None, NOWHERE)
    fed(follower)
    follower.begin()
    event = Event(4_000_000_000.0, WorkloadId("docker", "brief"), "start", name="brief")
    fed(follower, events=(event,))
    assert follower.notes() == ["brief started and ended between two looks: nothing of it was measured"]


values = st.one_of(
    st.just(missing("not counted")),
    st.builds(Measured, st.floats(0, 1e12), st.just("how"), st.booleans()),
)


@given(st.lists(st.fixed_dictionaries(dict.fromkeys(QUANTITIES, values)), min_size=1, max_size=4))
def test_runs_add_up_and_peaks_do_not(parts: list[dict[str, Measured]]) -> None:
    whole = combined(parts)
    for key, total in whole.items():
        known = [part[key].value for part in parts if part[key].value is not None]
        if not known:
            assert total.value is None, "missing is not zero"
            continue
        assert total.value is not None
        assert total.value >= max(value for value in known if value is not None)
        if len(known) < len(parts):
            assert total.is_lower_bound
    peaks = [part["mem"].value or 0.0 for part in parts]
    assert (whole["mem"].value or 0.0) == max(peaks)


def test_counters_of_one_that_ran_before_count_from_the_commands_start() -> None:
    follower = Follower(lambda workloads: workloads[0] if workloads else None, NOWHERE)
    identity = WorkloadId("docker", "db")
    running = container("db", NOW - 900)
    fed(follower, running)
    follower.begin()
    for total in (5_000_000_000, 7_000_000_000):
        sample = Sample("docker-stats", 1, cpu_total_ns=total, memory_charged_bytes=total // 1000)
        fed(follower, running, samples={identity: (sample,)})
    usage = follower.followed[identity].usage()
    assert usage["cpu_seconds"].value == 2.0
    assert usage["mem"] == Measured(7_000_000, "sampled by its source", True)
    assert usage["oom_kills"].value is None
