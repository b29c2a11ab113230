"""One workload that is followed while a command runs, over all of its runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial

from collectors.kernel.cgroup.hierarchy import Hierarchy
from collectors.kernel.cgroup.open_files import GroupGone, find_directories
from collectors.kernel.cgroup.processes import pids_below
from collectors.model.workloads import Sample, Workload
from collectors.running.group_meter import GroupMeter
from collectors.running.quantities import Measured, Usage
from collectors.running.sample_meter import SampleMeter

_HIGHEST = frozenset({"mem", "working_set", "pids", "throttled_percent"})
"""What does not add up over runs."""


class Followed:
    """Measures a workload by its group where this host has it, otherwise by its samples.

    Args:
        workload: As it was first seen.
        is_new: Whether it started after the command did.
        hierarchy: The trees of this host.
    """

    def __init__(self, workload: Workload, is_new: bool, hierarchy: Hierarchy) -> None:
        self.workload = workload
        """As it was last seen: its name may come later than its group."""
        self.is_new = is_new
        self._hierarchy = hierarchy
        self._meter: GroupMeter | None = None
        self._earlier: list[Usage] = []
        self._is_listed = True
        self._samples = SampleMeter(is_new)
        self._open(is_whole=is_new)

    @property
    def is_running(self) -> bool:
        """Whether it was active when it was last looked at; one that is in no list any more has been removed."""
        return self.workload.state.is_active and (self._is_listed or self._meter is not None)

    def see(self, workload: Workload | None, samples: Sequence[Sample]) -> None:
        """Take what a frame has of it; `None`: it has nothing."""
        self._is_listed = workload is not None
        if workload is None:
            return
        self.workload = workload
        self._samples.take(samples)
        if self._meter is None and workload.state.is_active:
            self._open(is_whole=self.is_new or bool(self._earlier))

    def sample(self) -> None:
        """Read its group once; one that has gone leaves what was read last."""
        if self._meter is not None and not self._meter.sample():
            self._earlier.append(self._meter.usage())
            self._meter.close()
            self._meter = None

    def usage(self) -> Usage:
        """Return what it has used, over all of its runs."""
        parts = [*self._earlier, *([self._meter.usage()] if self._meter is not None else [])]
        return combined(parts) if parts else self._samples.usage()

    def close(self) -> None:
        """Close the files."""
        if self._meter is not None:
            self._meter.close()

    def _open(self, is_whole: bool) -> None:
        path = self.workload.cgroup
        if not path or not self.workload.is_here:
            return
        directories = find_directories(self._hierarchy, path)
        if not any(map(os.path.isdir, directories.all)):
            return
        try:
            self._meter = GroupMeter(directories, partial(pids_below, directories.all), is_whole)
        except GroupGone:
            self._meter = None


def combined(parts: Sequence[Usage]) -> Usage:
    """Return the use of several runs: amounts are added, of peaks and shares the highest counts."""
    keys = dict.fromkeys(key for part in parts for key in part)
    return {key: _combined(key, [part[key] for part in parts if key in part]) for key in keys}


def _combined(key: str, values: Sequence[Measured]) -> Measured:
    known = [value for value in values if value.value is not None]
    if not known:
        return values[-1]
    numbers = [value.value or 0.0 for value in known]
    total = max(numbers) if key in _HIGHEST else sum(numbers)
    is_partial = len(known) < len(values) or any(value.is_lower_bound for value in known)
    return Measured(total, known[-1].how, is_partial)
