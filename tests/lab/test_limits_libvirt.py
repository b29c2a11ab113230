"""Limits of real domains of libvirt: of the run, of the definition, in the kernel, in virsh, and back."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from collectors.model.actions import Result
from collectors.model.limits import Amount, Lasts, LimitKey, Way
from collectors.model.workloads import Workload
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.limits import MIB, LimitsLab
from tests.helpers.lab.process import CGROUPS, find_program

pytestmark = pytest.mark.lab
KEPT = Way(is_kept=True)


@pytest.fixture
def limits(libvirt_lab: LibvirtLab) -> LimitsLab:
    return LimitsLab(SourceSpec("libvirt", {"uri": libvirt_lab.uri}))


@pytest.fixture
def guest(limits: LimitsLab, linux_guests: tuple[str, str]) -> Workload:
    return limits.find(linux_guests[0])


@pytest.fixture
def roomy(libvirt_lab: LibvirtLab) -> Iterator[str]:
    """Give a domain with two of four virtual CPUs and no balloon."""
    name = f"roomy-{os.getpid()}"
    xml = BootSector.IDLE.xml(name, libvirt_lab.folder, 16, "")
    xml = xml.replace("<vcpu>1</vcpu>", "<vcpu current='2'>4</vcpu>")
    libvirt_lab.connection.defineXML(xml).create()
    yield name
    libvirt_lab.remove(name)


def virsh(lab: LibvirtLab, *words: str) -> dict[str, str]:
    """Return the pairs that a command of virsh prints."""
    argv = [find_program("virsh"), "-c", lab.uri, *words]
    text = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    pairs = (line.partition(":") for line in text.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def vcpu_file(name: str, v1: str, v2: str) -> str:
    """Return the text of a file in the control group of a domain's first virtual CPU."""
    paths = [path for file in (v1, v2) for path in CGROUPS.glob(f"**/*{name}*/**/vcpu0/{file}")]
    return paths[0].read_text().strip()


def test_the_quota_is_that_of_all_virtual_cpus_together(libvirt_lab: LibvirtLab, limits: LimitsLab, roomy: str) -> None:
    vm = limits.find(roomy)
    assert limits.value(vm, LimitKey.CPU) is None
    applied = limits.set(vm, LimitKey.CPU, 1)
    assert vcpu_file(roomy, "cpu.cfs_quota_us", "cpu.max") in ("50000", "50000 100000")
    assert virsh(libvirt_lab, "schedinfo", roomy, "--live")["vcpu_quota"] == "50000"
    assert virsh(libvirt_lab, "schedinfo", roomy, "--config")["vcpu_quota"] == "0"
    limits.undo(applied)
    assert vcpu_file(roomy, "cpu.cfs_quota_us", "cpu.max") in ("-1", "max 100000")
    assert "it can have 2 at most" in limits.plan(vm, LimitKey.CPU, 3).refusal


def test_what_is_kept_is_in_the_definition_and_each_gets_its_own_value_back(
    libvirt_lab: LibvirtLab, limits: LimitsLab, guest: Workload
) -> None:
    domain = libvirt_lab.connection.lookupByName(guest.name)
    domain.setSchedulerParametersFlags({"cpu_shares": 512}, 2)
    plan = limits.plan(guest, LimitKey.CPU_WEIGHT, 200, KEPT)
    assert (plan.changes[0].lasts, limits.plan(guest, LimitKey.CPU_WEIGHT, 200).changes[0].lasts) == (
        Lasts.ALWAYS,
        Lasts.RUN,
    )
    assert [command.partition(guest.name)[2] for command in plan.changes[0].commands] == [
        " --live cpu_shares=2048",
        " --config cpu_shares=2048",
    ]
    applied = limits.setter.apply(plan)
    assert applied.result is Result.DONE
    for scope in ("--live", "--config"):
        assert virsh(libvirt_lab, "schedinfo", guest.name, scope)["cpu_shares"] == "2048"
    limits.undo(applied)
    assert virsh(libvirt_lab, "schedinfo", guest.name, "--live")["cpu_shares"] == "1024"
    assert virsh(libvirt_lab, "schedinfo", guest.name, "--config")["cpu_shares"] == "512"


def test_a_guest_gives_memory_back_and_gets_it_again(
    libvirt_lab: LibvirtLab, limits: LimitsLab, guest: Workload
) -> None:
    applied = limits.set(guest, LimitKey.MEMORY, 160 * MIB)
    domain = libvirt_lab.connection.lookupByName(guest.name)
    assert domain.info()[2] == 160 * 1024
    limits.undo(applied)
    assert domain.info()[2] == 192 * 1024
    assert "it can have 192MiB at most" in limits.plan(guest, LimitKey.MEMORY, 1 << 30).refusal
    none = limits.setter.apply(limits.plan(guest, LimitKey.MEMORY, None))
    assert none.result is Result.ALREADY  # all that it can have


def test_a_domain_without_a_balloon_is_refused(limits: LimitsLab, roomy: str) -> None:
    plan = limits.plan(limits.find(roomy), LimitKey.MEMORY, 8 * MIB)
    assert "it has no balloon: add <memballoon model='virtio'/>" in plan.refusal


