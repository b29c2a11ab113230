"""Finds the Docker engine, connects to it, and turns its failures into one sentence each."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.safety.permissions import access_remedy, mount_remedy
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import objects, text
from collectors.sampling.timeout import ANSWER_S

if TYPE_CHECKING:
    from docker import APIClient

_NEWEST_API = "1.51"
"""From 1.52 on the engine omits fields that docker-py relies on."""
_OLDEST_PROBE = "1.44"
"""A valid version for the client that requests `/version`, whose path does not contain it."""
_GROUP = "docker"


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

    def connect(self, version: str, timeout_s: float = ANSWER_S) -> APIClient:
        """Return a client with a pinned version. Sends nothing yet, except over ssh, which logs in.

        Its time-out is long: a frozen engine answers the one waiting call as soon as it is back, and more calls would
        only queue up in it.
        """
        from docker import APIClient

        client = APIClient(base_url=self.url, version=version, timeout=timeout_s, tls=self.tls or False)  # type: ignore[arg-type]  # the stubs have int
        if self.is_local:
            client.trust_env = False  # a socket has no proxy; looking for one is half the cost of a request
        return client

    def ask_version(self) -> Mapping[str, Any]:
        """Return the engine's answer to `/version`.

        Raises:
            ValueError: The answer is not a JSON object.
        """
        probe = self.connect(_OLDEST_PROBE)
        try:
            answer: Any = probe.version(api_version=False)
        finally:
            probe.close()
        if not isinstance(answer, dict):
            raise ValueError("the answer to /version is not an object")
        return answer


def resolve(url: str | None, insecure: bool = False, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """Find the engine as the docker command does: `url`, DOCKER_HOST, context, default socket.

    Raises:
        SourceAbsent: There is no socket, or no such context.
        AccessDenied: The socket is not accessible, or the address is unencrypted without `insecure`.
    """
    endpoint = _find(url, environ)
    if not insecure and _is_exposed(endpoint):
        raise AccessDenied(
            f"Docker at {endpoint.shown} is not protected by TLS, so vmtop does not connect",
            "set DOCKER_TLS_VERIFY=1 and DOCKER_CERT_PATH, use ssh://, or allow it with --insecure",
        )
    if endpoint.socket is not None:
        check_socket(endpoint.socket)
    return endpoint


def check_socket(path: Path) -> None:
    """Raise `SourceAbsent` or `AccessDenied` unless the path is a socket."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}", mount_remedy(sanitize(str(path)))) from None
    except PermissionError:
        raise AccessDenied(f"no permission to access {sanitize(str(path))}", access_remedy(path, _GROUP)) from None
    except OSError as error:
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}: it is another type of file")


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


def engine_of(answer: Mapping[str, Any]) -> str:
    """Return `podman` or `docker`, by the components in an answer to `/version`."""
    names = [text(component.get("Name")) for component in objects(answer.get("Components"))]
    return "podman" if any("podman" in name.lower() for name in names) else "docker"


def failures() -> tuple[type[Exception], ...]:
    """Return the base classes of all exceptions that docker-py raises; imported late, like the library.

    It raises KeyError and TypeError for error answers that are JSON without a `message`.
    """
    from docker.errors import DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return (DockerException, RequestException, HTTPError, OSError, ValueError, KeyError, TypeError)


def translate(error: BaseException, endpoint: Endpoint, timeout_s: float = ANSWER_S) -> SourceError:
    """Return the `SourceError` for a failure of a call with that time-out: one sentence, with a remedy."""
    from docker.errors import APIError
    from requests import Timeout

    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return AccessDenied(f"no permission to use {endpoint.location}", access_remedy(endpoint.socket, _GROUP))
    if any(isinstance(cause, FileNotFoundError) for cause in causes) and endpoint.socket:
        return SourceAbsent(f"no Docker socket at {endpoint.location}")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        remedy = "sudo systemctl start docker" if endpoint.is_local else ""
        return SourceDown(f"nothing listens at {endpoint.location}; the Docker daemon is not running", remedy)
    if any(isinstance(cause, Timeout | TimeoutError) for cause in causes):
        return NotInTime(f"Docker at {endpoint.location} did not answer within {timeout_s:g} s")
    if isinstance(error, APIError):
        return _translate_answer(error, endpoint)
    if any("paramiko" in str(cause) for cause in causes):
        return SourceDown("ssh:// needs the paramiko package", "pip install 'vmtop[ssh]'")
    if isinstance(error, ValueError | KeyError | TypeError):
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


def _find(url: str | None, environ: Mapping[str, str]) -> Endpoint:
    address = url or environ.get("DOCKER_HOST")
    if address:
        from docker.utils import kwargs_from_env

        return Endpoint(address, kwargs_from_env({**environ, "DOCKER_HOST": address}).get("tls"))
    from docker.context import ContextAPI

    name = environ.get("DOCKER_CONTEXT") or None
    context = ContextAPI.get_context(name)
    if context is None:
        raise SourceAbsent(f"there is no Docker context {sanitize(name)}", "docker context ls")
    if context.Name == "default":
        return Endpoint(_default_socket(environ))
    return Endpoint(str(context.Host), context.TLSConfig)


def _default_socket(environ: Mapping[str, str]) -> str:
    """Return the first existing socket: Docker's, a rootless Docker's, then Podman's; Docker's if there is none."""
    runtime_dir = environ.get("XDG_RUNTIME_DIR")
    paths = ["/var/run/docker.sock"]
    paths += [f"{runtime_dir}/docker.sock"] if runtime_dir else []
    paths += ["/run/podman/podman.sock"]
    paths += [f"{runtime_dir}/podman/podman.sock"] if runtime_dir else []
    return "unix://" + next((path for path in paths if os.path.exists(path)), paths[0])


def _is_exposed(endpoint: Endpoint) -> bool:
    """Return whether others on the network could read or change the traffic, or impersonate the engine."""
    parts = urlsplit(endpoint.url if "://" in endpoint.url else f"tcp://{endpoint.url}")
    if endpoint.is_local or parts.scheme not in ("tcp", "http", "https") or _is_loopback(parts.hostname or ""):
        return False
    if endpoint.tls is None:
        return parts.scheme != "https"
    return not endpoint.tls.verify


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
