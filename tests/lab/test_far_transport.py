"""The line to a real host: its pace, what is left of it on either side, and a cable that is pulled out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import load_source, specs_of
from collectors.model.workloads import Availability, WorkloadId
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab
VMTOP = str(Path(sys.executable).with_name("vmtop"))
NAMES = ("hv01", "hv03")


@pytest.fixture
def watch(far_lab: FarHosts) -> Iterator[Watch]:
    """Two hosts, one of them behind a jump host, watched until both answer."""
    with far_lab.as_client():
        watching = Watch(specs_of([HostSpec(name, name) for name in NAMES]), 1.0, load_source)
        try:
            watching.until_all(Availability.OK, *NAMES)
            yield watching
        finally:
            watching.stop()


def recorders(far_lab: FarHosts, name: str) -> list[str]:
    """Return the processes of a host that record for another one."""
    lines = far_lab.hosts[name].inside("ps", "-ww", "-eo", "pid,args").splitlines()
    return [line for line in lines if "/vmtop record - --control" in line]


def is_quiet(far_lab: FarHosts, name: str) -> bool:
    """Return whether nothing on a host records for another one."""
    return not recorders(far_lab, name)


def test_another_interval_reaches_the_hosts_and_their_rates_stay(watch: Watch) -> None:
    watch.until(lambda moment: {one.interval_s for one in moment.frame.hosts.values()} == {1.0}, "a frame a second")
    watch.sampler.set_interval(0.5)
    watch.until(lambda moment: {one.interval_s for one in moment.frame.hosts.values()} == {0.5}, "two frames a second")
    moment = watch.newest()
    for name in NAMES:
        host = moment.frame.hosts[name].workload
        assert isinstance(host, WorkloadId)
        assert moment.readings[host].value("cpu_percent") is not None


def test_the_version_of_each_vmtop_is_known(watch: Watch) -> None:
    assert all(one.facts["vmtop"] for one in watch.newest().frame.hosts.values())


def test_a_cable_that_is_pulled_out_makes_a_host_stale_at_once_and_the_others_go_on(
    far_lab: FarHosts, watch: Watch
) -> None:
    host = far_lab.hosts["hv01"]
    watch.newest()
    host.set_link(False)
    pulled = time.monotonic()
    try:
        watch.until(
            lambda moment: any(
                (state.name, state.availability) == ("hv01", Availability.STALE) for state in moment.own_sources
            ),
            "hv01 being stale",
            frames=10,
        )
        assert time.monotonic() - pulled < 6, "three seconds, and what a busy machine adds"
        states = {state.name: state for state in watch.next().own_sources}
        assert states["hv03"].availability is Availability.OK
        assert states["hv01"].reason.startswith("hv01 has not responded for")
    finally:
        host.set_link(True)
    watch.until_all(Availability.OK, *NAMES, frames=60)


def test_nothing_runs_over_there_once_it_is_not_watched_any_more(far_lab: FarHosts, watch: Watch) -> None:
    assert len(recorders(far_lab, "hv01")) == 1
    watch.stop()
    wait_until(lambda: not recorders(far_lab, "hv01"), 15, "the end of the vmtop over there")


def test_a_vmtop_that_is_killed_leaves_none_behind(far_lab: FarHosts, tmp_path: Path) -> None:
    with far_lab.as_client():
        words = [VMTOP, "record", str(tmp_path / "x.vmtop.gz"), "--host", "hv01", "--host", "hv03"]
        environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
        recording = subprocess.Popen(words, stderr=subprocess.DEVNULL, env=environment)
        try:
            wait_until(lambda: all(recorders(far_lab, name) for name in NAMES), 30, "recorders on both")
            time.sleep(2)
        finally:
            recording.send_signal(signal.SIGKILL)
            recording.wait()
        for name in NAMES:
            wait_until(partial(is_quiet, far_lab, name), 15, f"the end of the vmtop on {name}")
