"""What would fit: suggestions for CPU and memory, with what they rest on. Pure.

CPU follows the 95th percentile plus headroom, and at least the 99th: who needs more for a moment waits for a moment.
Memory follows the highest value plus headroom: who needs more is killed. Nothing is suggested that was not measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from collectors.analysis.empty_cells import lasting_reason
from collectors.comparison.size import Advice, Resource, Size, Used, round_cores, round_memory, round_vcpus
from collectors.comparison.sizing_evidence import Evidence, Survey
from collectors.comparison.spread import Spread
from collectors.model.workloads import Kind, Workload

HEADROOM = 0.3
"""Share of what is used that is added to it."""
LEAST_S = 600.0
"""Less time than that is weak evidence."""
_LEAST_MEASURED = 0.8
"""So is a smaller share of the time."""
_COARSE_S = 60.0
"""And so are readings that are further apart: peaks between them are not seen."""
_REACHED_PERCENT = 95.0
"""Who uses so much of what it has, has reached it."""
_THROTTLED_PERCENT = 1.0
"""Who is throttled in fewer of its quota periods, on average, has enough."""
_STOLEN_PERCENT = 5.0


class Sizing(NamedTuple):
    """A workload with its sizes."""

    workload: Workload
    cpu: Size
    memory: Size
    weak: tuple[str, ...]
    """Why the evidence is weak, as clauses; empty if it is not."""
    seconds: float
    """For how long it was seen to run."""
    restarts: int

    @property
    def sizes(self) -> tuple[Size, Size]:
        """Both sizes."""
        return self.cpu, self.memory


class Freed(NamedTuple):
    """What all changes of a host would free together, against what it has."""

    cores: float
    """Of CPU limits and virtual CPUs; negative if more is needed than is freed."""
    memory_bytes: float
    of_cores: int
    """The host's own; 0 is unknown."""
    of_memory_bytes: int


def sizings(survey: Survey, headroom: float = HEADROOM) -> list[Sizing]:
    """Return what would fit each workload that ran, by name.

    Args:
        survey: What was seen.
        headroom: The share that is added to what is used, at least 0.
    """
    found = []
    for evidence in survey.evidence.values():
        if not evidence.workload.state.is_active and not evidence.active_s:
            continue
        host = survey.hosts.get(evidence.workload.id.host, (0, 0)) if not evidence.workload.endpoint else (0, 0)
        cpu, memory = _cpu(evidence, headroom, host[0]), _memory(evidence, headroom, host[1])
        found.append(Sizing(evidence.workload, cpu, memory, _weak(evidence), evidence.active_s, evidence.restarts))
    return sorted(found, key=lambda sizing: (sizing.workload.typed_name.casefold(), sizing.workload.id))


def freed(found: Iterable[Sizing], hosts: Mapping[str, tuple[int, int]]) -> dict[str, Freed]:
    """Return for each host what the changes of its workloads would free. Those of remote engines are left out."""
    sums = {name: (0.0, 0.0) for name in hosts}
    for sizing in found:
        name = sizing.workload.id.host
        if name in sums and not sizing.workload.endpoint:
            cores, memory_bytes = sums[name]
            sums[name] = cores + sizing.cpu.frees, memory_bytes + sizing.memory.frees
    return {name: Freed(*sums[name], *hosts[name]) for name in hosts}


def _weak(evidence: Evidence) -> tuple[str, ...]:
    clauses = []
    measured_s = [spread.seconds for spread in (evidence.cores, evidence.memory) if spread.seconds]
    if evidence.active_s < LEAST_S:
        clauses.append(f"seen for {_span(evidence.active_s)} only")
    elif measured_s and min(measured_s) < _LEAST_MEASURED * evidence.active_s:
        clauses.append(f"not measured for {(1 - min(measured_s) / evidence.active_s) * 100:.0f} % of the time")
    if evidence.active_s >= LEAST_S > max(evidence.runs_s):
        clauses.append(f"restarted {evidence.restarts} times, and never ran for {_span(LEAST_S)}")
    if evidence.interval_s > _COARSE_S:
        clauses.append(f"readings {_span(evidence.interval_s)} apart, so that short peaks were not seen")
    return tuple(clauses)


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"


def _used(spread: Spread) -> Used:
    return Used(spread.percentile(50), spread.percentile(95), spread.percentile(99), spread.max)


def _cpu(evidence: Evidence, headroom: float, host_cpus: int) -> Size:
    have, spread = evidence.have, evidence.cores
    is_vcpus = have.vcpus is not None and have.cores is None
    resource, has = (Resource.VCPUS, have.vcpus) if is_vcpus else (Resource.CPU, have.cores)
    if not spread.seconds:
        return Size(resource, Advice.UNKNOWN, f"not measurable: {_why_no_cpu(evidence)}", has, has_cause=True)
    used = _used(spread)
    need = max(used.p95 * (1 + headroom), used.p99)
    why = "99th percentile" if need > used.p95 * (1 + headroom) else f"95th percentile + {headroom * 100:.0f} %"
    rounded = round_vcpus if is_vcpus else round_cores
    size = Size(resource, Advice.KEEP, why, has, used, rounded(need), _restarted(evidence))
    if have.is_pinned:
        size = size._replace(by_hand="it is kept to certain CPUs of the host, which have to be chosen anew")
    if has is None:
        return _information(size, host_cpus)
    if reached := _cpu_reached(evidence, used, has):
        return _more(size, reached, max(rounded(need), rounded(has * (1 + headroom))), host_cpus)
    if need < has and (kept := _cpu_kept(evidence)):
        return size._replace(why=kept, fits=has, has_cause=True)
    return _sized(size, need, host_cpus)


