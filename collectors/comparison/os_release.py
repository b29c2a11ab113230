"""Names the operating system of the host, and of a container's image."""

from __future__ import annotations

import os

from collectors.model.facts import Fact, unknown
from collectors.safety.sanitize import sanitize

_LONGEST = 16 << 10
_PATHS = ("usr/lib/os-release", "etc/os-release")


def of_host(root: str = "/") -> Fact:
    """Return the host's operating system and kernel."""
    name = _pretty_name(root)
    kernel = os.uname().release
    return Fact(f"{name or 'Linux'}, kernel {kernel}", "os-release(5) and uname(2) of the host")


def of_container(pid: int | None, image: str | None, proc: str = "/proc") -> Fact:
    """Return a container's operating system, as its image names it."""
    name = None if pid is None else _pretty_name(f"{proc}/{pid}/root")
    if name:
        return Fact(f"{name}, on the host's kernel", "os-release(5) in the container")
    if image:
        how = f"engine: image {image}, which has no readable os-release"
        return Fact("files of its image, on the host's kernel", how)
    return unknown("neither its os-release nor its image can be read")


def _pretty_name(root: str) -> str | None:
    """Read PRETTY_NAME below a root. The container controls the file: links are not followed, its size is bounded."""
    for path in _PATHS:
        try:
            file = os.open(f"{root}/{path}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
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
