"""The memory of a domain, which its balloon takes from the guest and gives back: between 0 and the maximum.

Source: https://libvirt.org/formatdomain.html#memory-allocation, virDomainSetMemoryFlags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.libvirt.limits.part import CONFIG, LIVE, Seen
from collectors.model.limits import Amount, Limit, LimitKey, Setting

if TYPE_CHECKING:
    from libvirt import virDomain

_KIB = 1024
_INACTIVE = 2
"""VIR_DOMAIN_XML_INACTIVE."""
_NO_BALLOON = "it has no balloon: add <memballoon model='virtio'/> to its definition and start it again"


class Ballooning:
    """The balloon."""

    keys = (LimitKey.MEMORY,)

    def read(self, seen: Seen) -> dict[LimitKey, Limit]:
        """Ask how much memory the guest has now, and how much it can have."""
        _, maximum, current, *_ = seen.domain.info()
        balloon = seen.root.find("devices/memballoon")
        has_balloon = balloon is not None and balloon.get("model") != "none"
        defined = _defined(seen.domain) if seen.is_persistent else None
        settings = {LIVE: {"kib": current}, CONFIG: None if defined is None else {"kib": defined}, "maximum": maximum}
        limit = Limit(
            LimitKey.MEMORY,
            current * _KIB,
            objection="" if has_balloon else _NO_BALLOON,
            most=float(maximum * _KIB),
            settings=settings,
        )
        return {LimitKey.MEMORY: limit}

    def new(self, limit: Limit, amount: Amount | None) -> Setting:
        """Return the memory for the guest; without a limit, all that it can have."""
        kib = int(limit.settings["maximum"]) if amount is None else int(float(amount)) // _KIB
        gives = kib * _KIB < float(limit.value or 0)
        words = ("The guest has to give memory back itself, which takes a while.",) if gives else ()
        return Setting({"kib": kib}, kib * _KIB, words)

    def write(self, domain: virDomain, key: LimitKey, values: Mapping[str, Any], flags: int) -> None:
        """Have the balloon go there."""
        domain.setMemoryFlags(values["kib"], flags)

    def commands(self, key: LimitKey, values: Mapping[str, Any], name: str, flags: str) -> Iterator[str]:
        """Yield `setmem`, whose unit is KiB."""
        yield f"setmem {name} {values['kib']}{flags}"


def _defined(domain: virDomain) -> int | None:
    """Return the memory of the next start in KiB; `None` if the definition does not say."""
    root: ElementTree.Element | None = safe_xml(domain.XMLDesc(_INACTIVE))
    text = (root.findtext("currentMemory") or root.findtext("memory") or "") if root is not None else ""
    return int(text) if text.isdigit() else None
