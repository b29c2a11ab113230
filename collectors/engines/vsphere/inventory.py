"""The machines and hosts of a server, by one property read, and their averages, by one query. Imports pyvmomi late."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from collectors.engines.vsphere.client import Session
from collectors.engines.vsphere.counters import COUNTERS, INTERVAL_S, Average, Size
from collectors.model.errors import SourceDown
from collectors.safety.untrusted import count

MOST_OBJECTS = 10_000
"""Machines and hosts of one server at most."""
_AT_ONCE = 1_000
"""Objects in one answer: vSphere gives the rest on request."""
_LATEST_SAMPLES = 1
_LARGEST_VALUE = 1 << 32
"""Of a counter: 4 TiB in KiB. What is above it, or below zero, is no measurement."""
_MACHINE = (
    "name",
    "runtime.powerState",
    "summary.runtime.bootTime",
    "summary.runtime.connectionState",
    "summary.runtime.host",
    "summary.runtime.question",
    "summary.config.instanceUuid",
    "summary.config.uuid",
    "summary.config.template",
    "summary.config.numCpu",
    "summary.config.memorySizeMB",
    "summary.config.guestFullName",
    "summary.config.annotation",
    "summary.quickStats.guestHeartbeatStatus",
    "guest.toolsRunningStatus",
    "guest.ipAddress",
)
_HOST = (
    "name",
    "summary.hardware.cpuMhz",
    "summary.hardware.numCpuCores",
    "summary.hardware.memorySize",
    "summary.hardware.vendor",
    "summary.hardware.model",
    "summary.config.product.fullName",
    "summary.runtime.connectionState",
    "summary.runtime.inMaintenanceMode",
    "summary.runtime.bootTime",
)

Properties = Mapping[str, Any]


class Found(NamedTuple):
    """An object of the server: its reference, and the properties that it has. They are as hostile as the server."""

    reference: Any
    properties: Properties

    @property
    def key(self) -> str:
        """The server's own id of the object, such as `vm-57`."""
        return str(self.reference._moId)


class Inventory(NamedTuple):
    """Everything of a server, by the server's own ids."""

    machines: dict[str, Found]
    """Without templates, which never run."""
    hosts: dict[str, Found]
    templates: int

    def host_of(self, machine: Found) -> Found | None:
        """Return the host that a machine is on, as far as this user may see it."""
        reference = machine.properties.get("summary.runtime.host")
        return self.hosts.get(str(getattr(reference, "_moId", "")))


