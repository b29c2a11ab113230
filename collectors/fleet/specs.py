"""The sources of other hosts, among all sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from collectors.engines import registry
from collectors.fleet.hosts import HostSpec
from collectors.sampling.source import REMOTE, Source, SourceSpec


def specs_of(hosts: Iterable[HostSpec]) -> list[SourceSpec]:
    """Return the sources to run, one for each host."""
    return [SourceSpec(REMOTE, {"spec": host}, host.name) for host in hosts]


def load_source(name: str) -> Callable[..., Source]:
    """Import the class of a source, by its name in a `SourceSpec`.

    Raises:
        LookupError: No source has that name.
    """
    if name == REMOTE:
        from collectors.fleet.source import RemoteSource

        return RemoteSource
    if name == "demo":
        from collectors.fleet.demo import load_demo

        return load_demo
    return registry.load_source(name)
