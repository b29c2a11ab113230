"""Descriptions that did not change are joined once, and what comes of it is what joining them again would give."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling import merge
from collectors.sampling.merge import Joins, join
from collectors.sampling.source import SourceReading

ID = WorkloadId("docker", "a" * 64)
KERNEL = Workload(ID, Kind.CONTAINER, "aaaa", State.RUNNING, name_is_known=False, cgroup="/docker/a")
DAEMON = Workload(ID, Kind.CONTAINER, "web", State.UNKNOWN, image="nginx")


def readings(*workloads: Workload) -> list[tuple[bool, SourceReading]]:
    return [(index > 0, SourceReading({ID: workload}, {})) for index, workload in enumerate(workloads)]


def test_two_descriptions_that_stay_are_joined_once(monkeypatch: pytest.MonkeyPatch) -> None:
    join_workload = Mock(side_effect=merge.join_workload)
    monkeypatch.setattr(merge, "join_workload", join_workload)
    joins = Joins()
    joined = {id(join(readings(KERNEL, DAEMON), joins.next()).workloads[ID]) for _ in range(10)}
    assert (join_workload.call_count, len(joined)) == (1, 1)


def test_what_was_not_joined_in_the_last_tick_is_forgotten() -> None:
    joins = Joins()
    first = join(readings(KERNEL, DAEMON), joins.next()).workloads[ID]
    join([], joins.next())
    second = join(readings(KERNEL, DAEMON), joins.next()).workloads[ID]
    assert first == second
    assert first is not second


NAMES = st.sampled_from(["", "web", "db"])
WORKLOADS = st.builds(
    Workload,
    st.just(ID),
    st.just(Kind.CONTAINER),
    NAMES,
    st.sampled_from(State),
    name_is_known=st.booleans(),
    image=st.none() | NAMES,
    cgroup=st.none() | st.just("/docker/a"),
)


@given(st.lists(WORKLOADS, min_size=2, max_size=4), st.data())
def test_it_is_what_joining_again_would_give(workloads: list[Workload], data: st.DataObject) -> None:
    joins = Joins()
    for _ in range(5):
        chosen = readings(*(data.draw(st.sampled_from(workloads)) for _ in range(3)))
        assert join(chosen, joins.next()) == join(chosen)
