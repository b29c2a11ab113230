"""What keeps a workload apart, and what a virtual machine's memory costs: from the kernel's own files."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.engines.connections import EngineConnections
from collectors.inspection.details import DetailsReader
from collectors.kernel.isolation import NAMESPACES, capability_names, isolation_table, read_isolation
from collectors.kernel.qemu_memory import GuestMemory, guest_sizes, parse_mappings, read_guest_memory
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tui.cli.sampling import gather

MIB = 1 << 20
SMAPS = b"""\
55d0c0000000-55d0c0400000 r-xp 00000000 fe:00 131 /usr/bin/qemu-system-x86_64
Size:               4096 kB
KernelPageSize:        4 kB
Rss:                3000 kB
Pss:                1500 kB
7f10a0000000-7f10b0000000 rw-p 00000000 00:00 0
Size:             262144 kB
Rss:              100000 kB
Pss:              100000 kB
7f10c0000000-7f10c2000000 rwxp 00000000 00:00 0
Size:              32768 kB
Rss:               20000 kB
"""


def test_the_overhead_is_what_is_resident_beside_the_guests_resident_memory() -> None:
    found = parse_mappings(SMAPS, {256 * MIB})
    assert found == GuestMemory(123_000 * 1024, 100_000 * 1024, 256 * MIB)
    assert found is not None
    assert found.overhead == 23_000 * 1024, "not the resident size less what is assigned, which would be below zero"


def test_guest_memory_on_hugepages_is_resident_although_it_has_no_resident_size() -> None:
    plain = b"Size:             262144 kB\nRss:              100000 kB\n"
    huge = (
        b"Size:             262144 kB\nRss:                   0 kB\nShared_Hugetlb:   {} kB\nPrivate_Hugetlb:   {} kB\n"
    )
    for shared, private in ((b"262144", b"0"), (b"0", b"262144")):
        smaps = SMAPS.replace(plain, huge.replace(b"{}", shared, 1).replace(b"{}", private, 1))
        found = parse_mappings(smaps, {256 * MIB})
        assert found == GuestMemory(23_000 * 1024 + 256 * MIB, 256 * MIB, 256 * MIB)


def test_without_a_mapping_of_the_guests_size_nothing_is_told() -> None:
    assert parse_mappings(SMAPS, {512 * MIB}) is None
    assert parse_mappings(b"", {MIB}) is None


@pytest.mark.parametrize(
    ("words", "sizes"),
    [
        (["-m", "256"], {256 * MIB}),
        (["-m", "size=262144k,slots=4,maxmem=8G"], {256 * MIB}),
        (["-m", "2G"], {2048 * MIB}),
        (["-object", '{"qom-type":"memory-backend-ram","id":"pc.ram","size":268435456}', "-m", "256"], {256 * MIB}),
        (["-object", "memory-backend-memfd,id=ram,size=64M,share=on", "-m", "64"], {64 * MIB}),
        (["-object", '{"qom-type":"secret","size":5}', "-name", "m"], set()),
        (["-m"], set()),
        (["-m", "much"], set()),
    ],
)
def test_the_guests_memory_is_found_on_the_command_line(words: list[str], sizes: set[int]) -> None:
    assert guest_sizes([b"qemu", *(word.encode() for word in words)]) == sizes


def test_capabilities_have_their_names() -> None:
    assert capability_names(0) == []
    assert capability_names(1 << 21 | 1) == ["chown", "sys_admin"]
    docker = capability_names(0x00000000A80425FB)
    assert len(docker) == 14
    assert "net_raw" in docker
    assert "sys_admin" not in docker
    assert capability_names(1 << 63) == ["63"]


def test_ones_own_process_is_told_as_the_kernel_tells_it() -> None:
    found = read_isolation(os.getpid())
    status = Path("/proc/self/status").read_text()
    host = 2 if Path("/proc/2/comm").read_text().strip() == "kthreadd" else 1
    for name in found.own or ():
        assert os.readlink(f"/proc/self/ns/{name}") != os.readlink(f"/proc/{host}/ns/{name}")
    if found.own is not None and found.shared is not None:
        known = {name for name in NAMESPACES if os.path.lexists(f"/proc/self/ns/{name}")}
        assert set(found.own) | set(found.shared) == known
    bits = re.search(r"CapEff:\s*([0-9a-f]+)", status)
    assert bits is not None
    assert found.capabilities == int(bits[1], 16)
    assert found.uid == os.geteuid()


def test_a_process_that_has_gone_is_told_as_unknown() -> None:
    gone = subprocess.Popen(["sleep", "0"])
    gone.wait()
    found = read_isolation(gone.pid)
    assert (found.seccomp, found.capabilities, found.uid, found.user_ids) == (None, None, None, None)
    assert isolation_table(Kind.CONTAINER, None) == []
    assert read_guest_memory(gone.pid) is None


# --- on the real daemons ---------------------------------------------------------------------------------------------


@pytest.fixture
def walled(docker_lab: DockerLab) -> Iterator[dict[str, str]]:
    """An ordinary container, and one with the host's namespaces and no privileges."""
    names = {
        "plain": docker_lab.run("walled-plain", "sleep 1000"),
        "open": docker_lab.run(
            "walled-open", "sleep 1000", cap_drop=["ALL"], pid_mode="host", ipc_mode="host", network_mode="host"
        ),
    }
    yield names
    for identity in names.values():
        docker_lab.remove(identity)


