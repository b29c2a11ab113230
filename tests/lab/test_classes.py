"""Bare metal, virtual machines and containers as classes, on real daemons."""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from collectors.analysis.rates import Moment
from collectors.comparison.window_statistics import Window
from collectors.comparison.workload_classes import measured
from collectors.model.metrics import METRICS
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import cgroups_named, find_program
from tests.helpers.patience import EXTERNAL_S
from tests.unit.collectors.comparison.test_classes import VMTOP, WAITING_POINTS
from tui.cli.sampling import moments


class Seen:
    """What the command said while a container and a guest were started."""

    def __init__(self, docker: DockerLab, libvirt: LibvirtLab, guests: Sequence[str]) -> None:
        self.docker, self.libvirt = docker, libvirt
        self.container = docker.run(
            "class-early", "while :; do echo x >/dev/null; sleep 0.05; done", mem_limit=64 << 20
        )
        self.late = self.guest = ""
        starter = threading.Timer(10, self._start)
        starter.start()
        sources = ("--docker", docker.url, "--libvirt", libvirt.uri)
        done = subprocess.run(
            [VMTOP, "compare", "--json", "--window", "40s", *sources],
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        )
        self.rss = {name: self._rss(name) for name in guests}
        self.stats = docker.client.stats(self.container, stream=False)["memory_stats"]
        starter.join()
        self.told = json.loads(done.stdout)

    def _rss(self, name: str) -> int:
        return int(self.libvirt.connection.lookupByName(name).memoryStats()["rss"]) * 1024

    def _start(self) -> None:
        self.late = self.docker.run("class-late", "sleep 1000", network_mode="bridge")
        self.guest = self.libvirt.start_tiny("class")

    def value(self, key: str, kind: str, name: str) -> dict[str, Any]:
        row = next(row for row in self.told["rows"] if row["key"] == key)
        return next(one for one in row["classes"][kind] if one["name"] == name)

    def end(self) -> None:
        for identity in (self.container, self.late):
            if identity:
                self.docker.remove(identity)
        if self.guest:
            self.libvirt.remove(self.guest)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # the process has ended


def number(name: str, text: str) -> int:
    """Return the number behind a name in one of the kernel's texts."""
    found = re.search(rf"(?m)^{name}:\s+(\d+)", text)
    assert found is not None
    return int(found[1])


