"""A seeded, realistic fleet of any size, for demos, tests and benchmarks.

It has the same interface as the real sources and supplies the host's totals too, so that the ledger adds up. Equal
seeds and equal step times give equal fleets.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from collectors.engines.demo.fleet import DemoWorkload, make_fleet
from collectors.model.workloads import Event, Kind, Sample, State, Workload, WorkloadId
from collectors.sampling.source import SourceReading

_CPUS_SMALL, _CPUS_LARGE = 32, 256
_MEMORY_PER_CPU = 8 << 30
_HOST = WorkloadId("host", "demo")


class DemoSource:
    """A host with VMs, containers and services that do not exist.

    Args:
        workloads: Number of workloads.
        seed: Seed of the random numbers.
        clock_ns: Monotonic clock in nanoseconds; tests inject one.
        wall: Wall clock in seconds since 1970.
        lives: Filled with the fleet, so that actions can change it.
    """

    name = "demo"
    interval_s = 0.0
    holds_tick = True
    is_authority = True
    replace_after_s: float | None = None
    is_near = True

    def __init__(
        self,
        workloads: int = 50,
        seed: int = 7,
        clock_ns: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], float] = time.time,
        lives: dict[WorkloadId, DemoWorkload] | None = None,
    ) -> None:
        self._random = random.Random(seed)  # noqa: S311  # a demo needs repeatable numbers, not secret ones
        self._clock_ns = clock_ns
        self._wall = wall
        self._started = wall()
        self._cpus = _CPUS_SMALL if workloads <= 100 else _CPUS_LARGE
        self._fleet = make_fleet(self._random, workloads, self._cpus)
        if lives is not None:
            lives.update((life.id, life) for life in self._fleet)
        self._last_ns: int | None = None
        self._host_cpu_ns = 0
        self._host_io = [0, 0, 0, 0]

    def open(self, wake: Callable[[], None]) -> None:
        """Nothing to connect to."""

    def close(self) -> None:
        """Nothing to release."""

    def read(self) -> SourceReading:
        """Advance the fleet to the current time and sample it."""
        now_ns = self._clock_ns()
        elapsed_s = 0.0 if self._last_ns is None else (now_ns - self._last_ns) / 1e9
        self._last_ns = now_ns
        events: list[Event] = []
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        self._fleet = [life for life in self._fleet if not life.is_removed]
        for life in self._fleet:
            while life.news:
                events.append(Event(self._wall(), life.id, life.news.pop(0), "", life.name))
            for what, detail in life.live(self._random, elapsed_s):
                events.append(Event(self._wall(), life.id, what, detail, life.name))
            workloads[life.id] = self._describe(life)
            if life.state is not State.STOPPED and not life.is_silent:
                life.sample = self._sample(life, now_ns)
            if life.state is not State.STOPPED and life.sample is not None:
                samples[life.id] = (life.sample,)
        samples[_HOST] = (self._host_sample(now_ns, elapsed_s),)
        running = sum(1 for life in self._fleet if life.state is State.RUNNING)
        return SourceReading(
            workloads,
            samples,
            tuple(events),
            f"{running} of {len(self._fleet)}",
            Workload(_HOST, Kind.HOST, "demo", State.RUNNING),
            self._cpus,
            self._cpus * _MEMORY_PER_CPU,
            {"hostname": "demo", "cgroup": "v2", "uptime_s": str(41 * 86400 + int(self._wall() - self._started))},
        )

    def _describe(self, life: DemoWorkload) -> Workload:
        is_at_rest = life.state is State.STOPPED
        return Workload(
            id=life.id,
            kind=life.kind,
            name=life.name,
            state=life.state,
            image=life.image,
            project=life.project,
            health=life.health if life.state is State.RUNNING else None,
            cgroup=life.cgroup,
            started_at=self._started - life.age_s if life.state is not State.STOPPED else None,
            exit_code=life.exit_code if is_at_rest else None,
            state_reason="out of memory" if is_at_rest and life.was_out_of_memory else None,
            ports=life.ports if not is_at_rest else None,
            addresses=life.addresses if not is_at_rest else (),
            restarts=life.incarnation - 1 if life.kind is Kind.CONTAINER else None,
        )

    def _sample(self, life: DemoWorkload, now_ns: int) -> Sample:
        is_vm = life.kind is Kind.VM
        vcpu_ns = int(life.cpu_ns * 0.93)
        working_set = int(life.memory)
        cache = int(life.cache)
        return Sample(
            source="demo",
            at_ns=now_ns,
            epoch=str(life.incarnation),
            cpu_total_ns=int(life.cpu_ns),
            cpu_user_total_ns=int(life.cpu_ns * 0.8),
            cpu_system_total_ns=int(life.cpu_ns * 0.2),
            cpu_periods_total=int(life.periods) if life.quota else None,
            cpu_throttled_periods_total=int(life.throttled) if life.quota else None,
            cpu_limit_cores=float(life.cores) if is_vm or life.quota else None,
            cpu_stall_total_ns=int(life.stall_ns),
            cpu_stall_full_total_ns=int(life.stall_ns * 0.4),
            memory_charged_bytes=working_set + cache,
            memory_inactive_file_bytes=cache,
            memory_unreclaimable_bytes=working_set,
            memory_limit_bytes=life.limit,
            memory_peak_bytes=int(life.peak),
            oom_kills_total=life.oom_kills,
            memory_rss_bytes=working_set if is_vm else None,
            memory_available_bytes=int(life.limit * 0.97) if is_vm and life.limit else None,
            memory_usable_bytes=int(life.limit * 0.97 - working_set * 0.6) if is_vm and life.limit else None,
            memory_report_age_s=2.0 if is_vm else None,
            disk_read_total_bytes=int(life.io[0]),
            disk_write_total_bytes=int(life.io[1]),
            disk_reads_total=int(life.io[0] / 16384),
            disk_writes_total=int(life.io[1] / 16384),
            guest_disk_read_total_bytes=int(life.io[0] * 1.2) if is_vm else None,
            guest_disk_write_total_bytes=int(life.io[1]) if is_vm else None,
            net_rx_total_bytes=int(life.io[2]) if life.has_network else None,
            net_tx_total_bytes=int(life.io[3]) if life.has_network else None,
            pids=life.pids,
            vcpus=int(life.cores) if is_vm else None,
            vcpu_total_ns=vcpu_ns if is_vm else None,
            steal_total_ns=int(life.stall_ns * 0.5) if is_vm else None,
        )

    def _host_sample(self, now_ns: int, elapsed_s: float) -> Sample:
        """Return the fleet's totals plus a little for the kernel."""
        active = [life for life in self._fleet if life.state is not State.STOPPED]
        self._host_cpu_ns += int(sum(life.grown_cpu_ns for life in active) + 0.3e9 * elapsed_s)
        for index in range(4):
            self._host_io[index] += int(sum(life.grown_io[index] for life in active))
        held = sum(life.sample.memory_charged_bytes or 0 for life in active if life.sample)
        cache = sum(life.sample.memory_inactive_file_bytes or 0 for life in active if life.sample)
        return Sample(
            source="demo",
            at_ns=now_ns,
            cpu_total_ns=self._host_cpu_ns,
            memory_charged_bytes=held + (9 << 30) + (20 << 30),
            memory_inactive_file_bytes=cache + (20 << 30),
            memory_unreclaimable_bytes=held - cache + (9 << 30),
            memory_limit_bytes=self._cpus * _MEMORY_PER_CPU,
            cpu_stall_total_ns=int(sum(life.stall_ns for life in self._fleet) / max(1, len(self._fleet)) * 2),
            memory_stall_total_ns=0,
            memory_stall_full_total_ns=0,
            io_stall_total_ns=int(self._host_io[1] * 0.4),
            io_stall_full_total_ns=int(self._host_io[1] * 0.3),
            disk_read_total_bytes=self._host_io[0],
            disk_write_total_bytes=self._host_io[1],
            net_rx_total_bytes=self._host_io[2],
            net_tx_total_bytes=self._host_io[3],
            load_1m=4.2,
        )
