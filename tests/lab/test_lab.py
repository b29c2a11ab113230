"""The lab holds what the other tests build on: its daemons answer, its workloads cost what they should."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.helpers.lab.docker_engine import MIB, DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import CGROUPS, cgroups_named, find_program, wait_until
from tests.helpers.lab.uml import UmlLab

if TYPE_CHECKING:
    from libvirt import virConnect

PATIENCE_S = 90


def find_cgroup(name: str, file: str) -> Path:
    """Return the path of one file of a container's cgroup, in whichever hierarchy has it."""
    return next(group / file for group in cgroups_named(name) if (group / file).exists())


@pytest.mark.lab
class TestDocker:
    """The engine of the run."""

    def test_engine_answers_on_its_own_socket(self, docker_lab: DockerLab, lab_root: Path) -> None:
        assert docker_lab.url.startswith(f"unix://{lab_root}/")
        assert docker_lab.client.ping()

    def test_container_is_in_the_cgroup_tree(self, docker_lab: DockerLab) -> None:
        container = docker_lab.run("lab-idle", "sleep 1000", labels={"role": "idle"})
        assert find_cgroup(container, "cgroup.procs").read_text().strip()
        assert docker_lab.client.inspect_container(container)["Config"]["Labels"] == {"role": "idle"}
        docker_lab.remove(container)
        assert not cgroups_named(container)

    def test_busy_container_is_throttled(self, docker_lab: DockerLab) -> None:
        container = docker_lab.run_busy("lab-busy", cpus=0.5)
        wait_until(lambda: throttled_periods(container) > 2, PATIENCE_S, "throttling")
        docker_lab.remove(container)

    def test_memory_hog_holds_its_memory(self, docker_lab: DockerLab) -> None:
        container = docker_lab.run_memory_hog("lab-hog", held_mib=32, limit_mib=64)
        wait_until(lambda: 32 * MIB < memory_bytes(container) < 64 * MIB, PATIENCE_S, "32 MiB in use")
        docker_lab.remove(container)

    def test_pair_of_containers_exchanges_traffic(self, docker_lab: DockerLab) -> None:
        receiver, sender = docker_lab.run_traffic("lab-net")
        pid = docker_lab.client.inspect_container(receiver)["State"]["Pid"]
        wait_until(lambda: received_bytes(pid) > 8 * MIB, PATIENCE_S, "8 MiB of traffic")
        docker_lab.remove(sender)
        docker_lab.remove(receiver)


@pytest.mark.lab
class TestLibvirt:
    """The libvirt daemon of the run."""

    def test_virsh_sees_both_linux_guests_and_the_one_shut_off(
        self, libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]
    ) -> None:
        argv = [find_program("virsh"), "-c", libvirt_lab.uri, "list", "--all"]
        listing = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        states = {line.split()[1]: " ".join(line.split()[2:]) for line in listing.splitlines()[2:] if line}
        first, second = linux_guests
        assert states[first] == states[second] == "running"
        assert states[libvirt_lab.shut_off] == "shut off"

    def test_linux_guest_reads_writes_and_talks(self, libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> None:
        domain = libvirt_lab.connection.lookupByName(linux_guests[0])

        def is_at_work() -> bool:
            _, read_bytes, _, written_bytes, _ = domain.blockStats("vda")
            return bool(min(read_bytes, written_bytes) > MIB and domain.memoryStats().get("unused", 0) > 0)

        wait_until(is_at_work, PATIENCE_S, "disk work and balloon statistics")
        interface = libvirt_lab.guests[0].interface
        wait_until(lambda: domain.interfaceStats(interface)[0] > 10_000, PATIENCE_S, "traffic between guests")

    def test_boot_sector_guests_do_what_their_names_say(self, libvirt_lab: LibvirtLab) -> None:
        disk = libvirt_lab.start_tiny("lab-disk", BootSector.DISK)
        busy = libvirt_lab.start_tiny("lab-busy", BootSector.BUSY, cpu_share=0.2)
        connection = libvirt_lab.connection
        wait_until(lambda: connection.lookupByName(disk).blockStats("hda")[2] >= 2, PATIENCE_S, "two writes")
        wait_until(lambda: cpu_time_s(connection, busy) > 1, PATIENCE_S, "a second of CPU time")
        assert libvirt_lab.pid_of(busy) > 0
        libvirt_lab.remove(disk)
        libvirt_lab.remove(busy)
        assert not cgroups_named(busy)


@pytest.mark.lab
def test_user_mode_kernel_runs_the_marked_tests(uml_lab: UmlLab) -> None:
    argv = [sys.executable, "-m", "pytest", "-m", "uml", "-q", __file__]
    finished = uml_lab.run(argv)
    assert finished.returncode == 0, finished.stdout
    assert "3 passed" in finished.stdout


@pytest.mark.lab
def test_user_mode_kernel_passes_on_the_exit_status(uml_lab: UmlLab) -> None:
    finished = uml_lab.run(["sh", "-c", "echo $WORD; exit 7"], environment={"WORD": "it's"})
    assert (finished.returncode, finished.stdout) == (7, "it's\n")


@pytest.mark.uml
class TestInside:
    """What the user-mode kernel offers to the tests that run in it."""

    def test_cgroup_v2_has_all_controllers(self) -> None:
        controllers = (CGROUPS / "cgroup.subtree_control").read_text().split()
        assert {"cpu", "memory", "io", "pids"} <= set(controllers)

    def test_engine_runs_a_container_on_cgroup_v2(self, docker_lab: DockerLab) -> None:
        assert docker_lab.url == os.environ["DOCKER_HOST"]
        container = docker_lab.run_busy(cpus=0.5)
        wait_until(lambda: throttled_periods(container) > 2, PATIENCE_S, "throttling")

    def test_disk_writer_is_counted(self, docker_lab: DockerLab) -> None:
        container = docker_lab.run_disk_writer(mib_per_turn=1)
        io_stat = CGROUPS / "docker" / container / "io.stat"
        wait_until(lambda: "wbytes" in io_stat.read_text(), PATIENCE_S, "written bytes in io.stat")


def throttled_periods(container: str) -> int:
    """Return how often the container's CPU quota stopped it."""
    v1 = CGROUPS / "cpu" / "docker" / container / "cpu.stat"
    text = (v1 if v1.exists() else find_cgroup(container, "cpu.stat")).read_text()
    return int(dict(line.split() for line in text.splitlines())["nr_throttled"])


def memory_bytes(container: str) -> int:
    """Return the memory that the container's cgroup is charged with."""
    v1 = CGROUPS / "memory" / "docker" / container / "memory.usage_in_bytes"
    return int((v1 if v1.exists() else find_cgroup(container, "memory.current")).read_text())


def received_bytes(pid: int) -> int:
    """Return what the network namespace of a process received on its eth0."""
    lines = Path(f"/proc/{pid}/net/dev").read_text().splitlines()
    return int(next(line for line in lines if "eth0:" in line).split()[1])


def cpu_time_s(connection: "virConnect", domain: str) -> float:
    """Return the CPU time that a domain has used."""
    return float(connection.lookupByName(domain).getCPUStats(True)[0]["cpu_time"]) / 1e9
