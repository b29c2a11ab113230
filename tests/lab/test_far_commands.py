"""Commands on several hosts with equal names, ids and UUIDs: each means one host's workload, or none."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import PIPE, STDOUT

import pytest

from tests.helpers.lab.far_hosts import FarHosts
from tests.helpers.lab.process import wait_until

pytestmark = pytest.mark.lab
NAMES = ("hv01", "hv02")
CLONE = "5c1f2a54-9d1c-4d0e-8f3b-0123456789ab"
"""The UUID of a virtual machine that both hosts have."""
VMTOP = str(Path(sys.executable).with_name("vmtop"))


@pytest.fixture(scope="module")
def pair(far_lab: FarHosts) -> Iterator[FarHosts]:
    """Two hosts with a container `web` and a machine `clone` on each."""
    hosts = [far_lab.hosts[name] for name in NAMES]
    for host in hosts:
        host.run("web")
        host.start_domain("clone", CLONE)
    with far_lab.as_client():
        yield far_lab
    for host in hosts:
        host.inside("docker", "rm", "-f", "web")
        host.stop_domain("clone")


def test_the_list_has_the_host_of_each(pair: FarHosts) -> None:
    done = vmtop("list", "--all", "--json", *choosing(*NAMES))
    assert done.returncode == 0, done.stderr
    listed = [(one["host"], one["name"]) for one in json.loads(done.stdout)["workloads"]]
    assert {host for host, name in listed if name == "web"} == set(NAMES)


def test_machines_with_one_uuid_on_two_hosts_are_two_workloads(pair: FarHosts) -> None:
    done = vmtop("list", "--json", *choosing(*NAMES))
    clones = [one for one in json.loads(done.stdout)["workloads"] if one["name"] == "clone"]
    assert sorted((one["host"], one["id"]) for one in clones) == [("hv01", CLONE), ("hv02", CLONE)]


def test_a_name_that_several_hosts_have_is_not_acted_on(pair: FarHosts) -> None:
    done = vmtop("stop", "web", "--yes", *choosing(*NAMES))
    assert done.returncode == 3, done
    assert "hv01" in done.stderr
    assert "hv02" in done.stderr
    assert all("web" in pair.hosts[name].container_names() for name in NAMES)


def test_a_container_is_stopped_on_its_host_and_nowhere_else(pair: FarHosts) -> None:
    done = vmtop("kill", "web", "--yes", *choosing("hv02"))
    assert done.returncode == 0, done
    assert {name: "web" in pair.hosts[name].container_names() for name in NAMES} == {"hv01": True, "hv02": False}
    done = vmtop("start", "web", "--yes", *choosing("hv02"))
    assert done.returncode == 0, done
    assert "web" in pair.hosts["hv02"].container_names()


def test_a_machine_is_forced_off_on_its_host_and_its_clone_runs_on(pair: FarHosts) -> None:
    done = vmtop("kill", "vm:clone", "--yes", *choosing("hv01"))
    assert done.returncode == 0, done
    assert {name: pair.hosts[name].domain_names() for name in NAMES} == {"hv01": set(), "hv02": {"clone"}}


def test_a_host_that_loses_power_during_an_action_leaves_the_outcome_unknown(far_lab: FarHosts) -> None:
    host = far_lab.add("hv05")
    host.wait_ready()
    host.run("slow", "trap '' TERM; while :; do sleep 1; done")
    words = [VMTOP, "stop", "slow", "--yes", "--timeout", "100", "--host", "hv05"]
    try:
        with far_lab.as_client(), subprocess.Popen(words, stdout=PIPE, stderr=STDOUT, text=True) as process:
            wait_until(
                lambda: process.poll() is not None or " stop " in host.inside("ps", "axww"), 90, "the action over there"
            )
            host.kill()
            said, _ = process.communicate(timeout=120)
    finally:
        far_lab.remove("hv05")
    assert process.returncode == 7, said
    assert "unknown" in said


def choosing(*names: str) -> list[str]:
    """Return the options that choose hosts."""
    return [word for name in names for word in ("--host", name)]


def vmtop(*words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of vmtop's."""
    return subprocess.run([VMTOP, *words], capture_output=True, text=True, timeout=120)
