"""The page of a host: what it is, and its CPU and memory, split into machines and the rest."""

from __future__ import annotations

from typing import Any

from collectors.engines.vsphere.client import Session
from collectors.engines.vsphere.counters import CONSUMED, CPU, Average
from collectors.engines.vsphere.inventory import Found, Inventory, Reader, size_of_host
from collectors.engines.vsphere.workloads import state_of, text
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.errors import WorkloadGone
from collectors.model.metrics import Unit
from collectors.model.workloads import State

_KIB = 1024


class HostLedger:
    """Reads the page of a host, repeatedly."""

    def __init__(self) -> None:
        self._reader: Reader | None = None
        self._session: Session | None = None

    def tables(self, session: Session, reference: Any) -> list[Table]:
        """Return the tables of a host.

        Raises:
            WorkloadGone: The server no longer has it.
        """
        if self._reader is None or self._session is not session:
            self._reader, self._session = Reader(session), session
        inventory = self._reader.read()
        host = inventory.hosts.get(str(reference._moId))
        if host is None:
            raise WorkloadGone("vSphere no longer has it")
        machines = running_on(host, inventory)
        averages = self._reader.averages(found.reference for found in (host, *machines))
        return host_tables(host, [averages.get(machine.key, []) for machine in machines], averages.get(host.key, []))


def running_on(host: Found, inventory: Inventory) -> list[Found]:
    """Return the machines that run on a host."""
    on_it = (machine for machine in inventory.machines.values() if inventory.host_of(machine) is host)
    return [machine for machine in on_it if state_of(machine.properties)[0] is State.RUNNING]


def host_tables(host: Found, machines: list[list[Average]], own: list[Average]) -> list[Table]:
    """Return the tables of a host. Pure.

    Args:
        host: The host.
        machines: The averages of each machine that runs on it.
        own: Its own averages.
    """
    size = size_of_host(host)
    properties = host.properties
    facts = (
        Fact("system", text(properties.get("summary.config.product.fullName")) or None),
        Fact("vendor", text(properties.get("summary.hardware.vendor")) or None),
        Fact("model", text(properties.get("summary.hardware.model")) or None),
        Fact("cores", size.cpus or None, Unit.COUNT),
        Fact("clock of a core, MHz", size.cpu_mhz or None, Unit.COUNT),
        Fact("memory", size.memory_bytes or None, Unit.BYTES),
        Fact("machines that run", len(machines), Unit.COUNT),
        Fact("in maintenance mode", properties.get("summary.runtime.inMaintenanceMode") is True),
    )
    cpu = _split(machines, own, CPU, 1 / size.cpu_mhz if size.cpu_mhz else 0.0)
    memory = _split(machines, own, CONSUMED, _KIB)
    rows: tuple[tuple[Value, ...], ...] = (
        ("machines", cpu[0], memory[0]),
        ("the rest: the hypervisor", cpu[1], memory[1]),
        ("host", cpu[2], memory[2]),
        ("capacity", size.cpus or None, size.memory_bytes or None),
    )
    columns = (Column("OF"), Column("CPU", Unit.CORES), Column("MEMORY", Unit.BYTES))
    note = "Averages over 20 s, which the host measured."
    return [Table(Page.FACTS, "Host", facts=facts), Table(Page.FACTS, "Ledger", columns, rows, note=note)]


def _split(
    machines: list[list[Average]], own: list[Average], counter: str, scale: float
) -> tuple[float | None, float | None, float | None]:
    """Return what the machines use, the rest, and the host's total; `None` where the host does not report it."""
    total = _newest(own, counter)
    if total is None or not scale:
        return None, None, None
    used = sum(_newest(averages, counter) or 0.0 for averages in machines)
    return used * scale, (total - used) * scale, total * scale


def _newest(averages: list[Average], counter: str) -> float | None:
    newest = max(averages, key=lambda average: average.at_ns, default=None)
    return None if newest is None else newest.values.get(counter)
