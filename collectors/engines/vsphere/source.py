"""vSphere: the machines of an ESXi host or a vCenter, and what the hosts measured of them.

One session; each beat is one property read and one query for everything. A second call waits for changes at the server.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from collectors.engines.vsphere import address as addresses
from collectors.engines.vsphere.client import Session, clock_offset_ns, open_session
from collectors.engines.vsphere.counters import INTERVAL_S, Average, Meter
from collectors.engines.vsphere.credentials import find
from collectors.engines.vsphere.events import MachineEvents
from collectors.engines.vsphere.faults import translating
from collectors.engines.vsphere.inventory import Found, Inventory, Reader, size_of_host, size_of_machine
from collectors.engines.vsphere.workloads import host_id, host_workload, machine_id, run_of, to_workload
from collectors.model.errors import SourceDown
from collectors.model.wording import counted
from collectors.model.workloads import Sample, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceReading

NAME = "vsphere"
_LISTEN_AGAIN_S = 60.0
_OLDEST_S = 6 * INTERVAL_S
"""An average that is older than this by the clocks means that one of the clocks was set."""


class VsphereSource:
    """Reads one ESXi host or vCenter.

    Args:
        url: Its address.
    """

    name = NAME
    interval_s = float(INTERVAL_S)
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 60.0
    is_near = False

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: Session | None = None
        self._reader: Reader | None = None
        self._events: MachineEvents | None = None
        self._meters: dict[str, Meter] = {}
        self._listened = 0.0
        """Monotonic second when the last wait for events began."""
        self._offset_ns = 0
        self._queried = 0.0
        """Monotonic second of the last query for averages."""
        self._wake: Callable[[], None] = lambda: None

    def open(self, wake: Callable[[], None]) -> None:
        """Log in, and wait for events."""
        address = addresses.parse(self._url)
        self._wake = wake
        with translating(address):
            self._session = session = open_session(address, find(address))
            self._reader = Reader(session, address.only_host)
            self._offset_ns = clock_offset_ns(session)
            self._listen(session, self._reader)
        self._queried = 0.0

    def _listen(self, session: Session, reader: Reader) -> None:
        """Start to wait for events; if that ends, the machines are polled until it is started again."""
        self._events = MachineEvents(session, reader.view, self._wake)
        self._events.start()
        self._listened = time.monotonic()

    def read(self) -> SourceReading:
        """Read all machines and hosts."""
        session, reader, events = self._session, self._reader, self._events
        if session is None or reader is None or events is None:
            raise SourceDown("vSphere is not open")
        with translating(session.address):
            inventory = reader.read()
            self._measure(session, reader, inventory)
            if not events.is_running and time.monotonic() - self._listened > _LISTEN_AGAIN_S:
                self._listen(session, reader)
        return self._reading(inventory, session, events)

    def close(self) -> None:
        """End the events and log out. Does not wait for a server that hangs."""
        session, self._session = self._session, None
        events, self._events, self._reader = self._events, None, None
        if events is not None:
            events.stop()
        if session is not None:
            session.close()

    def _measure(self, session: Session, reader: Reader, inventory: Inventory) -> None:
        """Take the newest averages, unless the last ones are younger than a beat and of the same machines."""
        measured = {
            key: found for key, found in (*inventory.machines.items(), *inventory.hosts.items()) if _is_measured(found)
        }
        now = time.monotonic()
        is_known = all(key in self._meters for key in measured)
        self._meters = {key: meter for key, meter in self._meters.items() if key in measured}
        if is_known and now - self._queried < INTERVAL_S * 0.75:
            return
        averages = self._plausible(session, reader.averages(found.reference for found in measured.values()))
        self._queried = now if averages else 0.0
        for key, found in measured.items():
            meter = self._meters.setdefault(key, Meter())
            size = (
                size_of_machine(found, inventory.host_of(found)) if key in inventory.machines else size_of_host(found)
            )
            meter.take(_run_of(found), averages.get(key, ()), size)

    def _plausible(self, session: Session, averages: dict[str, list[Average]]) -> dict[str, list[Average]]:
        """Return the averages with the time of a moment ago, after comparing the clocks again if they have moved."""
        newest_ns = max((average.at_ns for parts in averages.values() for average in parts), default=None)
        if newest_ns is not None and not self._is_recent(newest_ns):
            self._offset_ns = clock_offset_ns(session)
        return {key: [one for one in parts if self._is_recent(one.at_ns)] for key, parts in averages.items()}

    def _is_recent(self, at_ns: int) -> bool:
        return -INTERVAL_S <= (time.monotonic_ns() - at_ns - self._offset_ns) / 1e9 <= _OLDEST_S

    def _reading(self, inventory: Inventory, session: Session, events: MachineEvents) -> SourceReading:
        endpoint, now_ns = session.address.shown, time.monotonic_ns()
        ahead_s = (now_ns - self._offset_ns) / 1e9 - time.time()
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        is_begun = True
        for identity, workload, size, key in self._described(inventory, endpoint, ahead_s):
            workloads[identity] = workload
            meter = self._meters.get(key)
            if meter is None:
                continue
            was_begun = meter.is_begun
            sample = meter.sample(NAME, self._offset_ns, now_ns, size)
            if sample is not None:
                samples[identity] = (sample,)
                is_begun = is_begun and was_begun
        if not is_begun:
            self._wake()  # the newest averages follow at once: a rate needs a sample before and after
        return SourceReading(workloads, samples, events.take(), _detail(inventory, session), engines=frozenset({NAME}))

    @staticmethod
    def _described(
        inventory: Inventory, endpoint: str, ahead_s: float
    ) -> Iterator[tuple[WorkloadId, Workload, Any, str]]:
        for key, host in inventory.hosts.items():
            yield host_id(host, endpoint), host_workload(host, endpoint, ahead_s), size_of_host(host), key
        for key, machine in inventory.machines.items():
            size = size_of_machine(machine, inventory.host_of(machine))
            yield machine_id(machine, endpoint), to_workload(machine, inventory, endpoint, ahead_s), size, key


def _is_measured(found: Found) -> bool:
    properties = found.properties
    is_on = properties.get("runtime.powerState", "poweredOn") == "poweredOn"
    return bool(is_on and properties.get("summary.runtime.connectionState", "connected") == "connected")


def _run_of(found: Found) -> str:
    """Return the identity of the run of a machine, or of a host, which has no power state here."""
    if "runtime.powerState" in found.properties:
        return run_of(found.properties)
    booted = found.properties.get("summary.runtime.bootTime")
    return booted.isoformat() if booted is not None else "on"


def _detail(inventory: Inventory, session: Session) -> str:
    about = session.content.about
    running = sum(1 for machine in inventory.machines.values() if _is_measured(machine))
    parts = [sanitize(f"{about.name} {about.version}", 60), f"{running}/{len(inventory.machines)} running"]
    parts.append(counted(len(inventory.hosts), "host"))
    if inventory.templates:
        parts.append(counted(inventory.templates, "template"))
    return ", ".join(parts)
