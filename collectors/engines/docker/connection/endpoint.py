"""Connects to a Docker engine, and turns its failures into one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from collectors.engines.docker.connection.answers import Refused
from collectors.engines.docker.connection.library import library_errors, library_timeouts, load_library
from collectors.engines.docker.connection.product import DOCKER, Product
from collectors.engines.ssh_target import SshFailure, ssh_target
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.safety.permissions import access_remedy, start_remedy
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import ANSWER_S

if TYPE_CHECKING:
    from collectors.engines.docker.connection.bounded_client import BoundedClient
    from collectors.engines.docker.connection.greeting import Greeting
    from collectors.engines.docker.connection.socket_client import SocketClient

AnyClient = TypeVar("AnyClient", bound="BoundedClient")
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")


@dataclass(frozen=True)
class Endpoint:
    """Address of an engine, with its TLS settings."""

    url: str
    tls: Any = None
    """A `docker.tls.TLSConfig`, or `None`."""
    product: Product = DOCKER
    """The engine that is expected there."""

    @property
    def socket(self) -> Path | None:
        """Path of a local socket; `None` for anything else."""
        if not self.url.startswith(("unix:", "http+unix:")):
            return None
        return Path("/" + self.url.partition(":")[2].lstrip("/"))

    @property
    def is_local(self) -> bool:
        """Whether the engine's containers are certain to run on this host's kernel. A loopback port may be a tunnel."""
        return self.socket is not None or self.url.startswith("npipe:")

    @property
    def is_ssh(self) -> bool:
        """Whether it is reached with the OpenSSH client."""
        return self.url.startswith("ssh:")

    @property
    def shown(self) -> str:
        """Host and port for display, without credentials; empty for a local engine."""
        if self.is_local:
            return ""
        parts = urlsplit(self.url)
        return sanitize(parts.netloc.rpartition("@")[2] or self.url)

    @property
    def location(self) -> str:
        """Its socket or host, for use in a sentence."""
        return sanitize(str(self.socket)) if self.socket else self.shown or sanitize(self.url)

    def connect(self, greeting: Greeting, timeout_s: float = ANSWER_S) -> BoundedClient:
        """Return a client of the API that the engine speaks. Sends nothing yet.

        Its time-out is long: a frozen engine answers the one waiting call as soon as it is back, and more calls would
        only queue up in it.
        """
        load_library()
        from collectors.engines.docker.connection.bounded_client import BoundedClient

        if not greeting.libpod:
            return self._open(BoundedClient, greeting.version, timeout_s)
        from collectors.engines.podman.client import PodmanClient

        client = self._open(PodmanClient, greeting.version, timeout_s)
        client.libpod = greeting.libpod
        return client

    def greet(self, timeout_s: float = ANSWER_S) -> Greeting:
        """Ask who answers.

        Raises:
            ValueError: It does not say which version it speaks.
        """
        from collectors.engines.docker.connection.greeting import OLDEST_PROBE, greet

        probe = self._reader(OLDEST_PROBE, timeout_s)
        try:
            return greet(probe)
        finally:
            probe.close()

    def reader(self, greeting: Greeting, timeout_s: float = ANSWER_S) -> BoundedClient | SocketClient:
        """Return a client for what a source reads: without docker-py where a socket of this host leads to Docker."""
        return self.connect(greeting, timeout_s) if greeting.libpod else self._reader(greeting.version, timeout_s)

    def _reader(self, version: str, timeout_s: float) -> BoundedClient | SocketClient:
        if self.socket is not None:
            from collectors.engines.docker.connection.socket_client import SocketClient

            return SocketClient(self.socket, version, timeout_s)
        load_library()
        from collectors.engines.docker.connection.bounded_client import BoundedClient

        return self._open(BoundedClient, version, timeout_s)

    def _open(self, kind: type[AnyClient], version: str, timeout_s: float) -> AnyClient:
        if self.is_ssh:
            from collectors.engines.docker.connection.ssh import SshAdapter

            client = kind(base_url="unix:///ssh", version=version, timeout=timeout_s)  # type: ignore[arg-type]
            client.mount("http+docker://", SshAdapter(ssh_target(self.url), timeout_s, self.product.dial))
        else:
            client = kind(base_url=self.url, version=version, timeout=timeout_s, tls=self.tls or False)  # type: ignore[arg-type]  # the stubs have int
        if self.is_local or self.is_ssh:
            client.trust_env = False  # a socket has no proxy; looking for one is half the cost of a request
        return client


def remedy_for(socket: Path | None, product: Product = DOCKER) -> str:
    """Return the command that lets this user use a socket. Podman's has no group: its folder is open to its owner."""
    return access_remedy(socket, "" if socket is not None and "podman" in socket.parts else product.group)


def is_id(value: object) -> bool:
    """Return whether a value can be a container's id: nothing that leads elsewhere in the path of a request."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def failures() -> tuple[type[Exception], ...]:
    """Return the base classes of all exceptions that the clients raise: for `except`, as docker-py may be loaded late.

    It raises KeyError and TypeError for answers of another shape, and RecursionError comes of JSON that is nested too
    deeply.
    """
    return (OSError, ValueError, KeyError, TypeError, RecursionError, *library_errors())


def broken() -> tuple[type[Exception], ...]:
    """Return those of a stream as well, whose socket may be closed under its reader."""
    return (*failures(), AttributeError)


def translate(error: BaseException, endpoint: Endpoint, timeout_s: float = ANSWER_S) -> SourceError:
    """Return the `SourceError` for a failure of a call with that time-out: one sentence, with a remedy."""
    causes, name = list(_causes(error)), endpoint.product.name
    for cause in causes:
        if isinstance(cause, SshFailure):
            return ssh_target(endpoint.url).explain(str(cause))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return AccessDenied(f"no permission to use {endpoint.location}", remedy_for(endpoint.socket, endpoint.product))
    if any(isinstance(cause, FileNotFoundError) for cause in causes) and endpoint.socket:
        return SourceAbsent(f"no {name} socket at {endpoint.location}")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        remedy = start_remedy(*endpoint.product.units) if endpoint.is_local else ""
        return SourceDown(f"nothing listens at {endpoint.location}; {name} is not running", remedy)
    if any(isinstance(cause, (TimeoutError, *library_timeouts())) for cause in causes):
        limit = "in time, which includes the login" if endpoint.is_ssh else f"within {timeout_s:g} s"
        return NotInTime(f"{name} at {endpoint.location} did not answer {limit}")
    if isinstance(error, Refused):
        return _translate_answer(error, endpoint)
    if isinstance(error, ValueError | KeyError | TypeError | RecursionError):
        return SourceDown(f"{name} at {endpoint.location} sent an invalid answer")
    return SourceDown(f"{name} at {endpoint.location}: {sanitize(str(error).partition(chr(10))[0])}")


def _translate_answer(error: Refused, endpoint: Endpoint) -> SourceError:
    status, name = error.status, endpoint.product.name
    if status in (401, 403):
        return AccessDenied(f"{name} at {endpoint.location} refuses the request (HTTP {status})")
    message = sanitize(error.explanation, 120).strip()
    return SourceDown(f"{name} at {endpoint.location} answered HTTP {status}" + (f": {message}" if message else ""))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all those it wraps: requests and urllib3 hide the real one in `args` and `reason`."""
    waiting, seen = [error], set[int]()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        wrapped = (*current.args, current.__cause__, current.__context__, getattr(current, "reason", None))
        waiting.extend(inner for inner in wrapped if isinstance(inner, BaseException))
