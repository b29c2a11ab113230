"""Builds the records of `virConnectGetAllDomainStats` from single calls, for drivers that do not support it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from collectors.engines.libvirt.domains import Description

if TYPE_CHECKING:
    from libvirt import virConnect, virDomain

UNSUPPORTED = frozenset({3, 74, 84})
"""VIR_ERR_NO_SUPPORT, VIR_ERR_ARGUMENT_UNSUPPORTED, VIR_ERR_OPERATION_UNSUPPORTED."""
_INVALID_ARGUMENT = 8
"""VIR_ERR_INVALID_ARG: a driver's answer to an unknown flag."""
BROKEN_DOMAINS = frozenset({7, 13})
"""VIR_FROM_RPC, VIR_FROM_REMOTE: the connection failed, not the domain."""
_BALLOON = {
    "actual": "current",
    "available": "available",
    "usable": "usable",
    "rss": "rss",
    "last_update": "last-update",
}
_DISK = ("rd.reqs", "rd.bytes", "wr.reqs", "wr.bytes")
_NET = ("rx.bytes", "rx.pkts", "rx.errs", "rx.drop", "tx.bytes", "tx.pkts", "tx.errs", "tx.drop")

Record = dict[str, Any]


class StatsReader:
    """Reads the records of all domains of a connection in the best way that its driver supports."""

    def __init__(self, connection: virConnect, engine: str) -> None:
        import libvirt

        self._connection = connection
        self._engine = engine
        self._groups = (
            libvirt.VIR_DOMAIN_STATS_STATE
            | libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
            | libvirt.VIR_DOMAIN_STATS_BALLOON
            | libvirt.VIR_DOMAIN_STATS_VCPU
            | libvirt.VIR_DOMAIN_STATS_INTERFACE
            | libvirt.VIR_DOMAIN_STATS_BLOCK
        )
        self._flags = getattr(libvirt, "VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT", 0)
        """NOWAIT: a busy domain returns a part of its record instead of blocking all."""
        self._has_bulk = True
        self._missing: set[str] = set()
        """Calls that the driver does not support."""

    def read(self, describe: Callable[[virDomain], Description]) -> list[tuple[virDomain, Record]]:
        """Return every domain, running or not, with its record.

        Args:
            describe: Returns the devices of a domain; only called if there is no bulk call.

        Raises:
            libvirt.libvirtError: The connection failed.
        """
        bulk = self._read_bulk()
        if bulk is not None:
            return bulk
        records: list[tuple[virDomain, Record]] = []
        for domain in self._connection.listAllDomains():
            record = self._read_domain(domain, describe)
            if record is not None:
                records.append((domain, record))
        return records

    def _read_bulk(self) -> list[tuple[virDomain, Record]] | None:
        """Return the records of the bulk call; `None` if the driver does not support it, or reports states only."""
        import libvirt

        while self._has_bulk:
            try:
                records: list[tuple[virDomain, Record]] = self._connection.getAllDomainStats(self._groups, self._flags)
            except libvirt.libvirtError as error:
                code = error.get_error_code()
                if code not in UNSUPPORTED and code != _INVALID_ARGUMENT:
                    raise
                if self._flags:
                    self._flags = 0
                else:
                    self._has_bulk = False
            else:
                if self._engine == "qemu" or not _has_only_states(records):
                    return records
                self._has_bulk = False  # the test driver: it knows the call, but only the states
        return None

    def _read_domain(self, domain: virDomain, describe: Callable[[virDomain], Description]) -> Record | None:
        """Return one domain's record; `None` if the domain is gone."""
        state = self._call(domain.state)
        if state is None:
            return None
        record: Record = {"state.state": state[0], "state.reason": state[1]}
        if domain.ID() < 0:  # at rest: every other call would be refused
            return record
        if basic := self._call(domain.info):
            record |= {"balloon.maximum": basic[1], "balloon.current": basic[2], "vcpu.current": basic[3]}
            record["cpu.time"] = basic[4]
        memory = self._call(domain.memoryStats) or {}
        record |= {f"balloon.{ours}": memory[theirs] for theirs, ours in _BALLOON.items() if theirs in memory}
        if vcpus := self._call(domain.vcpus):
            record |= {f"vcpu.{vcpu[0]}.time": vcpu[2] for vcpu in vcpus[0]}
        described = describe(domain)
        for number, device in enumerate(described.disks):
            record |= _numbered("block", number, _DISK, self._call(domain.blockStats, device))
        for number, device in enumerate(described.interfaces):
            record |= _numbered("net", number, _NET, self._call(domain.interfaceStats, device))
        return record

    def _call(self, method: Callable[..., Any], *arguments: str) -> Any:
        """Call a method of a domain; `None` if the driver does not support it, or cannot answer for this domain now."""
        import libvirt

        name = method.__name__
        if name in self._missing:
            return None
        try:
            return method(*arguments)
        except libvirt.libvirtError as error:
            if error.get_error_domain() in BROKEN_DOMAINS:
                raise
            if error.get_error_code() in UNSUPPORTED:
                self._missing.add(name)
            return None


def _has_only_states(records: list[tuple[virDomain, Record]]) -> bool:
    """Return whether there is a running domain, and no record has more than states."""
    running = [record for _, record in records if record.get("state.state") == 1]
    return bool(running) and all(key.startswith("state.") for record in running for key in record)


def _numbered(group: str, number: int, names: tuple[str, ...], values: Any) -> Record:
    """Return a device's values by their names in the bulk call; without those that the driver does not count (-1)."""
    return {f"{group}.{number}.{name}": value for name, value in zip(names, values or (), strict=False) if value >= 0}
