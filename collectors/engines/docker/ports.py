"""The text for the ports of a container: where they can be reached, and what they lead to. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import objects, positive, text

_PORTS_AT_MOST = 12
"""Entries written; a range is one entry."""
_EVERY_ADDRESS = frozenset({"", "0.0.0.0", "::", "*"})  # noqa: S104  # what the engine reports; nothing binds here


class _Range(NamedTuple):
    """Neighbouring ports of one address and protocol."""

    is_inside_only: bool
    """Not published: it can be reached in the container's networks only."""
    address: str
    protocol: str
    outside: int
    inside: int
    length: int = 1

    @property
    def text(self) -> str:
        inside = f"{_span(self.inside, self.length)}/{self.protocol}"
        return inside if self.is_inside_only else f"{self.address}:{_span(self.outside, self.length)}→{inside}"


def ports_text(ports: object) -> str | None:
    """Format published ports as `*:8080→80/tcp` (address:host→container), then the others as `5432/tcp`.

    `*` is every address of the host. Neighbours are one entry, as in `*:8000-8010→8000-8010/tcp`. `None` without ports.
    """
    single = {port for entry in objects(ports) if (port := _port(entry)) is not None}
    ranges: list[_Range] = []
    for port in sorted(single):
        last = ranges[-1] if ranges else None
        if last is not None and port == last._replace(
            outside=last.outside + last.length, inside=last.inside + last.length, length=1
        ):
            ranges[-1] = last._replace(length=last.length + 1)
        else:
            ranges.append(port)
    ranges.sort(key=lambda entry: (entry.is_inside_only, entry.outside))
    more = ["…"] if len(ranges) > _PORTS_AT_MOST else []
    return ", ".join([entry.text for entry in ranges[:_PORTS_AT_MOST]] + more) or None


def _port(entry: Mapping[str, Any]) -> _Range | None:
    """Return an entry of the engine's list; `None` without a port of the container."""
    inside = positive(entry.get("PrivatePort"))
    if inside is None:
        return None
    protocol = sanitize(text(entry.get("Type")) or "tcp", 8)
    outside = positive(entry.get("PublicPort"))
    if outside is None:
        return _Range(True, "", protocol, inside, inside)
    address = sanitize(text(entry.get("IP")), 40)
    if address in _EVERY_ADDRESS:
        address = "*"
    elif ":" in address:
        address = f"[{address.strip('[]')}]"
    return _Range(False, address, protocol, outside, inside)


def _span(first: int, length: int) -> str:
    return str(first) if length == 1 else f"{first}-{first + length - 1}"
