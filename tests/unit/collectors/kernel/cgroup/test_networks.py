"""Whose network a container's numbers are, and that a group's first process may change. Against trees of files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from collectors.model.workloads import WorkloadId
from collectors.sampling.source import SourceReading
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import TICKS_PER_SECOND, UUID, opened

SLOW_EVERY = 5
FIRST, SECOND = "a" * 64, "b" * 64
COUNTERS = {"cpu.stat": "usage_usec 5000\n", "cgroup.events": "populated 1\nfrozen 0\n"}


def table(*names: str) -> str:
    """Return a table of interfaces; each but the loopback received 5 bytes."""
    lines = [f"  {name}: 5 2 0 0 0 0 0 0 6 3 0 0 0 0 0 0\n" for name in names]
    return "Inter-|\n face |\n    lo: 9 9 0 0 0 0 0 0 9 9 0 0 0 0 0 0\n" + "".join(lines)


class Host:
    """A cgroup v2 tree and a procfs, of ordinary files."""

    def __init__(self, folder: Path) -> None:
        self.root, self.proc = folder / "cgroup", folder / "proc"
        write(self.root, {"cgroup.controllers": "cpu io memory pids"})
        write(self.proc, {"stat": "cpu  1 2 3\nbtime 1700000000\n", "meminfo": "MemTotal: 4000 kB\n"})

    def run(self, path: str, pid: int, began_s: int, interfaces: str, network: str | None = None) -> None:
        """Put a process into a group, alone."""
        write(self.root / path, {**COUNTERS, "cgroup.procs": f"{pid}\n"})
        self.process(pid, began_s, interfaces, network)

    def process(self, pid: int, began_s: int, interfaces: str, network: str | None = None, parent: int = 1) -> None:
        stat = f"{pid} (x) S {parent} " + " ".join(["0"] * 17) + f" {began_s * TICKS_PER_SECOND} 0 0\n"
        write(self.proc / str(pid), {"stat": stat, "cmdline": "nginx\0", "net/dev": interfaces})
        if network is not None:
            (self.proc / str(pid) / "ns").mkdir()
            os.symlink(network, self.proc / str(pid) / "ns" / "net")


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def received(reading: SourceReading, identity: str = FIRST) -> int | None:
    return reading.samples[WorkloadId("docker", identity)][0].net_rx_total_bytes


def test_a_network_that_two_share_counts_once_and_for_the_second_when_the_first_has_gone(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table("eth0"), "net:[7]")
    host.run(f"docker/{SECOND}", 11, 60, table("eth0"), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    for _ in range(2):  # whichever was read first: the older one has it from the second reading on
        reading = source.read()
    assert (received(reading), received(reading, SECOND)) == (5, None)
    shutil.rmtree(host.root / "docker" / FIRST)
    assert received(source.read(), SECOND) == 5
    source.close()


def test_a_container_in_the_hosts_network_has_none_of_its_own(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table("eth0"), "net:[1]")
    source = opened(host.root, proc=str(host.proc))
    assert received(source.read()) is None
    source.close()


@pytest.mark.parametrize(("hosts", "own"), [("net:[1]", None), (None, "net:[7]"), (None, None)])
@pytest.mark.parametrize(("interfaces", "counted"), [(("eth0",), None), (("eth1",), 5)])
def test_where_a_network_may_not_be_seen_its_interfaces_tell_whether_it_is_the_hosts(
    host: Host, hosts: str | None, own: str | None, interfaces: tuple[str, ...], counted: int | None
) -> None:
    host.process(1, 0, table("eth0"), hosts)
    host.run(f"docker/{FIRST}", 10, 50, table(*interfaces), own)
    source = opened(host.root, proc=str(host.proc))
    assert received(source.read()) == counted
    source.close()


def test_a_container_whose_pids_have_wrapped_keeps_its_network_and_its_start(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 12368, 50, table("eth0"), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    for child in range(401, 407):  # short-lived, one after the other, with lower pids than the main process
        host.process(child, 900 + child, table("eth0"), "net:[7]")
        write(host.root / "docker" / FIRST, {"cgroup.procs": f"{child}\n12368\n"})
        reading = source.read()
        assert received(reading) == 5
        assert reading.workloads[WorkloadId("docker", FIRST)].started_at == 1_700_000_050.0
        shutil.rmtree(host.proc / str(child))
    source.close()


@pytest.mark.parametrize("is_zombie", [False, True])
def test_the_network_stays_when_the_first_process_ends_and_others_go_on(host: Host, is_zombie: bool) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table("eth0"), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    source.read()
    host.process(11, 60, table("eth0"), "net:[7]")
    write(host.root / "docker" / FIRST, {"cgroup.procs": "10\n11\n" if is_zombie else "11\n"})
    if is_zombie:  # it has a stat, and no namespaces
        (host.proc / "10" / "net" / "dev").unlink()
        write(host.proc / "10", {"stat": "10 (x) Z 1 " + " ".join(["0"] * 17) + " 5000 0 0\n"})
    else:
        shutil.rmtree(host.proc / "10")
    assert [received(source.read()) for _ in range(2 * SLOW_EVERY)] == [5] * 2 * SLOW_EVERY
    source.close()


def test_the_network_of_a_process_that_was_given_the_pid_is_not_taken_for_the_containers(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table("eth0"), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    source.read()
    shutil.rmtree(host.proc / "10")
    write(host.root / "docker" / FIRST, {"cgroup.procs": ""})
    host.process(10, 90, table("eth9"), "net:[9]")
    assert [received(source.read()) for _ in range(2 * SLOW_EVERY)] == [None] * 2 * SLOW_EVERY
    source.close()


@pytest.mark.parametrize("folder", ["ecs/task", "jobs/a/b", "system.slice/runner.service/jobs"])
def test_a_network_belongs_to_the_container_and_not_to_what_is_around_it(host: Host, folder: str) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    for level in Path(folder).parents[-2::-1]:
        write(host.root / level, {**COUNTERS, "cgroup.procs": ""})
    host.run(f"{folder}/{FIRST}", 10, 50, table("eth0"), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    for _ in range(3):
        reading = source.read()
    source.close()
    assert received(reading) == 5
    others = [identity for identity in reading.workloads if identity.id != FIRST]
    assert all(reading.samples[identity][0].net_rx_total_bytes is None for identity in others)
    assert [identity.id for identity in others] == (["/system.slice/runner.service"] if "service" in folder else [])


@pytest.mark.parametrize("began_s", [20, 90])
@pytest.mark.parametrize(
    "fake",
    [
        f"user.slice/user-1000.slice/user@1000.service/docker-{FIRST}.scope",
        f"user.slice/user-1000.slice/user@1000.service/app.slice/docker-{FIRST}.scope",
        f"docker/{SECOND}/{FIRST}",
    ],
)
def test_a_cgroup_of_a_user_or_in_a_container_with_the_id_of_another_container_does_not_replace_its_numbers(
    host: Host, fake: str, began_s: int
) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table("eth0"), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    source.read()
    host.process(9, 1, table("eth0"), "net:[1]")
    write(host.proc / "9", {"cgroup": "0::/system.slice/sshd.service\n"})
    write(host.root / fake, {**COUNTERS, "cgroup.procs": "11\n"})
    host.process(11, began_s, table("eth0"), "net:[8]", parent=9)
    write(host.root / fake, {"cpu.stat": "usage_usec 1\n"})
    for _ in range(2 * SLOW_EVERY):
        reading = source.read()
        workload = reading.workloads[WorkloadId("docker", FIRST)]
        assert workload.cgroup == f"/docker/{FIRST}"
        assert reading.samples[workload.id][0].cpu_total_ns == 5_000_000
    assert f"/{fake}" in source._groups
    source.close()


class TestContainerBelowAContainer:
    """The outer one is idle in a network of its own; the inner one is in another, as `--cgroup-parent` makes it."""

    @pytest.fixture
    def nested_host(self, host: Host) -> Host:
        host.process(1, 0, table("eth0"), "net:[1]")
        host.process(2, 10, table("eth0"), "net:[1]")
        write(host.proc / "2", {"cgroup": "0::/system.slice/containerd.service\n"})
        host.process(3, 60, table("eth0"), "net:[7]")
        write(host.proc / "3", {"cgroup": f"0::/docker/{FIRST}/init\n"})
        write(host.root / "docker" / FIRST, {**COUNTERS, "cgroup.procs": ""})
        write(host.root / "docker" / FIRST / "init", {"cgroup.procs": "10\n"})
        host.process(10, 50, table("eth0"), "net:[7]", parent=2)
        return host

    def run_below(self, host: Host, parent: int) -> SourceReading:
        write(host.root / "docker" / FIRST / SECOND, {**COUNTERS, "cgroup.procs": "11\n", "cpu.stat": "usage_usec 9\n"})
        host.process(11, 70, table("eth0", "eth1"), "net:[8]", parent=parent)
        source = opened(host.root, proc=str(host.proc))
        for _ in range(2):
            reading = source.read()
        source.close()
        return reading

    def test_one_of_the_hosts_engine_is_a_row_with_its_own_numbers(self, nested_host: Host) -> None:
        reading = self.run_below(nested_host, parent=2)
        outer, inner = WorkloadId("docker", FIRST), WorkloadId("docker", SECOND)
        assert reading.workloads.keys() == {outer, inner}
        assert (received(reading), received(reading, SECOND)) == (5, 10)
        assert reading.samples[inner][0].cpu_total_ns == 9000
        assert (reading.workloads[inner].parent, reading.workloads[outer].parent) == (outer, None)

    def test_one_of_an_engine_inside_is_part_of_the_outer_one(self, nested_host: Host) -> None:
        reading = self.run_below(nested_host, parent=3)
        assert reading.workloads.keys() == {WorkloadId("docker", FIRST)}
        assert received(reading) == 5

    def test_one_without_a_process_is_waited_for(self, nested_host: Host) -> None:
        write(nested_host.root / "docker" / FIRST / SECOND, {**COUNTERS, "cgroup.procs": ""})
        source = opened(nested_host.root, proc=str(nested_host.proc))
        assert len(source.read().workloads) == 1
        write(nested_host.root / "docker" / FIRST / SECOND, {"cgroup.procs": "11\n"})
        nested_host.process(11, 70, table("eth0"), "net:[8]", parent=2)
        for _ in range(SLOW_EVERY + 1):
            reading = source.read()
        source.close()
        assert len(reading.workloads) == 2


@pytest.mark.parametrize(("interfaces", "is_said"), [(("eth1",), False), (("eth1", "br0"), True)])
def test_that_names_decide_which_interfaces_count_is_said_where_it_matters(
    host: Host, interfaces: tuple[str, ...], is_said: bool
) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table(*interfaces), "net:[7]")
    source = opened(host.root, proc=str(host.proc))
    reading = source.read()
    assert received(reading) == 5
    assert ("judged by their names" in reading.unseen) is is_said
    source.close()


def test_the_hosts_interfaces_are_looked_at_anew_in_each_reading(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(f"docker/{FIRST}", 10, 50, table("eth0"))
    source = opened(host.root, proc=str(host.proc))
    assert received(source.read()) is None
    write(host.proc / "1", {"net/dev": table("eth0", "veth1")})
    assert received(source.read()) == 5
    source.close()


def test_a_service_keeps_its_start_when_its_first_process_ends(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run("system.slice/web.service", 10, 50, table("eth0"), "net:[1]")
    identity = WorkloadId("systemd", "/system.slice/web.service")
    source = opened(host.root, proc=str(host.proc))
    assert source.read().workloads[identity].started_at == 1_700_000_050.0
    shutil.rmtree(host.proc / "10")
    host.run("system.slice/web.service", 11, 90, table("eth0"), "net:[1]")
    for _ in range(SLOW_EVERY + 1):
        reading = source.read()
    (group,) = source._groups.values()
    source.close()
    assert group._identity.pid == 11, "it was identified again"
    assert reading.workloads[identity].started_at == 1_700_000_050.0


def test_a_group_that_was_empty_begins_with_its_first_process(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    write(host.root / "docker" / FIRST, {**COUNTERS, "cgroup.procs": ""})
    source = opened(host.root, proc=str(host.proc))
    assert source.read().workloads[WorkloadId("docker", FIRST)].started_at is None
    host.run(f"docker/{FIRST}", 11, 90, table("eth1"), "net:[7]")
    for _ in range(SLOW_EVERY + 1):
        reading = source.read()
    source.close()
    assert reading.workloads[WorkloadId("docker", FIRST)].started_at == 1_700_000_090.0
    assert received(reading) == 5


def test_a_machine_that_is_ending_keeps_the_id_that_its_process_told(host: Host) -> None:
    host.process(1, 0, table("eth0"), "net:[1]")
    scope = "machine.slice/machine-qemu\\x2d3\\x2dcut.scope"
    host.run(scope, 77, 50, table("eth0"))
    write(host.proc / "77", {"cmdline": f"/usr/bin/qemu\0-name\0guest=cut short\0-uuid\0{UUID}\0"})
    source = opened(host.root, proc=str(host.proc))
    assert list(source.read().workloads) == [WorkloadId("qemu", UUID)]
    shutil.rmtree(host.proc / "77")
    write(host.root / scope, {"cgroup.procs": ""})
    for _ in range(SLOW_EVERY + 1):
        reading = source.read()
    source.close()
    assert [(one.id.id, one.name) for one in reading.workloads.values()] == [(UUID, "cut short")]
