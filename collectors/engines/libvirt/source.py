"""libvirt: the domains, and what the hypervisor and the guests report about them.

One read-only connection, one bulk call per reading. The bulk call can hang as long as a guest's monitor does; the
worker then abandons this source with its thread, and a new one takes over.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collectors.engines.libvirt.domains import Description, parse_xml, to_sample, to_workload
from collectors.engines.libvirt.event_loop import ensure_event_loop
from collectors.engines.libvirt.events import DomainEvents
from collectors.engines.libvirt.quiet_import import load_libvirt
from collectors.engines.libvirt.stats import UNSUPPORTED, StatsReader
from collectors.engines.libvirt.uri import DEFAULT_URI, asked_uri, check_uri, connection_uri, endpoint_of, has_socket
from collectors.engines.ssh_target import ssh_target
from collectors.kernel.daemon_usage import DaemonUsage
from collectors.kernel.neighbours import read_neighbours
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.model.installing import install_command
from collectors.model.wording import counted
from collectors.model.workloads import Sample, State, Workload, WorkloadId
from collectors.safety.permissions import access_remedy, mount_remedy, start_remedy
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceReading

if TYPE_CHECKING:
    from libvirt import virConnect, virDomain

XML_LIFE_S = 60.0
"""Seconds until a domain's XML is read again: titles and descriptions can change without an event."""
_XML_AT_MOST = 100
"""Definitions parsed per reading, at 0.2 ms each."""
_ADDRESSES_AT_MOST = 8
_KEEPALIVE_S, _KEEPALIVE_COUNT = 5, 5
"""A frozen daemon fails the call after 5 x (5 + 1) s: a daemon of an overloaded host may be as slow."""
_CLOSE_S = 0.5
_NOT_ALLOWED = frozenset({45, 79, 88, 96})
"""VIR_ERR_AUTH_FAILED, _AUTH_CANCELLED, _ACCESS_DENIED, _AUTH_UNAVAILABLE."""
_NOT_ALLOWED_WORDS = ("permission denied", "authentication", "polkit", "system bus")
_GROUP = "libvirt"
_REFUSING_SOCKET = re.compile(r"socket to '([^']+)'")
_UNITS = ("libvirtd.service", "virtqemud.socket")
"""What runs the daemon, on distributions with a monolithic one and with one for each driver."""


_IMAGES = "/var/lib/libvirt/images"
"""The target of the default storage pool (libvirt's storage.html)."""
_SLOW_DRIVERS = ("esx", "vpx")
"""Drivers that send six requests for each domain, over the network: see `vsphere`, which is used where it can be."""
_SLOW_S = 20.0
_UNMEASURED = "libvirt measures neither CPU nor memory, disk or network of these machines; VMware's own API does"
SOONEST_S, LATEST_S = 2.0, 5.0
_SHARE = 0.02


def pace(call_ns: int) -> float:
    """Return the seconds between readings, 2 to 5, so that the call takes at most 2 % of them where possible.

    It costs 10 to 20 ms per domain, in the daemon and each QEMU's monitor. CPU, memory and host-side I/O come from the
    kernel at every tick.
    """
    return min(LATEST_S, max(SOONEST_S, call_ns / 1e9 / _SHARE))


