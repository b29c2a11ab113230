"""What `docs/engines.md` and `doctor` say about an engine."""

from __future__ import annotations

from typing import NamedTuple


class About(NamedTuple):
    """An engine in words. Phrases for the cells of a table, without a full stop."""

    title: str
    """What its users call it: `Docker`."""
    shows: str
    """What vmtop shows of its workloads thanks to it, in addition to what the kernel tells of every workload."""
    needs: str
    """What has to be there, and which rights."""
    tested_on: str
    """On what it was tested: the real system, a simulator, or stand-ins, with versions."""
