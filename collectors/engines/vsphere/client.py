"""A session of a server, and the translation of everything that can go wrong with one."""

from __future__ import annotations

import atexit
import logging
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from xml.parsers.expat import ExpatError

from collectors.engines.vsphere import address as addresses
from collectors.engines.vsphere.address import Address
from collectors.engines.vsphere.credentials import Credentials, find
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError, WorkloadGone
from collectors.model.installing import install_command
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from collectors.engines.vsphere.bounded_stub import BoundedStub

log = logging.getLogger(__name__)

_CLOSE_S = 0.5
_IDLE_S = 600.0
"""A session that was not used for so long is not used again: the server ends it after half an hour."""
_LOST = ("NotAuthenticated",)
"""Faults of a session that has ended, as an idle one does after half an hour."""
_GONE = ("ManagedObjectNotFound",)
_DENIED = ("NoPermission", "RestrictedVersion", "RestrictedByAdministrator")


class Session:
    """A login of one server.

    Args:
        address: The server.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self.stub: BoundedStub
        self.content: Any = None
        """The `ServiceContent`, which leads to every other object."""
        self.instance: Any = None

    def open(self, credentials: Credentials) -> None:
        """Connect and log in. Raises what the library raises: see `translating`."""
        from pyVmomi import vim

        from collectors.engines.vsphere.bounded_stub import BoundedStub

        self.stub = BoundedStub(self.address)
        self.instance = vim.ServiceInstance("ServiceInstance", self.stub)
        self.content = self.instance.RetrieveContent()
        self.content.sessionManager.Login(credentials.user, credentials.password)

    def close(self) -> None:
        """Log out, which also removes the session's views and filters. Does not wait for a server that hangs."""
        content, self.content = self.content, None
        if content is None:
            return
        closer = threading.Thread(target=self._log_out, args=(content,), name="vsphere-close", daemon=True)
        closer.start()
        closer.join(_CLOSE_S)

    def close_at_exit(self) -> None:
        """Log out within half a second, without a thread: Python starts none while it ends."""
        content, self.content = self.content, None
        if content is not None:
            self.stub.hurry(_CLOSE_S)
            self._log_out(content)

    def _log_out(self, content: Any) -> None:
        try:
            content.sessionManager.Logout()
            self.stub.DropConnections()
        except Exception as error:  # its library's, of a server that is gone: the session ends by itself there
            log.info("logging out of %s: %s", self.address.shown, type(error).__name__)


class VsphereDaemon:
    """One server for what happens on demand. Its session is kept between calls: every login is an event in vCenter.

    Args:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._session: Session | None = None
        self._used = 0.0
        """Monotonic second of the last call."""
        self._lock = threading.Lock()

    @property
    def address(self) -> Address:
        """Its address. Raises `SourceDown` if it cannot be used."""
        return addresses.parse(self._url)

    @property
    def shown(self) -> str:
        """The server as in `Workload.endpoint`."""
        return self.address.shown

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Yield a session; one that fails is not used again.

        Raises:
            SourceError: The server cannot be used, with the remedy.
            WorkloadGone: The machine does not exist.
        """
        with translating(self.address):
            session = self._take()
            try:
                yield session
            except BaseException as error:
                if not _is_answer(error):
                    self._drop(session)
                raise

    def _take(self) -> Session:
        with self._lock:
            if self._session is not None and time.monotonic() - self._used > _IDLE_S:
                self._forget(self._session)
            if self._session is None:
                session = open_session(self.address, find(self.address))
                atexit.register(session.close_at_exit)
                self._session = session
            self._used = time.monotonic()
            return self._session

    def _drop(self, session: Session) -> None:
        with self._lock:
            if self._session is session:
                self._forget(session)

    def _forget(self, session: Session) -> None:
        self._session = None
        atexit.unregister(session.close_at_exit)
        session.close()