@pytest.fixture(scope="module")
def seen(docker_lab: DockerLab, libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> Iterator[Seen]:
    libvirt_lab.wait_ready()
    found = Seen(docker_lab, libvirt_lab, linux_guests)
    yield found
    found.end()


@pytest.mark.lab
def test_isolation_and_system_are_what_the_engines_say(seen: Seen, linux_guests: tuple[str, str]) -> None:
    machine = seen.value("isolation", "vm", linux_guests[0])
    xml = ElementTree.fromstring(seen.libvirt.connection.lookupByName(linux_guests[0]).XMLDesc(0))  # noqa: S314
    assert xml.get("type") == "qemu"
    assert machine["value"].startswith("emulated (tcg, type 2), ")
    assert (xml.find("os/type").get("machine") or "?") in machine["value"]  # type: ignore[union-attr]
    container = seen.value("isolation", "container", "class-early")
    inspected = seen.docker.client.inspect_container(seen.container)
    assert inspected["HostConfig"]["Runtime"] in container["value"]
    assert "own mnt pid net ipc uts" in container["value"]
    status = Path(f"/proc/{inspected['State']['Pid']}/status").read_text()
    filters = {0: "off", 2: "filter"}[number("Seccomp", status)]
    assert f"seccomp {filters}" in container["value"]
    claimed = next(one.get("id") for one in xml.iterfind("metadata//") if one.tag.endswith("}os"))
    guest = seen.value("system", "vm", linux_guests[1])
    assert claimed == "http://debian.org/debian/12"
    assert guest["value"] == "debian 12, its own kernel"
    asked = seen.value("system", "vm", linux_guests[0])
    told = _virsh(seen.libvirt, "guestinfo", "--os", linux_guests[0])
    kernel = next(line.split()[-1] for line in told.splitlines() if line.startswith("os.kernel-release"))
    assert asked["value"] == f"Lab Linux 12, kernel {kernel}"
    assert "guest agent" in asked["how"]
    image = seen.value("system", "container", "class-early")
    assert inspected["Config"]["Image"] in image["how"]
    assert "host's kernel" in image["value"]


@pytest.mark.lab
def test_sizes_agree_with_du_and_the_engine(seen: Seen, linux_guests: tuple[str, str]) -> None:
    domain = seen.libvirt.connection.lookupByName(linux_guests[0])
    xml = ElementTree.fromstring(domain.XMLDesc(0))  # noqa: S314
    files = [source.get("file") or "" for source in xml.iterfind("devices/disk/source")]
    occupied = sum(os.stat(file).st_blocks * 512 for file in files)
    assert seen.value("size_bytes", "vm", linux_guests[0])["value"] == pytest.approx(occupied, rel=0.02)
    (entry,) = seen.docker.client.containers(all=True, size=True, filters={"id": seen.container})
    assert seen.value("size_bytes", "container", "class-early")["value"] == entry["SizeRootFs"]


@pytest.mark.lab
def test_overheads_agree_with_the_kernel(seen: Seen, linux_guests: tuple[str, str]) -> None:
    name = linux_guests[0]
    held = seen.value("memory_overhead_bytes", "vm", name)
    smaps = Path(f"/proc/{seen.libvirt.pid_of(name)}/smaps").read_text()
    ram = seen.libvirt.connection.lookupByName(name).maxMemory()
    resident = guest = 0
    for part in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", smaps)[1:]:
        size, rss = number("Size", part), number("Rss", part)
        resident += rss
        guest += rss if size == ram else 0
    assert held["value"] == pytest.approx((resident - guest) * 1024, rel=0.15)
    shim = seen.value("memory_overhead_bytes", "container", "class-early")
    pid = seen.docker.client.inspect_container(seen.container)["State"]["Pid"]
    parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    resident = number("VmRSS", Path(f"/proc/{parent}/status").read_text())
    engines = [
        number("VmRSS", status)
        for comm in Path("/proc").glob("[0-9]*/comm")
        if _text(comm).strip() in ("dockerd", "containerd")
        and "VmRSS" in (status := _text(comm.with_name("status")))  # a zombie has no memory
    ]
    share = sum(engines) / seen.told["density"]["container"]["running"]
    assert len(engines) >= 2, "the lab's engine and its containerd"
    assert shim["value"] == pytest.approx((resident + share) * 1024, rel=0.3)
    assert seen.value("cpu_overhead_percent", "container", "class-early")["value"] >= 0
    assert seen.value("cpu_overhead_percent", "vm", name)["value"] >= 0


@pytest.mark.lab
def test_starts_are_told_of_those_that_were_witnessed_and_of_no_others(
    seen: Seen, linux_guests: tuple[str, str]
) -> None:
    late = seen.value("startup_running_seconds", "container", "class-late")
    inspected = seen.docker.client.inspect_container(seen.late)
    assert 0 < late["value"] < 10
    assert "create event" in late["how"]
    assert inspected["State"]["Running"]
    guest = seen.value("startup_running_seconds", "vm", seen.guest)
    assert guest["value"] is not None, guest
    assert 0 <= guest["value"] < 10
    for kind, name in (("container", "class-early"), ("vm", linux_guests[0])):
        assert seen.value("startup_running_seconds", kind, name)["why_not"] == "no start was observed"


@pytest.mark.lab
def test_a_machine_and_a_container_are_compared_metric_by_metric(seen: Seen, linux_guests: tuple[str, str]) -> None:
    sources = ("--docker", seen.docker.url, "--libvirt", seen.libvirt.uri)
    names = (f"vm:{linux_guests[0]}", "container:class-early")
    done = subprocess.run(
        [VMTOP, "compare", *names, "--json", "--window", "4s", *sources], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert [side["kind"] for side in told["sides"]] == ["vm", "container"]
    assert told["window_seconds"] == 4
    assert [row["key"] for row in told["metrics"]] == list(METRICS)
    for row in told["metrics"]:
        first, second = row["values"]
        if first["mean"] is not None and second["mean"] is not None:
            assert second["difference"] == pytest.approx(second["mean"] - first["mean"], abs=1)
            assert first["samples"] > 0
    cpu = next(row for row in told["metrics"] if row["key"] == "cpu_percent")
    assert cpu["values"][0]["mean"] > 1, "the guest is busy"


@pytest.mark.lab
def test_waiting_agrees_with_the_kernel_and_with_virsh(seen: Seen) -> None:
    """Three busy loops on each CPU make all of them wait; the counters behind the row are bracketed."""
    machine = seen.libvirt.start_tiny("class-busy", BootSector.BUSY)
    container = seen.docker.run_busy("class-busy", cpus=2)
    loops = [subprocess.Popen(["sh", "-c", "while :; do :; done"]) for _ in range(2 * (os.cpu_count() or 1))]
    window, specs = (
        Window(),
        [
            SourceSpec("host"),
            SourceSpec("cgroup"),
            SourceSpec("docker", {"url": seen.docker.url}),
            SourceSpec("libvirt", {"uri": seen.libvirt.uri}),
        ],
    )
    stream = moments(specs, 1.0)
    try:
        first = next(moment for moment in stream if _has_steal(moment, machine))
        began, before = _waited(seen.libvirt, machine, container)
        for moment in stream:
            window.feed(moment)
            if time.monotonic() - began > 8:
                break
        ended, after = _waited(seen.libvirt, machine, container)
    finally:
        stream.close()  # type: ignore[attr-defined]  # a generator
        for loop in loops:
            loop.kill()
            loop.wait()
        seen.docker.remove(container)
        seen.libvirt.remove(machine)
    pasts = {past.workload.name: past for past in window.pasts(first.frame)}
    stolen, waited = (float(measured(pasts[name])["waiting_percent"].value or 0) for name in (machine, "class-busy"))
    seconds = ended - began
    assert stolen == pytest.approx((after[0] - before[0]) / seconds / 1e7, abs=WAITING_POINTS)
    assert waited == pytest.approx((after[1] - before[1]) / seconds / 1e4, abs=WAITING_POINTS)
    assert stolen > 5, "it had to wait"


def _has_steal(moment: Moment, name: str) -> bool:
    return any(
        reading.workload.name == name and reading.value("cpu_steal_percent") is not None
        for reading in moment.readings.values()
    )


def _virsh(lab: LibvirtLab, *words: str) -> str:
    """Ask virsh; again while a guest agent on a busy host has not answered in time."""
    argv = [find_program("virsh"), "-c", lab.uri, *words]
    for _ in range(5):
        asked = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=EXTERNAL_S)
        if "agent" not in asked.stderr:
            break
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def _delay_ns(lab: LibvirtLab, name: str) -> int:
    """What virsh says of the time in which the only virtual CPU was ready and did not run."""
    told = _virsh(lab, "domstats", "--vcpu", name)
    return next(int(line.partition("=")[2]) for line in told.splitlines() if "vcpu.0.delay" in line)


def _waited(lab: LibvirtLab, machine: str, container: str) -> tuple[float, tuple[int, int]]:
    """Return the middle of the time in which both authorities were asked, and what they said."""
    began = time.monotonic()
    said = _delay_ns(lab, machine), _stall_us(container)
    return (began + time.monotonic()) / 2, said


def _stall_us(container: str) -> int:
    """What the kernel's pressure file says of a container."""
    (path,) = [group / "cpu.pressure" for group in cgroups_named(container) if (group / "cpu.pressure").exists()]
    return int(path.read_text().split("total=")[1].split()[0])


@pytest.mark.lab
def test_memory_waiting_and_density_are_measured(seen: Seen, linux_guests: tuple[str, str]) -> None:
    stats = seen.stats
    inactive = stats["stats"].get("total_inactive_file", stats["stats"].get("inactive_file", 0))
    paid = seen.value("memory_host_bytes", "container", "class-early")["value"]
    assert paid == pytest.approx(stats["usage"] - inactive, abs=2 << 20)
    rss = seen.rss[linux_guests[0]]  # with QEMU's own file pages, which another QEMU may have paid for
    assert 0.6 * rss < seen.value("memory_host_bytes", "vm", linux_guests[0])["value"] < 1.25 * rss
    assert seen.value("memory_inside_bytes", "container", "class-early")["value"] == paid
    waiting = seen.value("waiting_percent", "vm", linux_guests[0])
    assert 0 <= waiting["value"] <= 100
    density = seen.told["density"]["vm"]
    (row,) = [row for row in seen.told["rows"] if row["key"] == "isolation"]
    assert density["running"] == len(row["classes"]["vm"])
    domains = [seen.libvirt.connection.lookupByID(one) for one in seen.libvirt.connection.listDomainsID()]
    assert {domain.name() for domain in domains} <= {one["name"] for one in row["classes"]["vm"]}
    assert density["memory_bytes"] >= sum(domain.info()[2] for domain in domains) * 1024
    assert seen.told["density"]["container"]["memory_bytes"] >= 64 << 20, "other engines may run on this host too"
