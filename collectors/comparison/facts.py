"""Reads the slow facts of workloads, one after the other. Blocking; what cannot be read is told in its place."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple
from xml.etree import ElementTree

from collectors.comparison import isolation_summary, os_release
from collectors.comparison.overhead import EngineProcesses, ProcessUsage, cpu_of, find_engines, find_shim, memory_of
from collectors.engines.family import Family, family
from collectors.engines.libvirt import guest_agent
from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.registry import Reach
from collectors.engines.systemd import unit
from collectors.engines.systemd.bus import NoSuchUnit, system_bus
from collectors.kernel.cgroup.hierarchy import detect
from collectors.kernel.cgroup.open_files import find_homes
from collectors.kernel.cgroup.processes import first_pid
from collectors.kernel.isolation import Isolation, read_isolation
from collectors.kernel.qemu_memory import read_guest_memory
from collectors.model.errors import SourceError
from collectors.model.facts import Fact, unknown
from collectors.model.workloads import Kind, Workload, WorkloadId

log = logging.getLogger(__name__)
_SIZES_TIMEOUT_S = 20.0
"""An engine adds up every file of every container for it."""


class _Domain(NamedTuple):
    """What libvirt tells of one."""

    xml: ElementTree.Element | None
    allocated: int
    """Bytes that its disks occupy on the host."""
    has_disks: bool


Found = dict[WorkloadId, dict[str, Fact]]


def backing_bytes(xml: ElementTree.Element | None) -> int:
    """Return what the backing files of a domain's disks occupy; one that several disks share counts once."""
    sources = () if xml is None else xml.iterfind("devices/disk//backingStore/source")
    total = 0
    for path in {source.get("file") or "" for source in sources} - {""}:
        with suppress(OSError):  # on another host, or not for this user: then it is not counted
            total += os.stat(path).st_blocks * 512
    return total


def _read_units(workloads: Iterable[Workload]) -> Found:
    """Ask systemd of all services over one connection. Where there is none, nothing is known of any."""
    services = [one for one in workloads if one.id.engine == "systemd" and not one.endpoint]
    found: Found = {}
    if not services:
        return found
    try:
        with system_bus() as bus:
            for service in services:
                with suppress(NoSuchUnit):  # a scope or a slice that is counted as one: the bus has no service of it
                    found[service.id] = unit.read_unit(bus, service.id.id.rpartition("/")[2])
    except SourceError as error:
        log.info("units are not asked: %s", error.reason)
    return found


