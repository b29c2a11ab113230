"""What workloads were seen to have and to use, from moments in order. Pure, and bounded by the number of workloads.

`sizing` makes suggestions of it.
"""

from __future__ import annotations

from typing import NamedTuple

from collectors.analysis.history import passed_s
from collectors.analysis.rates import Moment, Reading
from collectors.comparison.spread import Spread
from collectors.model.workloads import Frame, Workload, WorkloadId
from collectors.session.kept import KeptWorkloads

_PAUSE = 2.5
"""A reading covers the time since the one before it, but not more than this many intervals: the rest is a gap."""
_STALE_S = 300.0
"""A guest's own report that is older than this says nothing of now."""
_RESTART_S = 2.0
"""Starts that lie this far apart are two: engines round."""
_ESTIMATES = frozenset({"vsphere"})
"""Engines that estimate what a guest uses: pages that were touched lately, not those that are in use."""
_KERNEL = "cgroup-slow"
"""The source that reads quotas and sets of CPUs of the kernel."""
_STARTS = frozenset({"start", "restart"})


class Have(NamedTuple):
    """What a workload has, by its newest readings. Unlike in samples, a limit as large as the host is none."""

    cores: float | None = None
    """The most cores that it may use; `None` without a limit."""
    memory_bytes: float | None = None
    """Its memory limit; of a machine, what its balloon leaves it. `None` without a limit."""
    vcpus: float | None = None
    """A machine's virtual CPUs."""
    most_bytes: float | None = None
    """The most that a machine's balloon can give it."""
    is_pinned: bool = False
    """Whether it is kept to some CPUs of the host, without a quota."""


class Evidence:
    """What was seen of one workload."""

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        """As it was last."""
        self.have = Have()
        self.cores = Spread()
        """CPU in cores; of a machine, what its virtual CPUs used, if that is known."""
        self.memory = Spread()
        """Bytes that it needs: what is charged and in swap, without hugepages and the page cache that would be dropped
        first. Of a machine, what its guest uses, plus what the guest's kernel keeps for itself."""
        self.throttled = Spread()
        """Shares of quota periods that were throttled, in percent."""
        self.stolen = Spread()
        """Shares of time in which virtual CPUs waited for a CPU of the host, in percent."""
        self.of_limit = Spread()
        """Memory in percent of its limit."""
        self.overhead = Spread()
        """Bytes that a machine's hypervisor holds in addition to the guest's."""
        self.hugepages_bytes = 0.0
        """Most hugepages that it held."""
        self.oom_kills = 0
        """Processes that were killed meanwhile because its memory limit was reached."""
        self.slowed_s = 0.0
        """Seconds in which it was slowed down at `memory.high`."""
        self.is_estimate = False
        """Whether its use of memory is only estimated by its host, and therefore not in `memory`."""
        self.active_s = 0.0
        """Seconds for which it ran, whether or not it was measured."""
        self.runs_s = [0.0]
        """Seconds of each run, the newest last: one more than it was restarted."""
        self.interval_s = 0.0
        """Seconds between readings, at most; a peak that is shorter may not have been seen."""
        self._kills: float | None = None
        self._started_at: float | None = None
        self._was_active = False

    @property
    def restarts(self) -> int:
        """How often it was restarted meanwhile."""
        return len(self.runs_s) - 1

    def add(self, reading: Reading, passed: float, covered: float, has_started: bool) -> None:
        """Add a reading.

        Args:
            reading: The workload's newest reading.
            passed: Seconds since the one before it; 0 for the first.
            covered: How many of them it stands for.
            has_started: Whether its engine said that it was started since then.
        """
        workload = self.workload = reading.workload
        if not workload.state.is_active:
            self._was_active = False
            return
        self._note_start(workload.started_at, has_started)
        self._note_kills(reading.value("oom_kills"))
        self.have = _have(reading)
        self.hugepages_bytes = max(self.hugepages_bytes, reading.gauge("memory_hugetlb_bytes") or 0.0)
        self.is_estimate = self.is_estimate or workload.id.engine in _ESTIMATES
        if self._was_active:
            self.active_s += passed
            self.runs_s[-1] += passed
            self.interval_s = max(self.interval_s, covered)
            self._measure(reading, covered)
        self._was_active = True

    def _measure(self, reading: Reading, covered: float) -> None:
        self.cores.add(_cores(reading), covered)
        self.memory.add(_needed(reading), covered)
        self.throttled.add(reading.value("cpu_throttled_percent"), covered)
        self.stolen.add(reading.value("cpu_steal_percent"), covered)
        self.of_limit.add(reading.value("memory_of_limit_percent"), covered)
        self.overhead.add(reading.value("memory_overhead_bytes"), covered)
        if reading.value("memory_high_per_second"):
            self.slowed_s += covered

    def _note_start(self, started_at: float | None, has_started: bool) -> None:
        if started_at is not None and self._started_at is not None:
            has_started = abs(started_at - self._started_at) > _RESTART_S
        if has_started and self.active_s:
            self.runs_s.append(0.0)
        self._started_at = started_at if started_at is not None else self._started_at

    def _note_kills(self, kills: float | None) -> None:
        if kills is None:
            return
        if self._kills is not None:
            self.oom_kills += int(kills - self._kills if kills >= self._kills else kills)
        self._kills = kills