def first_pid(lab: DockerLab, identity: str) -> int:
    return int(lab.client.inspect_container(identity)["State"]["Pid"])


@pytest.mark.lab
def test_a_container_is_as_apart_as_its_engine_made_it(docker_lab: DockerLab, walled: dict[str, str]) -> None:
    plain, opened = (read_isolation(first_pid(docker_lab, walled[name])) for name in ("plain", "open"))
    assert set(plain.own or ()) >= {"mnt", "pid", "net", "ipc", "uts"}
    assert "user" in (plain.shared or ())
    assert plain.user_ids == "the host's: its root is the host's root"
    assert len(capability_names(plain.capabilities or 0)) == 14
    assert {"pid", "net", "ipc"} <= set(opened.shared or ())
    assert opened.capabilities == 0


@pytest.mark.lab
def test_the_detail_page_has_the_walls_of_a_container(docker_lab: DockerLab, walled: dict[str, str]) -> None:
    specs = [SourceSpec("cgroup"), SourceSpec("docker", {"url": docker_lab.url})]
    found = next(one for one in gather(specs).frame.workloads.values() if one.id.id == walled["plain"])
    details = DetailsReader(EngineConnections(specs)).read(found)
    (table,) = [table for table in details.tables if table.title == "What keeps its first process apart"]
    facts = {fact.label: fact.value for fact in table.facts}
    assert "net" in str(facts["namespaces of its own"])
    assert str(facts["capabilities in force"]).startswith("14: ")


@pytest.mark.lab
def test_the_overhead_of_a_guest_agrees_with_the_kernel_and_libvirt(
    libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]
) -> None:
    name = linux_guests[0]
    pid = libvirt_lab.pid_of(name)
    found = read_guest_memory(pid)
    assert found is not None
    domain = libvirt_lab.connection.lookupByName(name)
    assert found.assigned == domain.memoryStats()["actual"] * 1024
    rollup = re.search(r"Rss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text())
    assert rollup is not None
    assert found.resident == pytest.approx(int(rollup[1]) * 1024, rel=0.05)
    assert found.resident == pytest.approx(domain.memoryStats()["rss"] * 1024, rel=0.05)
    assert 0 < found.guest <= found.assigned
    assert found.overhead > 10 * MIB, "QEMU itself and its translated code"
    specs = [SourceSpec("cgroup"), SourceSpec("libvirt", {"uri": libvirt_lab.uri})]
    workload = next(one for one in gather(specs).frame.workloads.values() if one.name == name)
    details = DetailsReader(EngineConnections(specs)).read(workload)
    (table,) = [table for table in details.tables if table.title == "Memory of its VMM process"]
    facts = {fact.label: fact.value for fact in table.facts}
    assert facts["assigned to the guest"] == found.assigned


@pytest.mark.lab
def test_a_workload_without_a_cgroup_here_has_no_such_page() -> None:
    away = Workload(WorkloadId("docker", "f" * 64), Kind.CONTAINER, "away", State.RUNNING, endpoint="elsewhere")
    assert all("apart" not in table.title for table in DetailsReader(EngineConnections([])).read(away).tables)