class FactsReader:
    """Reads facts; two looks are needed for what is spent in time.

    Args:
        reach: The way to the engines.
        may_write: Whether guest agents are asked: libvirt lets no read-only connection do so.
        root: Where the cgroup trees are mounted.
        proc: Where the kernel tells of processes.
    """

    def __init__(self, reach: Reach, may_write: bool = True, root: str = "/sys/fs/cgroup", proc: str = "/proc") -> None:
        self._reach = reach
        self._may_write = may_write
        self._proc = proc
        self._hierarchy = detect(root, proc)
        self._shims: dict[WorkloadId, ProcessUsage | None] = {}
        self._engines = EngineProcesses((), 0)
        self._engines_now = EngineProcesses((), 0)
        self._sizes: dict[str, Fact] | None = None
        self._units: Found = {}

    def begin(self, workloads: Iterable[Workload]) -> None:
        """Take the first look at what is counted over time."""
        for workload in workloads:
            if workload.kind is Kind.CONTAINER and workload.state.is_active:
                self._shims[workload.id] = find_shim(self._pid(workload), self._proc)
        self._engines = find_engines(len(self._shims), self._proc)

    def read_all(self, workloads: Sequence[Workload], tell: Callable[[int], None] = lambda done: None) -> Found:
        """Return the facts of workloads; after each, `tell` is called with how many are done."""
        containers = sum(1 for one in workloads if one.kind is Kind.CONTAINER and not one.endpoint)
        self._engines_now = find_engines(containers, self._proc)
        self._units = _read_units(workloads)
        found = {}
        for done, workload in enumerate(workloads, 1):
            found[workload.id] = self._read(workload)
            tell(done)
        return found

    def _read(self, workload: Workload) -> dict[str, Fact]:
        """Return the facts of a workload, by the keys of `ROWS`."""
        if workload.endpoint:
            return {"isolation": unknown(f"it runs on {workload.endpoint}: only its own host can tell")}
        pid = self._pid(workload) if workload.state.is_active else None
        if workload.kind is Kind.VM:
            return self._domain(workload, pid)
        if workload.kind is Kind.CONTAINER:
            return self._container(workload, pid)
        told_by_unit = self._units.get(workload.id, {})
        return {
            **{key: told for key, told in told_by_unit.items() if key == "startup_running_seconds"},
            "isolation": isolation_summary.of_service(self._walls(pid), told_by_unit),
            "system": os_release.of_host(),
            "memory_overhead_bytes": Fact(0.0, "nothing stands between it and the kernel"),
            "cpu_overhead_percent": Fact(0.0, "nothing stands between it and the kernel"),
            "size_bytes": unknown("a service's files are the host's"),
        }

    def _pid(self, workload: Workload) -> int | None:
        return first_pid(find_homes(self._hierarchy, workload.cgroup).all) if workload.cgroup else None

    def _walls(self, pid: int | None) -> Isolation | None:
        return None if pid is None else read_isolation(pid, self._proc)

    def _domain(self, workload: Workload, pid: int | None) -> dict[str, Fact]:
        try:
            domain = self._ask_libvirt(workload)
        except SourceError as error:
            return dict.fromkeys(("isolation", "system", "size_bytes"), unknown(error.reason)) | self._held(pid)
        size = Fact(
            float(domain.allocated),
            "virDomainGetBlockInfo: allocation of its disks; stat(2) of their backing files, each once",
        )
        return {
            "isolation": isolation_summary.of_domain(domain.xml),
            "system": os_release.of_domain(domain.xml, self._ask_agent(workload, domain.xml)),
            "size_bytes": size if domain.has_disks else unknown("it has no disk that libvirt can measure"),
            **self._held(pid),
        }

    def _ask_agent(self, workload: Workload, xml: ElementTree.Element | None) -> Fact | None:
        if not guest_agent.is_connected(xml):
            return None
        if not self._may_write:
            return unknown("its guest agent is not asked while actions are locked")
        return guest_agent.ask_system(self._reach.libvirt(workload), workload.id.id)

    def _held(self, pid: int | None) -> dict[str, Fact]:
        memory = None if pid is None else read_guest_memory(pid, self._proc)
        if memory is None:
            return {"memory_overhead_bytes": unknown("its QEMU process's mappings cannot be read: that needs root")}
        how = f"/proc/{pid}/smaps: resident size less the guest's resident memory"
        return {"memory_overhead_bytes": Fact(float(memory.overhead), how)}

    def _ask_libvirt(self, workload: Workload) -> _Domain:
        with self._reach.libvirt(workload).connection() as connection:
            domain = connection.lookupByUUIDString(workload.id.id)
            xml = safe_xml(domain.XMLDesc(0))
            allocated, has_disks = backing_bytes(xml), False
            for disk in () if xml is None else xml.iterfind("devices/disk"):
                target, source = disk.find("target"), disk.find("source")
                if target is not None and source is not None and disk.get("device", "disk") == "disk":
                    allocated += int(domain.blockInfo(target.get("dev", ""))[1])
                    has_disks = True
        return _Domain(xml, allocated, has_disks)

    def _container(self, workload: Workload, pid: int | None) -> dict[str, Fact]:
        inspected, why = self._inspect(workload)
        shim, walls = find_shim(pid, self._proc), self._walls(pid)
        engines = self._engines_now
        before = self._shims.get(workload.id), self._engines
        return {
            "isolation": isolation_summary.of_container(walls, inspected),
            "system": os_release.of_container(pid, workload.image, self._proc),
            "size_bytes": self._size(workload) if not why else unknown(why),
            "memory_overhead_bytes": memory_of(shim, engines),
            "cpu_overhead_percent": cpu_of(before, (shim, engines)),
            **isolation_summary.walls_of(walls, inspected),
        }

    def _inspect(self, workload: Workload) -> tuple[Mapping[str, Any], str]:
        """Return the engine's answer, or why there is none."""
        if family(workload) is not Family.DOCKER:
            return {}, f"{workload.id.engine} is not asked by vmtop"
        try:
            with self._reach.docker(workload).client() as client:
                found: Any = client.inspect_container(workload.id.id)
        except SourceError as error:
            return {}, error.reason
        return (found, "") if isinstance(found, Mapping) else ({}, "the engine's answer is no description")

    def _size(self, workload: Workload) -> Fact:
        if self._sizes is None:
            self._sizes = self._ask_sizes(workload)
        return self._sizes.get(workload.id.id, unknown("the engine did not tell its size"))

    def _ask_sizes(self, workload: Workload) -> dict[str, Fact]:
        """Ask once for all containers of the engine: it goes through their files."""
        try:
            with self._reach.docker(workload).client(_SIZES_TIMEOUT_S) as client:
                found: Any = client.containers(all=True, size=True)
        except SourceError:
            return {}
        sizes = {}
        for entry in found if isinstance(found, list) else ():
            own, whole = int(entry.get("SizeRw") or 0), int(entry.get("SizeRootFs") or 0)
            how = f"engine: SizeRw {own:,} of its own, the rest of {whole:,} bytes is its image, shared by all of it"
            sizes[str(entry.get("Id"))] = Fact(float(whole), how)
        return sizes
