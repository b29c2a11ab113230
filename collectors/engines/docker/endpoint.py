"""Connects to a Docker engine, and turns its failures into one sentence each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collectors.engines.ssh_target import SshFailure, ssh_target
from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.safety.permissions import access_remedy, start_remedy
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import objects, text
from collectors.sampling.timeout import ANSWER_S

if TYPE_CHECKING:
    from collectors.engines.docker.bounded_client import BoundedClient

_NEWEST_API = "1.51"
"""From 1.52 on the engine omits fields that docker-py relies on."""
_OLDEST_PROBE = "1.44"
"""A valid version for the client that requests `/version`, whose path does not contain it."""
_GROUP = "docker"
"""Whose members may use the socket on most hosts."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")
_UNITS = ("docker.service", "podman.socket")


@dataclass(frozen=True)
class Endpoint:
    """Address of an engine, with its TLS settings."""

    url: str
    tls: Any = None
    """A `docker.tls.TLSConfig`, or `None`."""

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

    def connect(self, version: str, timeout_s: float = ANSWER_S) -> BoundedClient:
        """Return a client with a pinned version. Sends nothing yet.

        Its time-out is long: a frozen engine answers the one waiting call as soon as it is back, and more calls would
        only queue up in it.
        """
        from collectors.engines.docker.bounded_client import BoundedClient

        if self.is_ssh:
            from collectors.engines.docker.ssh import SshAdapter

            client = BoundedClient(base_url="unix:///ssh", version=version, timeout=timeout_s)  # type: ignore[arg-type]
            client.mount("http+docker://", SshAdapter(ssh_target(self.url), timeout_s))
        else:
            client = BoundedClient(base_url=self.url, version=version, timeout=timeout_s, tls=self.tls or False)  # type: ignore[arg-type]  # the stubs have int
        if self.is_local or self.is_ssh:
            client.trust_env = False  # a socket has no proxy; looking for one is half the cost of a request
        return client

    def ask_version(self, timeout_s: float = ANSWER_S) -> Mapping[str, Any]:
        """Return the engine's answer to `/version`.

        Raises:
            ValueError: The answer is not a JSON object.
        """
        probe = self.connect(_OLDEST_PROBE, timeout_s)
        try:
            answer: Any = probe.version(api_version=False)
        finally:
            probe.close()
        if not isinstance(answer, dict):
            raise ValueError("the answer to /version is not an object")
        return answer


def remedy_for(socket: Path | None) -> str:
    """Return the command that lets this user use a socket. Podman's has no group: its folder is open to its owner."""
    return access_remedy(socket, "" if socket is not None and "podman" in socket.parts else _GROUP)


def clamp_version(answer: Mapping[str, Any]) -> str:
    """Return the API version to use for an answer to `/version`: 1.51, within the range that the engine supports.

    Raises:
        ValueError: The answer does not contain the engine's version.
    """
    newest, oldest = answer.get("ApiVersion"), answer.get("MinAPIVersion")
    if not isinstance(newest, str) or not newest:
        raise ValueError("the answer to /version has no ApiVersion")
    chosen = min(_NEWEST_API, newest, key=_order)
    return max(chosen, oldest, key=_order) if isinstance(oldest, str) and oldest else chosen


def is_id(value: object) -> bool:
    """Return whether a value can be a container's id: nothing that leads elsewhere in the path of a request."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def engine_of(answer: Mapping[str, Any]) -> str:
    """Return `podman` or `docker`, by the components in an answer to `/version`."""
    names = [text(component.get("Name")) for component in objects(answer.get("Components"))]
    return "podman" if any("podman" in name.lower() for name in names) else "docker"


def failures() -> tuple[type[Exception], ...]:
    """Return the base classes of all exceptions that docker-py raises; imported late, like the library.

    It raises KeyError and TypeError for error answers that are JSON without a `message`, and RecursionError for JSON
    that is nested too deeply.
    """
    from docker.errors import DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return (DockerException, RequestException, HTTPError, OSError, ValueError, KeyError, TypeError, RecursionError)


def translate(error: BaseException, endpoint: Endpoint, timeout_s: float = ANSWER_S) -> SourceError:
    """Return the `SourceError` for a failure of a call with that time-out: one sentence, with a remedy."""
    from docker.errors import APIError
    from requests import Timeout

    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, SshFailure):
            return ssh_target(endpoint.url).explain(str(cause))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return AccessDenied(f"no permission to use {endpoint.location}", remedy_for(endpoint.socket))
    if any(isinstance(cause, FileNotFoundError) for cause in causes) and endpoint.socket:
        return SourceAbsent(f"no Docker socket at {endpoint.location}")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        remedy = start_remedy(*_UNITS) if endpoint.is_local else ""
        return SourceDown(f"nothing listens at {endpoint.location}; the Docker daemon is not running", remedy)
    if any(isinstance(cause, Timeout | TimeoutError) for cause in causes):
        limit = "in time, which includes the login" if endpoint.is_ssh else f"within {timeout_s:g} s"
        return NotInTime(f"Docker at {endpoint.location} did not answer {limit}")
    if isinstance(error, APIError):
        return _translate_answer(error, endpoint)
    if isinstance(error, ValueError | KeyError | TypeError | RecursionError):
        return SourceDown(f"Docker at {endpoint.location} sent an invalid answer")
    return SourceDown(f"Docker at {endpoint.location}: {sanitize(str(error).partition(chr(10))[0])}")


def _translate_answer(error: Any, endpoint: Endpoint) -> SourceError:
    status = getattr(error.response, "status_code", None)
    if status in (401, 403):
        return AccessDenied(f"Docker at {endpoint.location} refuses the request (HTTP {status})")
    message = sanitize(error.explanation if isinstance(error.explanation, str) else "", 120).strip()
    return SourceDown(f"Docker at {endpoint.location} answered HTTP {status}" + (f": {message}" if message else ""))


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


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
