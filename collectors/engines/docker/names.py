"""The names of an engine's containers, read without anything else of them: what a shell completes."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.engines.docker.connection.endpoint import Endpoint, failures, is_id, translate
from collectors.model.errors import SourceDown
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import items, objects
from collectors.sampling.timeout import ANSWER_S

MOST_CONTAINERS = 10_000
"""Containers of one engine that are shown; the rest of a longer list is not."""


def names_at(endpoint: Endpoint, engine: str = "") -> list[str]:
    """Return the sanitized names of the containers behind a socket of this host, stopped ones too.

    Two requests without docker-py, whose import costs more than all of them, also to Podman.

    Args:
        endpoint: An address of a unix socket.
        engine: The engine that has to answer, `docker` or `podman`; empty for either.

    Raises:
        SourceError: It cannot be asked, or another engine answers.
        ValueError: The endpoint is no unix socket.
    """
    if endpoint.socket is None:
        raise ValueError(f"{endpoint.location} is not a socket of this host")
    try:
        greeting = endpoint.greet()
        if engine and greeting.engine != engine:
            raise SourceDown(f"{endpoint.product.name} does not answer at {endpoint.location}")
        from collectors.engines.docker.connection.socket_client import SocketClient

        # Podman's own API has its list below another path; its source takes that one, which has the pods' containers.
        version = f"{greeting.libpod}/libpod" if greeting.libpod else greeting.version
        entries = SocketClient(endpoint.socket, version, ANSWER_S).containers(all=True)
        if greeting.libpod:
            from collectors.engines.podman.entries import as_dockers

            entries = list(map(as_dockers, items(entries)))
        return list(_names(entries))
    except failures() as error:
        raise translate(error, endpoint) from error


def _names(entries: object) -> Iterator[str]:
    usable = [entry for entry in objects(entries) if is_id(entry.get("Id"))]
    return filter(None, (own_name(entry.get("Names")) for entry in usable[:MOST_CONTAINERS]))


def own_name(names: object) -> str:
    """Return a container's own name, sanitized: names from links of other containers have a second slash.

    Args:
        names: `Names` of an entry of a list, with a leading slash or without.
    """
    texts = [name for name in items(names) if isinstance(name, str)]
    own = [name for name in texts if name.count("/") <= 1]
    return sanitize((own or texts or [""])[0].lstrip("/"))
