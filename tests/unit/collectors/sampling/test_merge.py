"""Two engines that list the same ids: none of them renames or measures what the other one has."""

from __future__ import annotations

import itertools

import msgspec
import pytest

from collectors.engines.access import daemon_of
from collectors.engines.demo.source import DemoSource
from collectors.engines.registry import load_source
from collectors.model.errors import SourceDown, SourceError, WorkloadGone
from collectors.model.workloads import Frame, Kind, Sample, State, Workload, WorkloadId
from collectors.sampling.merge import join
from collectors.sampling.sampler import Sampler
from collectors.sampling.source import SourceReading
from collectors.sampling.worker import Worker
from tests.helpers.lab.process import wait_until

ID = WorkloadId("docker", "a" * 64)


def _reading(name: str, endpoint: str = "", **facts: object) -> SourceReading:
    workload = Workload(ID, Kind.CONTAINER, name, State.RUNNING, endpoint=endpoint, **facts)  # type: ignore[arg-type]
    return SourceReading({ID: workload}, {ID: (Sample(name, 1),)})


KERNEL = SourceReading(
    {ID: Workload(ID, Kind.CONTAINER, "aaaa", State.UNKNOWN, name_is_known=False, cgroup="/docker/a")},
    {ID: (Sample("cgroup", 1),)},
)


def test_a_number_of_zero_is_a_fact_and_no_is_not() -> None:
    kernel = msgspec.structs.replace(KERNEL.workloads[ID], is_sandbox=True)
    joined = join(
        [(False, msgspec.structs.replace(KERNEL, workloads={ID: kernel})), (True, _reading("web", restarts=0))]
    )
    assert (joined.workloads[ID].restarts, joined.workloads[ID].is_sandbox) == (0, True)


def test_the_first_of_two_engines_that_list_an_id_describes_and_measures_it() -> None:
    liar = _reading("evil", image="img", health="unhealthy")
    joined = join([(False, KERNEL), (True, _reading("web")), (True, liar)])
    assert joined.workloads[ID].name == "web"
    assert (joined.workloads[ID].image, joined.workloads[ID].health) == (None, None)
    assert [sample.source for sample in joined.samples[ID]] == ["cgroup", "web"]
    assert joined.contested == [0, 0, 1]


@pytest.mark.parametrize(
    ("below", "is_believed"),
    [("", True), ("/docker/", True), ("/user.slice/user-1000.slice/", False)],
)
def test_an_engine_of_a_user_describes_only_what_the_kernel_shows_in_that_users_slice(
    below: str, is_believed: bool
) -> None:
    users = msgspec.structs.replace(_reading("evil"), below=below)
    joined = join([(False, KERNEL), (True, users), (True, _reading("web"))])
    assert joined.workloads[ID].name == ("evil" if is_believed else "web")
    assert [sample.source for sample in joined.samples[ID]] == ["cgroup", "evil" if is_believed else "web"]
    assert join([(True, users)]).workloads[ID].name == "evil", "the kernel shows no group of it at all"


def test_the_engine_on_this_host_is_believed_whatever_the_order() -> None:
    for readings in itertools.permutations([(False, KERNEL), (True, _reading("web")), (True, _reading("evil", "far"))]):
        joined = join(list(readings))
        assert (joined.workloads[ID].name, joined.workloads[ID].endpoint) == ("web", "")
        assert sorted(sample.source for sample in joined.samples[ID]) == ["cgroup", "web"]
        assert sum(joined.contested) == 1


def test_the_engine_that_is_not_believed_says_so() -> None:
    sampler = Sampler([], load_source, 60)
    sampler.workers = [Worker(name, lambda: DemoSource(3)) for name in ("first", "second")]
    frames: list[Frame] = []
    sampler.on_frame(frames.append)
    sampler.start()
    wait_until(lambda: bool(frames) and len(frames[-1].workloads) == 3, 10, "a frame of both")
    wait_until(lambda: any("another engine" in state.reason for state in sampler._frame().sources), 10, "the sentence")
    sampler.stop()
    first, second = sampler._frame().sources
    assert first.reason == ""
    assert second.reason == "3 of its ids are those of another engine or user, which vmtop believes"


class Daemon:
    """An engine at an address, that says that it has everything, nothing, or fails."""

    def __init__(self, shown: str, answer: bool | SourceError) -> None:
        self.shown = shown
        self.answer = answer

    def knows(self, workload: Workload) -> bool:
        if isinstance(self.answer, SourceError):
            raise self.answer
        return self.answer


def _owner(endpoint: str, *daemons: Daemon) -> Daemon:
    return daemon_of(daemons, Workload(ID, Kind.CONTAINER, "web", endpoint=endpoint), Daemon.knows)


def test_an_action_goes_to_the_engine_on_the_workloads_host() -> None:
    local, far = Daemon("", True), Daemon("far:2376", True)
    assert _owner("", far, local) is local
    assert _owner("far:2376", local, far) is far


def test_an_action_goes_nowhere_while_two_engines_say_that_they_have_it() -> None:
    with pytest.raises(SourceError, match="2 engines say that they have web, under the same id"):
        _owner("", Daemon("", True), Daemon("", True))


def test_a_far_engine_is_not_asked_in_place_of_one_here_that_does_not_answer() -> None:
    with pytest.raises(SourceDown, match="it is down"):
        _owner("", Daemon("far", True), Daemon("", SourceDown("it is down")))


def test_a_container_of_this_host_is_found_through_a_loopback_port() -> None:
    tunnel = Daemon("127.0.0.1:2375", True)
    assert _owner("", Daemon("", False), tunnel) is tunnel
    with pytest.raises(WorkloadGone):
        _owner("elsewhere", Daemon("elsewhere", False), tunnel)
