"""Where the Docker engine is, how to connect to it, and what its failures mean in one sentence each."""

from __future__ import annotations

import ipaddress
import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.safety.permissions import access_remedy, way_to
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import objects, text

if TYPE_CHECKING:
    from docker import APIClient

TIMEOUT_S = 3.0
_FIRST_ANSWER_S = 30.0
"""A frozen engine answers the one call that waits as soon as it is back; more calls would only queue up in it."""
_NEWEST_API = "1.51"
"""From 1.52 on the engine leaves out fields that docker-py relies on."""
_OLDEST_PROBE = "1.44"
"""Only there to be a valid version for the client that asks `/version`, which has none in its path."""
_GROUP = "docker"


@dataclass(frozen=True)
class Endpoint:
    """Address of an engine, with what is needed to speak to it."""

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
        """Whether the engine's containers are surely in this host's kernel. A loopback port may be a tunnel."""
        return self.socket is not None or self.url.startswith("npipe:")

    @property
    def shown(self) -> str:
        """Host and port as one reads them, without a user's password; empty for a local engine."""
        if self.is_local:
            return ""
        parts = urlsplit(self.url)
        return sanitize(parts.netloc.rpartition("@")[2] or self.url)

    @property
    def place(self) -> str:
        """Where it is, for a sentence."""
        return sanitize(str(self.socket)) if self.socket else self.shown or sanitize(self.url)

    def connect(self, version: str, timeout_s: float = TIMEOUT_S) -> APIClient:
        """Make a client with a pinned version; nothing is asked yet (except over ssh, which logs in)."""
        from docker import APIClient

        client = APIClient(base_url=self.url, version=version, timeout=timeout_s, tls=self.tls or False)  # type: ignore[arg-type]  # the stubs have int
        if self.is_local:
            client.trust_env = False  # no proxy lies before a socket; looking for one is half the price of a request
        return client

    def ask_version(self) -> Mapping[str, Any]:
        """Return the engine's answer to `/version`.

        Raises:
            ValueError: The answer is no JSON object.
        """
        probe = self.connect(_OLDEST_PROBE, _FIRST_ANSWER_S)
        try:
            answer: Any = probe.version(api_version=False)
        finally:
            probe.close()
        if not isinstance(answer, dict):
            raise ValueError("the answer to /version is no object")
        return answer


def resolve(url: str | None, insecure: bool = False, environ: Mapping[str, str] = os.environ) -> Endpoint:
    """Find the engine as the docker command does: given address, DOCKER_HOST, context, default socket.

    Raises:
        SourceAbsent: There is no socket, or no such context.
        AccessDenied: The socket cannot be seen, or the address is unencrypted and not `insecure`.
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
    """Raise `SourceAbsent` or `AccessDenied` unless there is a socket."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}", way_to(sanitize(str(path)))) from None
    except PermissionError:
        raise AccessDenied(f"no permission to see {sanitize(str(path))}", access_remedy(path, _GROUP)) from None
    except OSError as error:
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}: {error.strerror}") from None
    if not stat.S_ISSOCK(mode):
        raise SourceAbsent(f"no Docker socket at {sanitize(str(path))}: it is another kind of file")


def clamp_version(answer: Mapping[str, Any]) -> str:
    """Choose the API version from an answer to `/version`: 1.51, kept within what the engine speaks.

    Raises:
        ValueError: The answer does not name the engine's version.
    """
    newest, oldest = answer.get("ApiVersion"), answer.get("MinAPIVersion")
    if not isinstance(newest, str) or not newest:
        raise ValueError("the answer to /version names no ApiVersion")
    chosen = min(_NEWEST_API, newest, key=_order)
    return max(chosen, oldest, key=_order) if isinstance(oldest, str) and oldest else chosen


def engine_of(answer: Mapping[str, Any]) -> str:
    """Return `podman` or `docker`, by the components that the engine names."""
    names = [text(component.get("Name")) for component in objects(answer.get("Components"))]
    return "podman" if any("podman" in name.lower() for name in names) else "docker"


def failures() -> tuple[type[Exception], ...]:
    """Return every family of exceptions that docker-py lets out; imported late, as the library is.

    KeyError and TypeError come from its reading of error answers that are JSON, but without a `message`.
    """
    from docker.errors import DockerException
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return (DockerException, RequestException, HTTPError, OSError, ValueError, KeyError, TypeError)


def translate(error: BaseException, endpoint: Endpoint) -> SourceError:
    """Say what a failure means, in one sentence with a remedy."""
    from docker.errors import APIError
    from requests import Timeout

    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return AccessDenied(f"no permission to use {endpoint.place}", access_remedy(endpoint.socket, _GROUP))
    if any(isinstance(cause, FileNotFoundError) for cause in causes) and endpoint.socket:
        return SourceAbsent(f"no Docker socket at {endpoint.place}")
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        remedy = "sudo systemctl start docker" if endpoint.is_local else ""
        return SourceDown(f"nothing listens at {endpoint.place}; the Docker daemon is not running", remedy)
    if any(isinstance(cause, Timeout | TimeoutError) for cause in causes):
        return SourceDown(f"Docker at {endpoint.place} did not answer within {TIMEOUT_S:g} s")
    if isinstance(error, APIError):
        return _translate_answer(error, endpoint)
    if any("paramiko" in str(cause) for cause in causes):
        return SourceDown("ssh:// needs the package paramiko", "pip install 'vmtop[ssh]'")
    if isinstance(error, ValueError | KeyError | TypeError):
        return SourceDown(f"Docker at {endpoint.place} gave a broken answer")
    return SourceDown(f"Docker at {endpoint.place}: {sanitize(str(error).partition(chr(10))[0])}")


def _translate_answer(error: Any, endpoint: Endpoint) -> SourceError:
    status = getattr(error.response, "status_code", None)
    if status in (401, 403):
        return AccessDenied(f"Docker at {endpoint.place} refuses the request (HTTP {status})")
    said = sanitize(error.explanation if isinstance(error.explanation, str) else "", 120).strip()
    return SourceDown(f"Docker at {endpoint.place} answered HTTP {status}" + (f": {said}" if said else ""))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that it wraps: requests and urllib3 hide the real one in `args` and `reason`."""
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
    """Return the first socket that is there: Docker's, a rootless Docker's, then Podman's."""
    mine = environ.get("XDG_RUNTIME_DIR")
    places = ["/var/run/docker.sock"]
    places += [f"{mine}/docker.sock"] if mine else []
    places += ["/run/podman/podman.sock"]
    places += [f"{mine}/podman/podman.sock"] if mine else []
    return "unix://" + next((place for place in places if os.path.exists(place)), places[0])


def _is_exposed(endpoint: Endpoint) -> bool:
    """Whether others on the way could read and change what is said, or play the engine."""
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