def test_virtual_cpus_are_plugged_in_up_to_the_maximum(libvirt_lab: LibvirtLab, limits: LimitsLab, roomy: str) -> None:
    vm = limits.find(roomy)
    assert limits.value(vm, LimitKey.VCPUS) == 2
    limits.set(vm, LimitKey.VCPUS, 3)
    assert libvirt_lab.connection.lookupByName(roomy).vcpusFlags(1) == 3
    assert "it can have 4 at most" in limits.plan(vm, LimitKey.VCPUS, 5).refusal
    assert "name a number up to that" in limits.plan(vm, LimitKey.VCPUS, None).refusal


def test_each_virtual_cpu_is_pinned_and_freed(libvirt_lab: LibvirtLab, limits: LimitsLab, roomy: str) -> None:
    vm = limits.find(roomy)
    domain = libvirt_lab.connection.lookupByName(roomy)
    domain.pinVcpu(1, (True, False))
    assert limits.value(vm, LimitKey.CPUSET) is None  # together they may run everywhere
    applied = limits.set(vm, LimitKey.CPUSET, "1")
    assert domain.vcpuPinInfo(1) == [(False, True), (False, True)]
    limits.undo(applied)
    assert domain.vcpuPinInfo(1) == [(True, True), (True, False)]
    assert "its host has no CPU 7" in limits.plan(vm, LimitKey.CPUSET, "7").refusal


def test_one_limit_of_a_disk_leaves_the_others(libvirt_lab: LibvirtLab, limits: LimitsLab, guest: Workload) -> None:
    plan = limits.setter.plan(
        guest, {LimitKey.DISK_READ: MIB, LimitKey.DISK_WRITE: 2 * MIB, LimitKey.DISK_READ_IOPS: 100}
    )
    applied = limits.setter.apply(plan)
    assert applied.result is Result.DONE, applied.outcomes
    told = virsh(libvirt_lab, "blkdeviotune", guest.name, "vda", "--live")
    assert (told["read_bytes_sec"], told["write_bytes_sec"], told["read_iops_sec"]) == (str(MIB), str(2 * MIB), "100")
    limits.undo(applied)
    told = virsh(libvirt_lab, "blkdeviotune", guest.name, "vda", "--live")
    assert (told["read_bytes_sec"], told["write_bytes_sec"], told["read_iops_sec"]) == ("0", "0", "0")


def test_a_limit_of_both_directions_together_is_not_broken(
    libvirt_lab: LibvirtLab, limits: LimitsLab, guest: Workload
) -> None:
    domain = libvirt_lab.connection.lookupByName(guest.name)
    domain.setBlockIoTune("vda", {"total_bytes_sec": MIB}, 1)
    assert "virsh blkdeviotune --total-bytes-sec 0" in limits.plan(guest, LimitKey.DISK_READ, MIB).refusal
    domain.setBlockIoTune("vda", {"total_bytes_sec": 0}, 1)


@pytest.mark.parametrize("key", [LimitKey.NET_IN, LimitKey.NET_OUT])
def test_traffic_is_shaped_in_one_direction(
    libvirt_lab: LibvirtLab, limits: LimitsLab, guest: Workload, key: LimitKey
) -> None:
    device = libvirt_lab.guests[0].interface
    direction = "inbound" if key is LimitKey.NET_IN else "outbound"
    applied = limits.setter.apply(limits.plan(guest, key, 5_000_000))
    if applied.result is Result.FAILED:  # a kernel without the queueing disciplines that libvirt sets up
        assert "tc " in applied.outcomes[0].sentence
        assert limits.value(guest, key) is None
        return
    assert virsh(libvirt_lab, "domiftune", guest.name, device)[f"{direction}.average"] == "5000"
    limits.undo(applied)
    assert virsh(libvirt_lab, "domiftune", guest.name, device)[f"{direction}.average"] == "0"


@pytest.mark.parametrize(
    ("key", "amount"),
    [(LimitKey.CPU, 0.5), (LimitKey.CPU_WEIGHT, 300), (LimitKey.CPUSET, "1"), (LimitKey.DISK_WRITE_IOPS, 50)],
)
def test_the_command_that_is_shown_does_the_same(
    libvirt_lab: LibvirtLab, limits: LimitsLab, guest: Workload, key: LimitKey, amount: Amount
) -> None:
    way = Way(address=libvirt_lab.uri)
    old = limits.value(guest, key)
    for command in limits.plan(guest, key, amount, way).changes[0].commands:
        subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert limits.value(guest, key) == amount
    limits.set(guest, key, old)


def test_a_transient_domain_keeps_nothing(libvirt_lab: LibvirtLab, limits: LimitsLab) -> None:
    name = f"transient-{os.getpid()}"
    domain = libvirt_lab.connection.createXML(BootSector.IDLE.xml(name, libvirt_lab.folder, 4, ""))
    assert "it is transient" in limits.plan(limits.find(name), LimitKey.CPU, 0.5, KEPT).refusal
    limits.set(limits.find(name), LimitKey.CPU, 0.5)
    domain.destroy()


def test_one_that_is_off_is_refused(libvirt_lab: LibvirtLab, limits: LimitsLab) -> None:
    assert limits.plan(limits.find(libvirt_lab.shut_off), LimitKey.CPU, 0.5).refusal == "it is stopped: start it first"
