"""From addresses on the command line to the sources that the sampler runs."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from collectors.sampling.source import SourceSpec


def specs(docker_urls: Sequence[str], libvirt_uris: Sequence[str], insecure: bool = False) -> list[SourceSpec]:
    """Return the kernel's sources, then a source for each daemon.

    Args:
        docker_urls: Addresses of Docker engines; none means the one that the docker command would use.
        libvirt_uris: libvirt connections; none means this host's.
        insecure: Whether an engine may be spoken to without TLS.
    """
    trust: dict[str, object] = {"insecure": True} if insecure else {}
    return [
        SourceSpec("host"),
        SourceSpec("cgroup"),
        *(
            SourceSpec("docker", {"url": url, **trust}, _label("docker", url, len(docker_urls)))
            for url in docker_urls or (None,)
        ),
        *(
            SourceSpec("libvirt", {"uri": uri}, _label("libvirt", uri, len(libvirt_uris)))
            for uri in libvirt_uris or (None,)
        ),
        SourceSpec("systemd"),
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