class Reader:
    """Reads one server by one session, in which it makes a view of all machines and hosts once.

    Args:
        session: An open session.
        only_host: Name of the host to whose machines the answer is limited; empty for all.
    """

    def __init__(self, session: Session, only_host: str = "") -> None:
        from pyVmomi import vim

        self._session = session
        self._only_host = only_host
        content = session.content
        self.view = content.viewManager.CreateContainerView(
            content.rootFolder, [vim.VirtualMachine, vim.HostSystem], True
        )
        self._filter = _filter(self.view, {vim.VirtualMachine: _MACHINE, vim.HostSystem: _HOST})
        numbers = {
            f"{info.groupInfo.key}.{info.nameInfo.key}.{info.rollupType}": info.key
            for info in content.perfManager.perfCounter
        }
        self._names = {numbers[counter.name]: counter.name for counter in COUNTERS if counter.name in numbers}
        self._metrics = [
            vim.PerformanceManager.MetricId(counterId=numbers[counter.name], instance=counter.instance)
            for counter in COUNTERS
            if counter.name in numbers
        ]

    def read(self) -> Inventory:
        """Return the inventory: one request for every 1,000 objects.

        Raises:
            SourceDown: The server has more than `MOST_OBJECTS`.
        """
        from pyVmomi import vim

        machines: dict[str, Found] = {}
        hosts: dict[str, Found] = {}
        templates = 0
        for found in self._objects():
            if isinstance(found.reference, vim.HostSystem):
                hosts[found.key] = found
            elif found.properties.get("summary.config.template") is True:
                templates += 1
            else:
                machines[found.key] = found
        inventory = Inventory(machines, hosts, templates)
        return _limited(inventory, self._only_host) if self._only_host else inventory

    def _objects(self) -> Iterator[Found]:
        from pyVmomi import vmodl

        collector = self._session.content.propertyCollector
        options = vmodl.query.PropertyCollector.RetrieveOptions(maxObjects=_AT_ONCE)
        answer = collector.RetrievePropertiesEx([self._filter], options)
        seen = 0
        while answer is not None:
            seen += len(answer.objects)
            if seen > MOST_OBJECTS:
                raise SourceDown(f"vSphere at {self._session.address.shown} has more than {MOST_OBJECTS:,} objects")
            for content in answer.objects:
                yield Found(content.obj, {change.name: change.val for change in content.propSet})
            token = answer.token
            answer = collector.ContinueRetrievePropertiesEx(token) if token else None

    def averages(self, references: Iterable[Any]) -> dict[str, list[Average]]:
        """Return the newest averages of running machines and connected hosts: one request for every 1,000 of them.

        Nothing if one of them has been removed since it was read: the server then answers for none.
        """
        from pyVmomi import vim, vmodl

        specification = vim.PerformanceManager.QuerySpec
        queries = [
            specification(entity=reference, maxSample=_LATEST_SAMPLES, intervalId=INTERVAL_S, metricId=self._metrics)
            for reference in references
        ]
        if not queries or not self._metrics:
            return {}
        answers: list[Any] = []
        try:
            for first in range(0, len(queries), _AT_ONCE):
                answers += self._session.content.perfManager.QueryPerf(queries[first : first + _AT_ONCE])
        except vmodl.fault.ManagedObjectNotFound:
            return {}
        return {str(answer.entity._moId): list(self._averages(answer)) for answer in answers}

    def _averages(self, answer: Any) -> Iterator[Average]:
        for index, info in enumerate(answer.sampleInfo[:_LATEST_SAMPLES]):
            values: dict[str, float] = {}
            for series in answer.value:
                name = self._names.get(series.id.counterId)
                value = count(series.value[index]) if index < len(series.value) else None
                if name is not None and value is not None and value < _LARGEST_VALUE:
                    values[name] = values.get(name, 0.0) + float(value)
            yield Average(int(info.timestamp.timestamp() * 1e9), values)


def _filter(view: Any, properties: Mapping[Any, tuple[str, ...]]) -> Any:
    """Return the filter that selects properties of everything in a view, by type."""
    from pyVmomi import vim, vmodl

    collector = vmodl.query.PropertyCollector
    members = collector.TraversalSpec(name="members", path="view", skip=False, type=vim.view.ContainerView)
    return collector.FilterSpec(
        objectSet=[collector.ObjectSpec(obj=view, skip=True, selectSet=[members])],
        propSet=[
            collector.PropertySpec(type=kind, pathSet=list(paths), all=False) for kind, paths in properties.items()
        ],
    )


def machine_filter(view: Any, paths: tuple[str, ...]) -> Any:
    """Return a filter for properties of the machines in a view."""
    from pyVmomi import vim

    return _filter(view, {vim.VirtualMachine: paths})


def _limited(inventory: Inventory, only_host: str) -> Inventory:
    """Return the part of an inventory that is on the host with a name."""
    hosts = {key: host for key, host in inventory.hosts.items() if host.properties.get("name") == only_host}
    machines = {
        key: machine
        for key, machine in inventory.machines.items()
        if getattr(machine.properties.get("summary.runtime.host"), "_moId", None) in hosts
    }
    return Inventory(machines, hosts, inventory.templates)


def size_of_host(host: Found | None) -> Size:
    """Return what a host has."""
    properties: Properties = host.properties if host is not None else {}
    return Size(
        bounded(properties.get("summary.hardware.cpuMhz")),
        bounded(properties.get("summary.hardware.numCpuCores")),
        bounded(properties.get("summary.hardware.memorySize"), 1 << 60),
        False,
    )


def size_of_machine(machine: Found, host: Found | None) -> Size:
    """Return what a machine has; the clock is that of its host."""
    return Size(
        size_of_host(host).cpu_mhz,
        bounded(machine.properties.get("summary.config.numCpu")),
        bounded(machine.properties.get("summary.config.memorySizeMB")) << 20,
        True,
    )


def bounded(value: object, most: int = _LARGEST_VALUE) -> int:
    """Return a whole number from outside; 0 if it is none, below zero or absurdly large."""
    number = count(value)
    return int(number) if number is not None and number <= most else 0  # the library has an integer type of its own
