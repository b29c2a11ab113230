"""The names that a shell completes are those of the engine's list, and cost two requests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from collectors.engines.docker.engine import DockerEngine
from collectors.engines.docker.source import DockerSource
from collectors.engines.podman.engine import PodmanEngine
from collectors.engines.podman.source import PodmanSource
from collectors.model.errors import SourceDown
from collectors.sampling.source import SourceSpec
from tests.unit.collectors.engines.docker.test_source import QuietEvents, engine, response

ENTRIES: list[dict[str, Any]] = [
    {"Id": "a1", "Names": ["/db/alias", "/web"], "State": "running"},
    {"Id": "a2", "Names": ["/stopped"], "State": "exited"},
    {"Id": "a3", "Names": ["/evil\x1b[2J"], "State": "created"},
    {"Id": "a4", "Names": [], "State": "created"},
    {"Id": "../a5", "Names": ["/leads-elsewhere"], "State": "created"},
    {"Names": ["/without-id"], "State": "created"},
]
PING = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\nApi-Version: 1.41\r\n%b\r\nOK"
OF_PODMAN = b"Libpod-Api-Version: 4.3.1\r\n"


class NoEvents(QuietEvents):
    """A stream without events, which may also be asked for what has been."""

    def fetch(self, *_: object) -> None:
        """Nothing has been."""


def listed(source: DockerSource) -> set[str]:
    source._events = NoEvents()  # type: ignore[assignment]
    source.open(lambda: None)
    try:
        return {workload.name for workload in source.read().workloads.values() if workload.name_is_known}
    finally:
        source.close()


def test_names_of_docker_are_those_of_its_source_for_two_requests(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(path: str) -> bytes:
        asked.append(path.partition("?")[0])
        return PING % b"" if path == "/_ping" else response(json.dumps(ENTRIES).encode())

    with engine(tmp_path, answer):
        url = f"unix://{tmp_path}/s"
        names = DockerEngine().names(SourceSpec("docker", {"url": url}))
        assert asked == ["/_ping", "/v1.41/containers/json"]
        assert names is not None
        assert set(names) == listed(DockerSource(url))
    assert {"web", "stopped"} < set(names)
    assert all(name.isprintable() for name in names)


def test_names_of_podman_are_those_of_its_own_list(tmp_path: Path) -> None:
    asked: list[str] = []
    entries = [{**entry, "Names": [name.lstrip("/") for name in entry["Names"]]} for entry in ENTRIES]

    def answer(path: str) -> bytes:
        asked.append(path.partition("?")[0])
        return PING % OF_PODMAN if path == "/_ping" else response(json.dumps(entries).encode())

    with engine(tmp_path, answer):
        url = f"unix://{tmp_path}/s"
        names = PodmanEngine().names(SourceSpec("podman", {"url": url}))
        assert asked == ["/_ping", "/v4.3.1/libpod/containers/json"]
        assert names is not None
        assert set(names) == listed(PodmanSource(url))
    assert {"web", "stopped"} < set(names)


def test_another_engine_at_podmans_address_has_no_names_of_it(tmp_path: Path) -> None:
    with engine(tmp_path, lambda _: PING % b""), pytest.raises(SourceDown, match="Podman does not answer"):
        PodmanEngine().names(SourceSpec("podman", {"url": f"unix://{tmp_path}/s"}))


@pytest.mark.parametrize("product", [DockerEngine(), PodmanEngine()])
def test_an_engine_elsewhere_is_left_to_its_source(product: DockerEngine) -> None:
    spec = SourceSpec(product.name, {"url": "tcp://127.0.0.1:1", "insecure": True})
    assert product.names(spec) is None