class LibvirtSource:
    """Reads the domains of one libvirt connection.

    Args:
        uri: Connection URI; without it LIBVIRT_DEFAULT_URI, then `qemu:///system` if there is a libvirt on this host.
    """

    name = "libvirt"
    interval_s = SOONEST_S
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 6.0
    storage_folder = ""

    def __init__(self, uri: str | None = None) -> None:
        self._asked_uri = asked_uri(uri)
        self._uri = connection_uri(self._asked_uri or DEFAULT_URI)
        self._endpoint = endpoint_of(self._uri)
        self.is_near = not self._endpoint
        if self._uri.startswith("qemu:///system"):
            self.storage_folder = _IMAGES
        self._is_slow = urlsplit(self._uri).scheme in _SLOW_DRIVERS
        if self._is_slow:
            self.interval_s, self.replace_after_s = _SLOW_S, 3 * _SLOW_S
        self._engine = "qemu"
        self._connection: virConnect | None = None
        self._stats: StatsReader | None = None
        self._events = DomainEvents(self._engine, lambda: None)
        self._descriptions: dict[str, tuple[int, float, Description]] = {}
        """By UUID: the domain's id and the monotonic second when the XML was read, and its values."""
        self._addresses: dict[str, tuple[int, tuple[str, ...]]] = {}
        """By UUID: the domain's id and its last known IP addresses: the kernel forgets those it does not need."""
        self._parsed = 0
        self._daemon = DaemonUsage("libvirtd", "virtqemud")
        self._callbacks: list[int] = []
        self._wake: Callable[[], None] = lambda: None

    def open(self, wake: Callable[[], None]) -> None:
        """Connect, read-only, and register for events."""
        if self._asked_uri is None and not has_socket():
            raise SourceAbsent(
                "there is no libvirt on this host: no socket in /run/libvirt", mount_remedy("/run/libvirt")
            )
        check_uri(self._uri)
        libvirt = load_libvirt()
        self._wake = wake
        try:
            ensure_event_loop()
            self._connection = connection = libvirt.openReadOnly(self._uri)
            self._engine = sanitize(connection.getType()).lower()
        except libvirt.libvirtError as error:
            raise translate(error, self._uri) from error
        if not self._endpoint:
            self._daemon.find()
        self._descriptions.clear()
        self._callbacks = []
        self._stats = StatsReader(connection, self._engine)
        self._events = DomainEvents(self._engine, wake)
        for register in (self._keep_alive, self._register_events, self._register_agent):
            try:
                register(connection)
            except libvirt.libvirtError:
                continue  # a driver without it (test, esx) is polled

    def read(self) -> SourceReading:
        """Read all domains."""
        import libvirt

        if self._stats is None:
            raise SourceDown("libvirt is not open")
        events, redefined = self._events.take()
        for uuid in redefined:
            self._descriptions.pop(uuid, None)
        self._parsed = 0
        before_ns = time.monotonic_ns()
        try:
            with self._daemon.answering():
                records = self._stats.read(self._describe)
            after_ns = time.monotonic_ns()
            at_ns = (before_ns + after_ns) // 2
            workloads, samples = self._convert(records, at_ns)
        except libvirt.libvirtError as error:
            raise translate(error, self._uri) from error
        self.interval_s = _SLOW_S if self._is_slow else pace(after_ns - before_ns)
        uuids = {identity.id for identity in workloads}
        self._events.note_paused(
            {identity.id for identity, workload in workloads.items() if workload.state is State.PAUSED}
        )
        self._descriptions = {uuid: cached for uuid, cached in self._descriptions.items() if uuid in uuids}
        self._addresses = {uuid: known for uuid, known in self._addresses.items() if uuid in uuids}
        return SourceReading(
            workloads,
            samples,
            events,
            counted(len(workloads), "domain"),
            unseen=_UNMEASURED if self._is_slow else "",
            remedy=install_command("pyvmomi") if self._is_slow else "",
            daemon_cpu_s=self._daemon.cpu_s,
        )

    def close(self) -> None:
        """Close the connection. Does not wait for a daemon that does not answer."""
        connection, self._connection, self._stats = self._connection, None, None
        if connection is None:
            return
        closer = threading.Thread(target=_close, args=(connection, self._callbacks), name="libvirt-close", daemon=True)
        closer.start()
        closer.join(_CLOSE_S)

    def _keep_alive(self, connection: virConnect) -> None:
        connection.setKeepAlive(_KEEPALIVE_S, _KEEPALIVE_COUNT)
        connection.registerCloseCallback(self._closed, None)

    def _register_events(self, connection: virConnect) -> None:
        import libvirt

        kind = libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE
        self._callbacks.append(connection.domainEventRegisterAny(None, kind, self._events.take_in, None))

    def _register_agent(self, connection: virConnect) -> None:
        import libvirt

        kind = libvirt.VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE
        self._callbacks.append(connection.domainEventRegisterAny(None, kind, self._events.take_agent, None))

    def _closed(self, _connection: virConnect, _reason: int, _opaque: object) -> None:
        self._wake()

    def _convert(
        self, records: list[tuple[virDomain, dict[str, Any]]], at_ns: int
    ) -> tuple[dict[WorkloadId, Workload], dict[WorkloadId, tuple[Sample, ...]]]:
        wall = time.time()
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        saved = self._saved(records)
        neighbours = {} if self._endpoint else read_neighbours()
        for domain, record in records:
            uuid = domain.UUIDString()
            identity, is_saved = WorkloadId(self._engine, uuid), uuid in saved
            described = self._describe(domain)
            addresses = self._known_addresses(domain, described, neighbours)
            workload = to_workload(identity, domain.name(), record, described, self._endpoint, is_saved, addresses)
            workloads[identity] = workload
            if workload.state.is_active:
                samples[identity] = (to_sample(record, str(domain.ID()), at_ns, wall, described),)
        return workloads, samples

    def _known_addresses(
        self, domain: virDomain, described: Description, neighbours: dict[str, list[str]]
    ) -> tuple[str, ...]:
        """Return the addresses at which this host's kernel has met a domain in this run."""
        uuid, number = domain.UUIDString(), domain.ID()
        met = tuple(address for mac in described.hardware_addresses for address in neighbours.get(mac, ()))
        last_number, known = self._addresses.get(uuid, (number, ()))
        addresses = met or (known if last_number == number else ())
        self._addresses[uuid] = (number, addresses[:_ADDRESSES_AT_MOST])
        return addresses[:_ADDRESSES_AT_MOST]

    def _saved(self, records: list[tuple[virDomain, dict[str, Any]]]) -> set[str]:
        """Return the UUIDs of the domains with a managed saved state, by one call if any domain is shut off."""
        import libvirt

        if self._connection is None or all(domain.ID() >= 0 for domain, _ in records):
            return set()
        try:
            saved = self._connection.listAllDomains(libvirt.VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE)
        except libvirt.libvirtError as error:
            if error.get_error_code() in UNSUPPORTED:
                return set()
            raise
        return {domain.UUIDString() for domain in saved}

    def _describe(self, domain: virDomain) -> Description:
        """Return the values from a domain's XML, which is read again after a start, a change or a minute."""
        import libvirt

        uuid, number, now = domain.UUIDString(), domain.ID(), time.monotonic()
        cached = self._descriptions.get(uuid)
        if cached is not None and cached[0] == number and now - cached[1] < XML_LIFE_S:
            return cached[2]
        if self._parsed == _XML_AT_MOST:
            self._wake()
            return cached[2] if cached else Description()
        self._parsed += 1
        try:
            description = parse_xml(domain.XMLDesc(0))
        except libvirt.libvirtError:
            description = cached[2] if cached else Description()  # gone meanwhile; a broken connection shows elsewhere
        self._descriptions[uuid] = (number, now, description)
        return description


