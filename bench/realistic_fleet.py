"""A fleet as hosts have it: some workloads busy, most of them idle, 20 counters each."""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from collectors.engines.demo.source import DemoSource
from collectors.model.workloads import Frame, Sample, WorkloadId

BUSY_SHARE = 0.3
IDLE_TICK_SHARE = 0.1
"""An idle workload wakes up in so many ticks."""
_COUNTERS = (
    "cpu_total_ns", "cpu_user_total_ns", "cpu_system_total_ns", "cpu_periods_total", "cpu_throttled_periods_total",
    "cpu_stall_total_ns", "memory_charged_bytes", "memory_inactive_file_bytes", "memory_limit_bytes",
    "memory_peak_bytes", "oom_kills_total", "disk_read_total_bytes", "disk_write_total_bytes", "disk_reads_total",
    "disk_writes_total", "net_rx_total_bytes", "net_tx_total_bytes", "pids", "vcpu_total_ns", "steal_total_ns",
)  # fmt: skip
_TICK_NS = 1_000_000_000


class Believable:
    """Makes frames a second apart, without any thread.

    Args:
        workloads: How many.
        busy_share: Of them that are busy; the others stand still most of the time.
    """

    def __init__(self, workloads: int = 100, busy_share: float = BUSY_SHARE) -> None:
        self._now_ns = 10 * _TICK_NS
        self._wall = 1_750_000_000.0
        self._source = DemoSource(workloads, 7, lambda: self._now_ns, lambda: self._wall)
        self._random = random.Random(1)  # noqa: S311  # repeatable, not secret
        self._busy_share = busy_share
        self._held: dict[WorkloadId, Sample] = {}
        self._is_busy: dict[WorkloadId, bool] = {}

    def frames(self, count: int) -> Iterator[Frame]:
        """Yield so many frames."""
        for _ in range(count):
            self._now_ns += _TICK_NS
            self._wall += 1.0
            reading = self._source.read()
            assert reading.host is not None
            yield Frame(
                at_ns=self._now_ns,
                wall=self._wall,
                boot_ns=self._now_ns,
                host=reading.host,
                workloads=dict(reading.workloads),
                samples={identity: (self._sample(identity, taken[0]),) for identity, taken in reading.samples.items()},
                sources=(),
                events=reading.events,
                cpus=reading.cpus,
                memory_bytes=reading.memory_bytes,
                facts=reading.facts,
                run="0123456789abcdef",
                interval_s=1.0,
            )

    def _sample(self, identity: WorkloadId, sample: Sample) -> Sample:
        busy = self._is_busy.setdefault(identity, self._random.random() < self._busy_share)
        held = self._held.get(identity)
        if held is not None and not busy and self._random.random() > IDLE_TICK_SHARE:
            return msgspec.structs.replace(held, at_ns=sample.at_ns)
        values = {name: getattr(sample, name) for name in _COUNTERS}
        kept = self._held[identity] = Sample(sample.source, sample.at_ns, sample.epoch, **values)
        return kept