def _why_no_cpu(evidence: Evidence) -> str:
    return lasting_reason("cpu_percent", evidence.workload)


def _cpu_reached(evidence: Evidence, used: Used, has: float) -> str:
    """Return why a limit of CPU is too low; empty if it is not known to be."""
    throttled = evidence.throttled.mean
    if throttled >= _THROTTLED_PERCENT:
        return f"throttled in {throttled:.0f} % of its periods: what it used is less than what it needs"
    if used.p95 >= has * _REACHED_PERCENT / 100:
        return "it used all that it may for a twentieth of the time"
    return ""


def _cpu_kept(evidence: Evidence) -> str:
    """Return why less CPU is not suggested although less was used; empty if nothing speaks against it."""
    if evidence.throttled.max > 0:
        return "it was throttled at times: less would slow it down more"
    if evidence.stolen.mean >= _STOLEN_PERCENT:
        waited = f"waited for a CPU of the host for {evidence.stolen.mean:.0f} % of the time"
        return f"its virtual CPUs {waited}: what it used is less than what it needs"
    if evidence.have.is_pinned:
        return "it is kept to CPUs of the host that were chosen for it"
    return ""


def _restarted(evidence: Evidence) -> tuple[str, ...]:
    if not evidence.restarts:
        return ()
    times = "once" if evidence.restarts == 1 else f"{evidence.restarts} times"
    return (f"restarted {times}: a run needs time to reach its full size",)


def _memory(evidence: Evidence, headroom: float, host_bytes: int) -> Size:
    have, spread, is_machine = evidence.have, evidence.memory, evidence.workload.kind is Kind.VM
    has = have.memory_bytes
    if not spread.seconds:
        return Size(Resource.MEMORY, Advice.UNKNOWN, f"not measurable{_why_no_memory(evidence)}", has, has_cause=True)
    used, notes = _used(spread), _restarted(evidence)
    need = used.max * (1 + headroom)
    if evidence.hugepages_bytes and not is_machine:
        notes = (*notes, "its hugepages are not in it: they have limits of their own")
    why = f"highest value + {headroom * 100:.0f} %"
    size = Size(Resource.MEMORY, Advice.KEEP, why, has, used, round_memory(need), notes)
    if has is None:
        return _information(size, host_bytes)
    if reached := _memory_reached(evidence):
        size = _more(size, reached, max(round_memory(need), round_memory(has * (1 + headroom))), host_bytes)
    elif need < has and is_machine and evidence.hugepages_bytes:
        set_aside = "it is on hugepages, which are set aside for it whether or not it uses them"
        return size._replace(why=set_aside, fits=has, has_cause=True)
    else:
        size = _sized(size, need, host_bytes)
    if is_machine and have.most_bytes and size.fits and size.fits > have.most_bytes:
        return size._replace(by_hand="its balloon cannot give it more: its definition has to change")
    return size


def _why_no_memory(evidence: Evidence) -> str:
    if evidence.is_estimate:
        return " from outside: its host only estimates what its guest uses"
    if evidence.workload.kind is Kind.VM:
        return f" from outside: {lasting_reason('memory_inside_bytes', evidence.workload)}"
    return f": {lasting_reason('memory_host_bytes', evidence.workload)}"


def _memory_reached(evidence: Evidence) -> str:
    """Return why a limit of memory is too low; empty if it is not known to be."""
    if evidence.oom_kills:
        killed = "process was" if evidence.oom_kills == 1 else "processes were"
        return f"{evidence.oom_kills} {killed} killed because memory ran out"
    if evidence.slowed_s:
        return "it was slowed down because its memory reached memory.high"
    if evidence.of_limit.max >= _REACHED_PERCENT:
        return f"it used {min(100.0, evidence.of_limit.max):.0f} % of what it has"
    return ""


def _information(size: Size, most: float) -> Size:
    """Return the size of what has no limit: what one would be, if there were one."""
    fits = size.fits if size.fits is None or not most else min(size.fits, most)
    return size._replace(advice=Advice.NO_LIMIT, fits=fits)


def _more(size: Size, why: str, fits: float, most: float) -> Size:
    """Return a size whose limit is too low; nobody is given more than there is. `most` of 0 is unknown."""
    has = size.has or 0.0
    capped = max(has, min(fits, most)) if most else fits
    if capped < fits:
        size = size._replace(notes=(*size.notes, "its host has no more than that"))
    advice = Advice.MORE if capped > has else Advice.KEEP
    return size._replace(advice=advice, why=why, fits=capped, has_cause=size.has_cause or why != size.why)


def _sized(size: Size, need: float, most: float) -> Size:
    """Return a size with its advice; what would only be rounded is kept."""
    if size.has is None or size.fits is None:
        return size
    if size.fits < size.has:
        return size._replace(advice=Advice.LESS)
    if need <= size.has:
        return size._replace(fits=size.has)
    return _more(size, size.why, size.fits, most)
