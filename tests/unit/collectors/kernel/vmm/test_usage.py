"""What one VMM process uses, from a procfs of the test's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.kernel.vmm.families import FAMILIES
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.process import VmmProcess
from collectors.kernel.vmm.taps import InterfaceTables, Tap, taps_of, traffic
from collectors.kernel.vmm.usage import ProcessUsage
from collectors.model.workloads import State
from tests.helpers.process_tree import add_thread, capture

FACTS = MachineFacts("vmm", name="web", vcpus=2, memory_bytes=1 << 30)
STATUS = "VmRSS:\t  2048 kB\nVmSwap:\t  64 kB\nHugetlbPages:\t  4096 kB\n"
NET = (
    b"Inter-|   Receive |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes packets\n"
    b"  tap0: 100 3 0 1 0 0 0 0 900 7 0 2 0 0 0 0\n  mv0: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n"
)


class Vmm:
    """A VMM process with pid 42 in a procfs."""

    def __init__(self, folder: Path) -> None:
        self.proc = folder / "proc"
        self.sys = folder / "sys"
        self.write()
        process = VmmProcess(42, 500, 0, ("/",), FACTS, FAMILIES[0], "/usr/bin/qemu-system-x86_64", 1)
        self.usage = ProcessUsage(process, InterfaceTables(str(self.proc)), str(self.proc), str(self.sys))

    def write(self, ticks: int = 150, state: str = "S", start: int = 500, status: str = STATUS) -> None:
        folder = capture(self.proc, 42, "qemu (x)", state, start=start, ticks=ticks, status=status)
        (folder / "io").write_text("rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n")
        (folder / "task").mkdir(exist_ok=True)
        (folder / "fd").mkdir(exist_ok=True)
        (folder / "fdinfo").mkdir(exist_ok=True)
        (folder / "net").mkdir(exist_ok=True)
        (folder / "net/dev").write_bytes(NET)

    def open_file(self, number: int, target: str, info: str = "") -> None:
        (self.proc / f"42/fd/{number}").symlink_to(target)
        (self.proc / f"42/fdinfo/{number}").write_text(f"pos:\t0\nflags:\t02\n{info}")


@pytest.fixture
def vmm(tmp_path: Path) -> Vmm:
    return Vmm(tmp_path)


def test_the_process_is_what_the_machine_uses(vmm: Vmm) -> None:
    samples = vmm.usage.read()
    assert samples is not None
    own, machine = samples
    assert (own.cpu_total_ns, own.cpu_user_total_ns, own.cpu_system_total_ns) == (15 * 10**8, 12 * 10**8, 3 * 10**8)
    assert (own.memory_rss_bytes, own.memory_swap_bytes, own.memory_hugetlb_bytes) == (2 << 20, 64 << 10, 4 << 20)
    assert (own.disk_read_total_bytes, own.disk_write_total_bytes, own.pids) == (4096, 8192, 3)
    assert (machine.vcpus, machine.memory_limit_bytes, machine.vcpu_total_ns) == (2, 1 << 30, None)
    assert own.epoch == machine.epoch == "42-500"


def test_virtual_cpus_are_threads_with_their_names_and_never_use_less_than_before(vmm: Vmm) -> None:
    add_thread(vmm.proc, 42, 43, "CPU 0/KVM", ticks=10, waited_ns=5)
    add_thread(vmm.proc, 42, 44, "CPU 1/KVM", ticks=20, waited_ns=7)
    add_thread(vmm.proc, 42, 45, "worker", ticks=99, waited_ns=99)
    first = vmm.usage.read()
    assert first is not None
    assert (first[1].vcpus, first[1].vcpu_total_ns, first[1].steal_total_ns) == (2, 3 * 10**8, 12)
    (vmm.proc / "42/task/44/schedstat").write_text("")  # it has been unplugged
    second = vmm.usage.read()
    assert second is not None
    assert (second[1].vcpus, second[1].vcpu_total_ns, second[1].steal_total_ns) == (1, 3 * 10**8, 12)


def test_a_process_that_ended_or_whose_pid_is_another_ones_is_none(vmm: Vmm) -> None:
    assert vmm.usage.read() is not None
    vmm.write(start=900)
    assert vmm.usage.read() is None


def test_a_zombie_is_none(vmm: Vmm) -> None:
    vmm.write(state="Z")
    assert vmm.usage.read() is None


def test_an_empty_or_cut_file_is_none(vmm: Vmm) -> None:
    (vmm.proc / "42/stat").write_text("42 (qemu")
    assert vmm.usage.read() is None


def test_a_stopped_process_is_a_paused_machine(vmm: Vmm) -> None:
    vmm.write(state="T")
    assert vmm.usage.read() is not None
    assert vmm.usage.state is State.PAUSED


def test_what_may_not_be_read_is_missing_and_not_zero(tmp_path: Path) -> None:
    vmm = Vmm(tmp_path)
    (vmm.proc / "42/io").unlink()
    (vmm.proc / "42/fd").rmdir()
    vmm.write(status="")
    (vmm.proc / "42/fd").rmdir()
    (vmm.proc / "42/io").unlink()
    usage = ProcessUsage(vmm.usage.process, InterfaceTables(str(vmm.proc)), str(vmm.proc), str(vmm.sys))
    samples = usage.read()
    assert samples is not None
    assert (samples[0].disk_read_total_bytes, samples[0].memory_rss_bytes, samples[1].net_rx_total_bytes) == (None,) * 3
    assert (usage.has_disk_counters, usage.taps) == (False, None)


def test_the_traffic_is_that_of_its_taps_seen_from_inside(vmm: Vmm) -> None:
    vmm.open_file(9, "/dev/net/tun", "iff:\ttap0\n")
    vmm.open_file(10, "/dev/net/tun", "iff:\ttap0\n")  # a second queue
    vmm.open_file(11, "/dev/null")
    samples = vmm.usage.read()
    assert samples is not None
    machine = samples[1]
    assert (machine.net_rx_total_bytes, machine.net_tx_total_bytes, machine.net_drops_total) == (900, 100, 3)


def test_a_macvtap_is_seen_as_the_machine_sees_it(vmm: Vmm) -> None:
    (vmm.sys / "class/net/mv0").mkdir(parents=True)
    (vmm.sys / "class/net/mv0/ifindex").write_text("17\n")
    vmm.open_file(9, "/dev/tap17")
    assert taps_of(42, str(vmm.proc), str(vmm.sys)) == (Tap(b"mv0", False),)
    samples = vmm.usage.read()
    assert samples is not None
    assert (samples[1].net_rx_total_bytes, samples[1].net_tx_total_bytes) == (10, 20)


def test_a_tap_that_is_in_no_table_has_no_traffic() -> None:
    assert traffic((Tap(b"gone", True),), {}) is None
