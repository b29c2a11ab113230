"""Actions on domains. Each opens a read-write connection and closes it afterwards; observing is read-only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from collectors.engines.libvirt.domains import ends_on_reboot
from collectors.engines.libvirt.states import to_reason, to_state
from collectors.engines.libvirt.stats import UNSUPPORTED
from collectors.model.actions import ActionTimedOut, Note, Observed, Request, Verb
from collectors.model.errors import AccessDenied, SourceError
from collectors.model.workloads import PAUSING_FAULTS, Workload
from collectors.safety.permissions import join_remedy
from collectors.safety.sanitize import sanitize, sanitize_name

if TYPE_CHECKING:
    from libvirt import virConnect, virDomain

    from collectors.engines.libvirt.access import LibvirtAccess

log = logging.getLogger(__name__)

_GROUP = "libvirt"


class LibvirtActions:
    """Starts, shuts down, reboots, suspends, resumes and forces off domains."""

    restart_is_a_new_run = False

    def __init__(self, access: LibvirtAccess) -> None:
        self._access = access

    def observe(self, workload: Workload) -> Observed:
        """Look up the domain by its UUID, read-only."""
        with self._domain(workload, writable=False) as (_, domain):
            state, reason = domain.state()
            number = domain.ID()
            start = str(number) if number >= 0 else ""
            detail = to_reason(state, reason) or ""
            notes = _notes(domain) | ({Note.FAULTED} if detail in PAUSING_FAULTS else frozenset())
            addresses = _addresses(domain) if number >= 0 else frozenset()
            name = sanitize_name(domain.name())
            return Observed(name, to_state(state, reason), start, detail, notes, addresses=addresses)

    def perform(self, request: Request) -> None:
        """Ask libvirt. Does not wait for a shutdown, but for a reboot, which cannot be observed afterwards."""
        with self._domain(request.workload, writable=True) as (connection, domain):
            match request.verb:
                case Verb.START:
                    domain.create()
                case Verb.STOP:
                    domain.shutdown()
                case Verb.RESTART:
                    _reboot(connection, domain, request.timeout_s)
                case Verb.PAUSE:
                    domain.suspend()
                case Verb.RESUME:
                    domain.resume()
                case Verb.KILL:
                    domain.destroy()
                case Verb.REMOVE:
                    raise SourceError("vmtop does not undefine domains")

    def force(self, request: Request) -> None:
        """Force it off; after a reboot that timed out, reset it."""
        with self._domain(request.workload, writable=True) as (_, domain):
            if request.verb is Verb.RESTART:
                domain.reset()
            else:
                domain.destroy()

    def _domain(self, workload: Workload, writable: bool) -> AbstractContextManager[tuple[virConnect, virDomain]]:
        return domain_for(self._access, workload, writable)


@contextmanager
def domain_for(access: LibvirtAccess, workload: Workload, writable: bool) -> Iterator[tuple[virConnect, virDomain]]:
    """Look a domain up to act on it. What libvirt refuses is another error than a connection that was lost."""
    import libvirt

    with access.daemon(workload).connection(writable) as connection:
        try:
            yield connection, connection.lookupByUUIDString(workload.id.id)
        except libvirt.libvirtError as error:
            refusal = _refusal(error)
            if refusal is None:
                raise
            raise refusal from error


def _addresses(domain: virDomain) -> frozenset[str]:
    """Return the domain's addresses in this host's ARP table; none if this version of libvirt does not look there."""
    import libvirt

    try:
        interfaces = domain.interfaceAddresses(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
    except libvirt.libvirtError:  # as for a domain that has just ended
        return frozenset()
    return frozenset(str(entry["addr"]) for interface in interfaces.values() for entry in interface["addrs"] or ())


def _notes(domain: virDomain) -> frozenset[Note]:
    """Return the notes on a domain. Those that libvirt does not report are left out; actions work without them."""
    import libvirt

    checks: dict[Note, Callable[[], bool]] = {
        Note.TRANSIENT: lambda: domain.isPersistent() == 0,
        Note.SAVED: lambda: domain.hasManagedSaveImage(0) == 1,
        Note.OFF_AFTER_REBOOT: lambda: ends_on_reboot(domain.XMLDesc(0)),
    }
    notes: set[Note] = set()
    for note, applies in checks.items():
        try:
            notes.update({note} if applies() else ())
        except libvirt.libvirtError as error:  # a driver without it, or access control that hides it
            log.info("libvirt does not report whether a domain is %s: %s", note, error)
    return frozenset(notes)


def _reboot(connection: virConnect, domain: virDomain, timeout_s: float) -> None:
    """Ask the guest to reboot and wait until it does; of a driver without events, until it has accepted the request."""
    import libvirt

    rebooted = threading.Event()
    try:
        callback = connection.domainEventRegisterAny(
            domain, libvirt.VIR_DOMAIN_EVENT_ID_REBOOT, lambda *_: rebooted.set(), None
        )
    except libvirt.libvirtError as error:
        if error.get_error_code() not in UNSUPPORTED:
            raise
        domain.reboot()
        return
    try:
        domain.reboot()
        if not rebooted.wait(timeout_s):
            raise ActionTimedOut
    finally:
        with suppress(libvirt.libvirtError):  # the connection was lost, and the registration with it
            connection.domainEventDeregisterAny(callback)


def _refusal(error: Any) -> SourceError | None:
    """Return the `SourceError` for an error that libvirt answered; `None` for a lost connection or domain."""
    import libvirt

    message = sanitize(str(error.get_error_message() or error).partition("\n")[0]).rstrip(".")
    code = error.get_error_code()
    if code in (libvirt.VIR_ERR_OPERATION_DENIED, libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_ACCESS_DENIED):
        return AccessDenied(f"libvirt does not allow it: {message}", join_remedy(_GROUP))
    is_lost = error.get_error_domain() == libvirt.VIR_FROM_RPC or code in (
        libvirt.VIR_ERR_NO_DOMAIN,
        libvirt.VIR_ERR_SYSTEM_ERROR,
        libvirt.VIR_ERR_INVALID_CONN,
        libvirt.VIR_ERR_RPC,
        libvirt.VIR_ERR_NO_CONNECT,
    )
    return None if is_lost else SourceError(f"libvirt refused: {message}")
