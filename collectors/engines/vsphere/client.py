"""Sessions of servers: logging in and out."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from collectors.engines.vsphere import address as addresses
from collectors.engines.vsphere.address import Address
from collectors.engines.vsphere.credentials import Credentials, find
from collectors.engines.vsphere.faults import is_answer, translating
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.model.installing import install_command
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from collectors.engines.vsphere.bounded_stub import BoundedStub

log = logging.getLogger(__name__)

_CLOSE_S = 0.5
_NOT_AGAIN_S = 600.0
"""Seconds for which a password that was refused is not tried again: servers lock an account after a few (ESXi after 5
within 15 minutes)."""
_refused_until: dict[tuple[str, Credentials], float] = {}
"""By server and credentials: a monotonic second. The source and what is done on demand share it."""
_IDLE_S = 600.0
"""A session that was not used for so long is not used again: the server ends it after half an hour."""


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
        """Connect and log in. Raises what the library raises: see `faults.translating`."""
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
                if not is_answer(error):
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
        AccessDenied: The server refuses the user or the password, or has just refused them.
    """
    if not addresses.is_installed():
        raise SourceAbsent("pyvmomi, which vSphere is read with, is not installed", install_command("pyvmomi"))
    from pyVmomi import vim

    attempt = (address.shown, credentials)
    if time.monotonic() < _refused_until.get(attempt, 0.0):
        raise _refusal(address, credentials)
    session = Session(address)
    try:
        session.open(credentials)
    except vim.fault.InvalidLogin:
        _refused_until[attempt] = time.monotonic() + _NOT_AGAIN_S
        raise _refusal(address, credentials) from None
    except BaseException:
        session.close()
        raise
    return session


def _refusal(address: Address, credentials: Credentials) -> AccessDenied:
    user, origin = sanitize(credentials.user), credentials.origin
    return AccessDenied(f"{address.shown} refuses user {user}, or the password in {origin}", f"correct it in {origin}")


def clock_offset_ns(session: Session) -> int:
    """Return what to add to a time of the server, in ns since 1970, to get this host's monotonic time in ns."""
    before_ns = time.monotonic_ns()
    server = session.instance.CurrentTime()
    middle_ns = (before_ns + time.monotonic_ns()) // 2
    return middle_ns - int(server.timestamp() * 1e9)
