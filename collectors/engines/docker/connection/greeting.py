"""Which engine answers at an address, and which versions of its API to use. `/_ping` tells both in its headers.

`/version` is asked only where the headers lack something: Podman runs the package manager for each answer to it, which
takes seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from collectors.safety.untrusted import objects, text

if TYPE_CHECKING:
    from collectors.engines.docker.connection.bounded_client import BoundedClient
    from collectors.engines.docker.connection.socket_client import SocketClient

OLDEST_PROBE = "1.44"
"""A valid version for the client that asks, whose paths do not contain it."""
_NEWEST_API = "1.51"
"""From 1.52 on the engine omits fields that docker-py relies on."""
_API = re.compile(r"\d{1,4}\.\d{1,4}")
_LIBPOD = re.compile(r"(\d{1,4}\.\d{1,4}\.\d{1,4})(?:-.*)?")


class Greeting(NamedTuple):
    """Who answers."""

    engine: str
    """`docker` or `podman`."""
    version: str
    """The version of Docker's API to use."""
    libpod: str = ""
    """The version of Podman's own API; empty for Docker."""


def greet(client: BoundedClient | SocketClient) -> Greeting:
    """Ask an engine who it is.

    Raises:
        ValueError: It does not say which version it speaks.
    """
    headers = {name.lower(): value for name, value in client.ping_headers().items()}
    version = headers.get("api-version", "")
    if "libpod-api-version" in headers:
        libpod = _LIBPOD.fullmatch(headers["libpod-api-version"])
        if libpod is None:
            raise ValueError("Podman's version is not a version")
        return Greeting("podman", version if _API.fullmatch(version) else "1.40", libpod[1])
    if _API.fullmatch(version) and _order(version) <= _order(_NEWEST_API):
        return Greeting("docker", version)
    answer: Any = client.version(api_version=False)  # only this tells the oldest version that a new engine still speaks
    if not isinstance(answer, dict):
        raise ValueError("the answer to /version is not an object")
    return Greeting(engine_of(answer), clamp_version(answer))


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


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
