"""What a part of a domain's limits offers: CPUs, memory, disks and interfaces each are one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from xml.etree import ElementTree

from collectors.model.limits import Amount, Limit, LimitKey, Setting

if TYPE_CHECKING:
    from libvirt import virDomain

AFFECT_LIVE, AFFECT_CONFIG = 1, 2
"""VIR_DOMAIN_AFFECT_LIVE and VIR_DOMAIN_AFFECT_CONFIG."""
LIVE, CONFIG = "live", "config"
"""In settings: the values of the run, and those of the definition; without a definition these are `None`."""
FLAG_WORDS = {AFFECT_LIVE: " --live", AFFECT_CONFIG: " --config"}
"""The options of virsh for flags, with a blank before each."""


class Seen(NamedTuple):
    """A running domain."""

    domain: virDomain
    root: ElementTree.Element
    """Its description as it runs."""
    is_persistent: bool


class Part(Protocol):
    """Some of the limits of a domain. `read` and `write` call libvirt and raise its errors."""

    @property
    def keys(self) -> tuple[LimitKey, ...]:
        """The limits."""

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Return the limits of a running domain."""

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return what to send; its values are those of `write`, not of the run and the definition apart.

        Raises:
            LimitError: libvirt cannot have that amount.
        """

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Set it."""

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield the virsh commands that do the same, without `virsh`."""


def scopes(values: Mapping[str, Any], is_kept: bool) -> list[tuple[Mapping[str, Any], int]]:
    """Return what is sent with which flag, the run first. libvirt's binding takes no call for both at once."""
    live, config = values[LIVE], values.get(CONFIG)
    return [(live, AFFECT_LIVE), *([(config, AFFECT_CONFIG)] if is_kept and config is not None else [])]
