"""Which tests share a worker process when they run side by side: those on the same daemons, which are started once."""

from __future__ import annotations

from functools import cache
from zlib import crc32

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.helpers.checkout import ROOT

_LIBVIRT, _DOCKER = ("libvirt_lab", "linux_guests"), "docker_lab"
"""A file that names one of these fixtures runs next to the lab's libvirt daemon, and the others to its Docker engine
alone: each libvirt daemon has two guests that are emulated."""
_LABS = 2
"""How many labs of each kind run side by side, each with daemons of its own."""
_LIVE_GROUPS = "LiveGroups"
"""Files that make cgroups share a worker: vmtop would take groups of the same id for one workload."""
_ALONE = "pytest.mark.lab"
"""A file with other daemons starts them itself: its tests stay together."""


class ByDaemon(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Sends the tests on the lab's daemons to one worker for each lab, and every other test to whichever is free."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return group_of(path) or nodeid


@cache
def group_of(path: str) -> str:
    """Return the group of a test file, by its path from the top of the checkout; empty if its tests need none."""
    text = (ROOT / path).read_text() if (ROOT / path).is_file() else ""
    number = crc32(path.encode()) % _LABS
    if any(fixture in text for fixture in _LIBVIRT):
        return f"libvirt-{number}"
    if _DOCKER in text:
        return f"docker-{number}"
    if _LIVE_GROUPS in text:
        return "cgroups"
    return path if _ALONE in text else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByDaemon:
    """Schedule by daemon, whatever `--dist` says."""
    return ByDaemon(config, log)