def _cores(reading: Reading) -> float | None:
    busy, vcpus = reading.value("vcpu_percent"), reading.gauge("vcpus")
    if reading.is_machine and busy is not None and vcpus:
        return busy * vcpus / 100
    used = reading.value("cpu_percent")
    return None if used is None else used / 100


def _needed(reading: Reading) -> float | None:
    """Return the bytes that a workload needs; `None` if that cannot be known from outside."""
    if not reading.is_machine:
        held = reading.value("memory_host_bytes")
        if held is None:
            return None
        return max(0.0, held - (reading.gauge("memory_hugetlb_bytes") or 0)) + (reading.value("memory_swap_bytes") or 0)
    used, age_s = reading.value("memory_inside_bytes"), reading.value("memory_report_age_seconds")
    if used is None or reading.workload.id.engine in _ESTIMATES or (age_s is not None and age_s > _STALE_S):
        return None
    assigned, seen = reading.gauge_with("memory_limit_bytes", "vcpus"), reading.gauge("memory_available_bytes")
    return used + (max(0.0, assigned - seen) if assigned is not None and seen is not None else 0.0)


def _have(reading: Reading) -> Have:
    cores, memory_bytes = reading.value("cpu_limit_cores"), reading.value("memory_limit_bytes")
    if reading.is_machine:
        vcpus, assigned = reading.gauge("vcpus"), reading.gauge_with("memory_limit_bytes", "vcpus")
        quota = cores if cores is not None and vcpus is not None and cores < vcpus else None
        most = reading.gauge("memory_maximum_bytes")
        return Have(quota, memory_bytes if assigned is None else assigned, vcpus, most, _is_pinned(reading))
    if reading.host_cpus and cores is not None and cores >= reading.host_cpus:
        cores = None
    if reading.host_memory_bytes and memory_bytes is not None and memory_bytes >= reading.host_memory_bytes:
        memory_bytes = None
    return Have(cores, memory_bytes, is_pinned=_is_pinned(reading))


def _is_pinned(reading: Reading) -> bool:
    """Return whether the kernel limits it to fewer CPUs than the host has although no period of a quota ever passed."""
    if not reading.host_cpus or reading.gauge("cpu_periods_total"):
        return False
    return any(
        pair.current.source == _KERNEL
        and pair.current.cpu_limit_cores is not None
        and pair.current.cpu_limit_cores < reading.host_cpus
        and float(pair.current.cpu_limit_cores).is_integer()
        for pair in reading.pairs
    )


class Survey:
    """Collects the evidence of all workloads but the hosts themselves."""

    def __init__(self) -> None:
        self.evidence: dict[WorkloadId, Evidence] = {}
        self.hosts: dict[str, tuple[int, int]] = {}
        """Cores and bytes of memory of each host, by name, which is empty for this one. 0 is unknown."""
        self.first_wall: float | None = None
        self.last_wall = 0.0
        self.is_full = False
        """Whether there were more workloads than are kept."""
        self._kept = KeptWorkloads()
        self._newest: Frame | None = None

    def feed(self, moment: Moment) -> None:
        """Add the next moment."""
        frame, before = moment.frame, self._newest
        self._newest, self.last_wall = frame, frame.wall
        self.first_wall = frame.wall if self.first_wall is None else self.first_wall
        self._learn_hosts(frame)
        passed = 0.0 if before is None else max(0.0, passed_s(before, frame))
        covered = min(passed, _PAUSE * frame.interval_s) if frame.interval_s else passed
        started = {event.workload for event in frame.events if event.what in _STARTS}
        for identity, reading in moment.readings.items():
            if reading.workload.is_host or reading.is_folded:
                continue
            if not self._kept.keep(reading.workload) and identity not in self.evidence:
                self.is_full = True
                continue
            if identity not in self.evidence:
                self.evidence[identity] = Evidence(reading.workload)
            self.evidence[identity].add(reading, passed, covered, identity in started)

    def _learn_hosts(self, frame: Frame) -> None:
        if frame.host.id in frame.samples:
            self.hosts[frame.host.id.host] = (frame.cpus, frame.memory_bytes)
        for name, facts in frame.hosts.items():
            if facts.workload:
                self.hosts[name] = (facts.cpus, facts.memory_bytes)