def translate(error: Any, uri: str) -> SourceError:
    """Return the `SourceError` for a libvirtError: one sentence, with a remedy."""
    text = str(error.get_error_message() or error)
    message = sanitize(text.partition("\n")[0]).rstrip(".")
    where = f"libvirt at {sanitize(uri)}"
    lower = message.lower()
    if urlsplit(uri).scheme.endswith("+ssh") and (failure := ssh_target(uri).recognize(text)):
        return failure
    if error.get_error_code() in _NOT_ALLOWED or any(phrase in lower for phrase in _NOT_ALLOWED_WORDS):
        socket = _REFUSING_SOCKET.search(message)  # without one it was polkit that refused
        remedy = access_remedy(Path(socket[1]) if socket else None, _GROUP)
        return AccessDenied(f"{where} denies access to this user: {message}", remedy)
    if "keepalive timeout" in lower:
        return NotInTime(f"{where} did not answer: {message}")
    is_not_running = "connection refused" in lower or "no such file" in lower
    return SourceDown(f"{where}: {message}", start_remedy(*_UNITS) if is_not_running and not endpoint_of(uri) else "")


def _close(connection: virConnect, callbacks: list[int]) -> None:
    """Close a connection. Its callbacks go first: each of them keeps it open."""
    import libvirt

    with suppress(libvirt.libvirtError):
        connection.unregisterCloseCallback()
    for callback in callbacks:
        with suppress(libvirt.libvirtError):
            connection.domainEventDeregisterAny(callback)
    with suppress(libvirt.libvirtError):
        connection.close()
