"""Asks a virtual machine's guest agent which system runs inside. libvirt lets only writable connections do so.

Only an agent that libvirt says is connected is asked. An agent may take its question and never answer, and libvirt then
waits for ever: the call has a thread of its own, which is given up after a while.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from xml.etree import ElementTree

from collectors.engines.libvirt.connection import LibvirtDaemon
from collectors.model.errors import SourceError
from collectors.model.facts import Fact, unknown
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import call_with_timeout

PATIENCE_S = 3.0
_CHANNEL = "org.qemu.guest_agent.0"


def is_connected(xml: ElementTree.Element | None) -> bool:
    """Return whether libvirt says in a domain's definition that an agent listens inside."""
    targets = () if xml is None else xml.iterfind("devices/channel/target")
    return any(one.get("name") == _CHANNEL and one.get("state") == "connected" for one in targets)


def ask_system(daemon: LibvirtDaemon, uuid: str, patience_s: float = PATIENCE_S) -> Fact:
    """Return the guest's system and kernel, as its agent says now, with the time; or why it does not."""
    try:
        return call_with_timeout(patience_s, lambda: _ask(daemon, uuid), "its guest agent")
    except SourceError as error:
        return unknown(f"its guest agent could not be queried: {error.reason}")


def _ask(daemon: LibvirtDaemon, uuid: str) -> Fact:
    import libvirt

    with daemon.connection(writable=True) as connection:
        told = connection.lookupByUUIDString(uuid).guestInfo(libvirt.VIR_DOMAIN_GUEST_INFO_OS, 0)
    at = time.strftime("%H:%M:%S")
    return system_of(told, at)


def system_of(told: Mapping[str, object], at: str) -> Fact:
    """Put an agent's answer into words.

    Args:
        told: The fields of virDomainGetGuestInfo; any may be missing, and each is the guest's own text.
        at: When it was asked.
    """
    name = told.get("os.pretty-name") or told.get("os.name") or told.get("os.id")
    kernel = told.get("os.kernel-release")
    words = [str(name)] if name else []
    words += [f"kernel {kernel}"] if kernel else []
    if not words:
        return unknown("its guest agent answered but did not name its system")
    return Fact(sanitize(", ".join(words), 120), f"its guest agent (virDomainGetGuestInfo), asked at {at}")
