"""Operating systems: of the host, of a container's image, of a virtual machine as its definition claims."""

from __future__ import annotations

import os
import re
from xml.etree import ElementTree

from collectors.model.facts import Fact, unknown
from collectors.safety.sanitize import sanitize

_LONGEST = 16 << 10
_OS_ID = re.compile(r"https?://([^/]+)/([^/]+)/(.+)")
_PLACES = ("usr/lib/os-release", "etc/os-release")


def of_host(root: str = "/") -> Fact:
    """Return the host's system and kernel."""
    name = _pretty_name(root)
    kernel = os.uname().release
    return Fact(f"{name or 'Linux'}, kernel {kernel}", "os-release(5) and uname(2) of the host")


def of_container(pid: int | None, image: str | None, proc: str = "/proc") -> Fact:
    """Return a container's system: what its image says of itself, on the host's kernel."""
    name = None if pid is None else _pretty_name(f"{proc}/{pid}/root")
    if name:
        return Fact(f"{name}, on the host's kernel", "os-release(5) in the container")
    if image:
        how = f"the engine: made of {image}, in which no os-release could be read"
        return Fact("its image's own files, on the host's kernel", how)
    return unknown("neither its os-release nor its image can be read")


def of_domain(xml: ElementTree.Element | None, asked: Fact | None = None) -> Fact:
    """Return a virtual machine's system.

    Args:
        xml: Its definition, which may name the system that was installed (libosinfo).
        asked: What its guest agent says; `None` if there is none, or it may not be asked.
    """
    if asked is not None and asked.value is not None:
        return asked
    why = "it has no guest agent that may be asked" if asked is None else asked.how
    for element in () if xml is None else xml.iterfind("metadata//"):
        claimed = element.get("id")
        if element.tag.endswith("}os") and claimed:
            found = _OS_ID.fullmatch(claimed)
            name = f"{found[2]} {found[3]}" if found else claimed
            how = f"domain XML: libosinfo metadata, of unknown age: as it was installed; {why}"
            return Fact(sanitize(f"{name}, a kernel of its own"), how)
    return unknown(f"its definition names no system, and {why}")


def _pretty_name(root: str) -> str | None:
    """Read PRETTY_NAME below a root. The file is the container's own: it is not followed elsewhere, and bounded."""
    for place in _PLACES:
        try:
            file = os.open(f"{root}/{place}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            text = os.read(file, _LONGEST).decode("utf-8", "replace")
        except OSError:
            continue
        finally:
            os.close(file)
        for line in text.splitlines():
            if line.startswith("PRETTY_NAME="):
                return sanitize(line.partition("=")[2].strip("\"' "), 80) or None
    return None