def open_session(address: Address, credentials: Credentials) -> Session:
    """Return a new session.

    Raises:
        SourceAbsent: The library is not installed.
        AccessDenied: The server refuses the user or the password.
    """
    if not addresses.is_installed():
        raise SourceAbsent("pyvmomi, which vSphere is read with, is not installed", install_command("pyvmomi"))
    from pyVmomi import vim

    session = Session(address)
    try:
        session.open(credentials)
    except vim.fault.InvalidLogin:
        raise RefusedLogin(
            f"{address.shown} refuses user {sanitize(credentials.user)}, or the password in {credentials.origin}",
            f"correct it in {credentials.origin}",
        ) from None
    except BaseException:
        session.close()
        raise
    return session


class RefusedLogin(AccessDenied):
    """The server refused the user or the password: trying again would lock the account."""


@contextmanager
def translating(address: Address) -> Iterator[None]:
    """Turn whatever the library raises into a `SourceError` that names the server."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # pyvmomi raises any error for an answer that it cannot parse
        raise translate(error, address) from error


def translate(error: Exception, address: Address) -> SourceError:
    """Return the `SourceError` for an error of the library or of the connection."""
    from collectors.engines.vsphere.bounded_stub import AnswerRefused, PinMismatch

    where = f"vSphere at {address.shown}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceDown(f"{where} has a certificate that is not trusted: {error.verify_message}", _pin(address))
    if isinstance(error, PinMismatch):
        return SourceDown(f"{where} has another certificate than the one of the thumbprint: its SHA-256 is {error}")
    if isinstance(error, AnswerRefused):
        return SourceDown(f"{where}: {error}")
    if isinstance(error, TimeoutError):
        return NotInTime(f"{where} has not answered in time")
    if isinstance(error, OSError):
        return SourceDown(f"{where} cannot be reached: {sanitize(error.strerror or str(error))}")
    if (fault := fault_name(error)) is not None:
        text = fault_text(error)
        if fault in _LOST:
            return SourceDown(f"{where} has ended the session")
        if fault in _GONE:
            return WorkloadGone("vSphere no longer has it")
        if fault in _DENIED:
            return AccessDenied(f"{where} does not allow it: {text}", "ask for a role with the privilege")
        return SourceError(f"{where} refused: {text}")
    if isinstance(error, ExpatError):
        return SourceDown(f"{where} does not answer as vSphere does: its answer is not XML")
    log.warning("%s: %s", where, error, exc_info=error)
    return SourceDown(f"{where} does not answer as vSphere does ({type(error).__name__})")


def fault_name(error: BaseException) -> str | None:
    """Return the name of the fault that a server answered, such as `InvalidPowerState`; `None` for other errors."""
    from pyVmomi import vmodl

    is_fault = isinstance(error, (vmodl.MethodFault, vmodl.RuntimeFault))
    return type(error).__name__.rpartition(".")[2] if is_fault else None


def fault_text(fault: object) -> str:
    """Return the message of a fault, sanitized; without one, its name."""
    text = " ".join(str(getattr(fault, "msg", "") or "").split()).rstrip(".")
    return sanitize(text) or type(fault).__name__.rpartition(".")[2]


def _is_answer(error: BaseException) -> bool:
    """Return whether the session goes on: the server answered, if only by refusing."""
    name = fault_name(error)
    return isinstance(error, SourceError) or (name is not None and name not in _LOST)


def _pin(address: Address) -> str:
    """Return how to trust the certificate that a server shows now; empty if it cannot be read."""
    from collectors.engines.vsphere.bounded_stub import certificate_sha256

    try:
        digest = certificate_sha256(address)
    except OSError:
        return ""
    return f"if its SHA-256 is {digest} on the server too, add ?thumbprint={digest} to the address"


def clock_offset_ns(session: Session) -> int:
    """Return what to add to a time of the server, in ns since 1970, to get this host's monotonic time in ns."""
    before_ns = time.monotonic_ns()
    server = session.instance.CurrentTime()
    middle_ns = (before_ns + time.monotonic_ns()) // 2
    return middle_ns - int(server.timestamp() * 1e9)
