"""Asks a virtual machine's guest agent which operating system runs inside, over a writable connection.

Only an agent that libvirt reports as connected is asked. An agent may accept the request and never answer, and libvirt
then waits forever: the call has its own thread, which is abandoned after a while.
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
    """Return whether a domain's definition shows a connected guest agent."""
    targets = () if xml is None else xml.iterfind("devices/channel/target")
    return any(target.get("name") == _CHANNEL and target.get("state") == "connected" for target in targets)


def ask_system(daemon: LibvirtDaemon, uuid: str, patience_s: float = PATIENCE_S) -> Fact:
    """Return the guest's system and kernel as its agent reports them now, or the reason why it does not."""
    try:
        return call_with_timeout(patience_s, lambda: _ask(daemon, uuid), "its guest agent")
    except SourceError as error:
        return unknown(f"its guest agent could not be queried: {error.reason}")


def _ask(daemon: LibvirtDaemon, uuid: str) -> Fact:
    import libvirt

    with daemon.connection(writable=True) as connection:
        info = connection.lookupByUUIDString(uuid).guestInfo(libvirt.VIR_DOMAIN_GUEST_INFO_OS, 0)
    at = time.strftime("%H:%M:%S")
    return system_of(info, at)


def system_of(info: Mapping[str, object], at: str) -> Fact:
    """Return the operating system in an agent's answer.

    Args:
        info: The fields of virDomainGetGuestInfo; any may be missing, and each is the guest's own text.
        at: Local time of the request, such as `12:34:56`.
    """
    name = info.get("os.pretty-name") or info.get("os.name") or info.get("os.id")
    kernel = info.get("os.kernel-release")
    parts = [str(name)] if name else []
    parts += [f"kernel {kernel}"] if kernel else []
    if not parts:
        return unknown("its guest agent answered but did not name its system")
    return Fact(sanitize(", ".join(parts), 120), f"its guest agent (virDomainGetGuestInfo), asked at {at}")
