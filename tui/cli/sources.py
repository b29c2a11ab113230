"""From addresses on the command line to the sources that the sampler runs."""

from __future__ import annotations

from urllib.parse import urlsplit

from collectors.sampling.source import SourceSpec
from tui.cli.options import ENGINE_OPTIONS, EngineOption, SourceChoice


def specs(wanted: SourceChoice) -> list[SourceSpec]:
    """Return the kernel's sources, then a source for each daemon."""
    daemons = [spec for row in ENGINE_OPTIONS for spec in _daemons(row, wanted)]
    return [SourceSpec("host"), SourceSpec("cgroup"), *daemons, SourceSpec("systemd")]


def _daemons(row: EngineOption, wanted: SourceChoice) -> list[SourceSpec]:
    addresses = wanted.addresses.get(row.engine, ())
    trust: dict[str, object] = {"insecure": True} if wanted.insecure and row.has_insecure else {}
    return [
        SourceSpec(row.engine, {row.key: address, **trust}, _label(row.engine, address, len(addresses)))
        for address in addresses or (None,)
    ]


def demo(workloads: int, seed: int) -> list[SourceSpec]:
    """Return the one source of a fleet that does not exist."""
    return [SourceSpec("demo", {"workloads": workloads, "seed": seed, "lives": {}})]


def _label(name: str, address: str | None, count: int) -> str:
    """Name a source for the header; where there are several, each with its place. Passwords stay out of it."""
    if address is None or count < 2:
        return name
    parts = urlsplit(address)
    return f"{name}@{parts.netloc.rpartition('@')[2] or parts.path}"
