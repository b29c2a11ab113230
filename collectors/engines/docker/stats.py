"""The engine's own measurements of its containers, for engines on another kernel.

One stream per running container, each with its own thread and connection: a streamed sample costs the engine about
6 ms, a single sample takes it a second or more.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import msgspec

from collectors.engines.docker.connection.answers import messages
from collectors.engines.docker.connection.endpoint import Endpoint, broken
from collectors.engines.docker.connection.greeting import Greeting
from collectors.engines.docker.containers import parse_time_ns
from collectors.model.workloads import Sample
from collectors.safety.untrusted import at, count, objects, part, whole_number

STREAMS_AT_MOST = 256
_FRAME_TIMEOUT_S = 15.0
"""Seconds. Podman sends a frame every five seconds; Docker with hundreds of containers is about as slow."""
_NO_LIMIT = 1 << 60
_IN_MEMORY = frozenset({1, 7})
"""Major numbers of RAM disks and loop devices; see Documentation/admin-guide/devices.txt."""
_CACHES_V1 = ("total_active_file", "total_inactive_file")
_CACHES_V2 = ("active_file", "inactive_file", "slab_reclaimable")
_CLOCKS_APART_NS = 5 * 10**9


def to_sample(frame: object, epoch: str, at_ns: int) -> Sample | None:
    """Return the sample in a frame of `GET /containers/{id}/stats`.

    Args:
        frame: The decoded frame.
        epoch: The container's start.
        at_ns: Monotonic instant of the frame, in nanoseconds.

    Returns:
        The sample; `None` for the empty frames of a container that does not run.
    """
    used = _count(frame, "cpu_stats", "cpu_usage", "total_usage")
    if not used or parse_time_ns(at(frame, "read")) is None:
        return None
    periods = _count(frame, "cpu_stats", "throttling_data", "periods") or None
    inactive = _count(frame, "memory_stats", "stats", "total_inactive_file")  # cgroup v1 has it, v2 has not
    if inactive is None:
        inactive = _count(frame, "memory_stats", "stats", "inactive_file")
    disk, operations = (
        at(frame, "blkio_stats", "io_service_bytes_recursive"),
        at(frame, "blkio_stats", "io_serviced_recursive"),
    )
    networks = at(frame, "networks")
    return Sample(
        "docker-stats",
        at_ns,
        epoch,
        cpu_total_ns=used,
        cpu_user_total_ns=_count(frame, "cpu_stats", "cpu_usage", "usage_in_usermode"),
        cpu_system_total_ns=_count(frame, "cpu_stats", "cpu_usage", "usage_in_kernelmode"),
        cpu_periods_total=periods,
        cpu_throttled_periods_total=_throttling(frame, periods, "throttled_periods"),
        cpu_throttled_total_ns=_throttling(frame, periods, "throttled_time"),
        memory_charged_bytes=_count(frame, "memory_stats", "usage"),
        memory_inactive_file_bytes=inactive,
        memory_unreclaimable_bytes=_unreclaimable(at(frame, "memory_stats")),
        memory_limit_bytes=_limit(_count(frame, "memory_stats", "limit")),
        disk_read_total_bytes=_sum_operation(disk, "r"),
        disk_write_total_bytes=_sum_operation(disk, "w"),
        disk_reads_total=_sum_operation(operations, "r"),
        disk_writes_total=_sum_operation(operations, "w"),
        net_rx_total_bytes=_sum_networks(networks, "rx_bytes"),
        net_tx_total_bytes=_sum_networks(networks, "tx_bytes"),
        net_rx_packets_total=_sum_networks(networks, "rx_packets"),
        net_tx_packets_total=_sum_networks(networks, "tx_packets"),
        net_drops_total=_sum_networks(networks, "rx_dropped", "tx_dropped"),
        pids=_count(frame, "pids_stats", "current"),
        pids_limit=_limit(_count(frame, "pids_stats", "limit")),
    )


class Timeline:
    """Maps the engine's time stamps to this host's monotonic clock, so that a slow network adds no noise."""

    def __init__(self) -> None:
        self._read_ns = 0
        self._at_ns = 0

    def place(self, read_ns: int, arrived_ns: int) -> int:
        """Return the instant of a frame.

        Args:
            read_ns: The engine's time stamp, in nanoseconds since 1970.
            arrived_ns: Monotonic instant of its arrival, in nanoseconds.
        """
        at_ns = self._at_ns + read_ns - self._read_ns
        if read_ns <= self._read_ns or not arrived_ns - _CLOCKS_APART_NS < at_ns <= arrived_ns:
            at_ns = arrived_ns  # the first frame, a clock that was set, or one that drifted away
        self._read_ns, self._at_ns = read_ns, at_ns
        return at_ns


class Stream:
    """The measurements of one container since one of its starts."""

    def __init__(self, endpoint: Endpoint, greeting: Greeting, identity: str, epoch: str) -> None:
        self.epoch = epoch
        self.latest: Sample | None = None
        self._endpoint = endpoint
        self._greeting = greeting
        self._identity = identity
        self._is_stopped = False
        self._thread = threading.Thread(target=self._follow, name="docker-stats", daemon=True)
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether the stream is open."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Let the thread end with the next frame."""
        self._is_stopped = True

    def _follow(self) -> None:
        timeline = Timeline()
        try:
            client = self._endpoint.reader(self._greeting, _FRAME_TIMEOUT_S)
            stream = client.open_stream(f"/containers/{self._identity}/stats", {"stream": "true"}, _FRAME_TIMEOUT_S)
            for frame in messages(stream):
                if self._is_stopped:
                    break
                arrived_ns = time.monotonic_ns()
                if (read_ns := parse_time_ns(at(frame, "read"))) is not None:
                    sample = to_sample(frame, self.epoch, timeline.place(read_ns, arrived_ns))
                    self.latest = sample or self.latest
            client.close()
        except broken():  # the container is gone, or the engine: the list tells which
            return


class StatsStreams:
    """One stream per container, up to `STREAMS_AT_MOST`."""

    def __init__(self, endpoint: Endpoint, greeting: Greeting) -> None:
        self._endpoint = endpoint
        self._greeting = greeting
        self._streams: dict[str, Stream] = {}

    def follow(self, epochs: Mapping[str, str]) -> None:
        """Start and end streams so that there is one for each container id in `epochs`, which maps it to its start."""
        for identity in [
            identity for identity, stream in self._streams.items() if epochs.get(identity) != stream.epoch
        ]:
            self._streams.pop(identity).stop()
        for identity, epoch in epochs.items():
            old = self._streams.get(identity)
            if (old is None and len(self._streams) < STREAMS_AT_MOST) or (old is not None and not old.is_running):
                new = Stream(self._endpoint, self._greeting, identity, epoch)
                new.latest = old.latest if old else None
                self._streams[identity] = new

    def latest(self) -> dict[str, Sample]:
        """Return the newest sample of each container that has one."""
        return {identity: stream.latest for identity, stream in self._streams.items() if stream.latest is not None}

    def stop(self) -> None:
        """End all streams without waiting for their threads."""
        for stream in self._streams.values():
            stream.stop()
        self._streams.clear()


def with_limits(sample: Sample, limits: Sample) -> Sample:
    """Add a container's own limits to its measurements.

    Its memory limit there is at most the memory of the engine's host, which also stands for no limit.
    """
    memory = [limit for limit in (limits.memory_limit_bytes, sample.memory_limit_bytes) if limit is not None]
    return msgspec.structs.replace(
        sample, cpu_limit_cores=limits.cpu_limit_cores, memory_limit_bytes=min(memory, default=None)
    )


def _throttling(frame: object, periods: int | None, key: str) -> int | None:
    """Return a throttling counter; `None` without a quota (and always with Podman), when all of them are 0."""
    return None if periods is None else _count(frame, "cpu_stats", "throttling_data", key)


def _unreclaimable(memory: object) -> int | None:
    """Return what dropping caches would leave, in bytes, as `parsers.unreclaimable` does of the files of a group."""
    stats = part(memory, "stats")
    is_v1 = "total_rss" in stats
    held = [stats.get("total_rss"), stats.get("total_cache")] if is_v1 else [at(memory, "usage")]
    caches = [stats.get(name) for name in (_CACHES_V1 if is_v1 else _CACHES_V2)]
    amounts = [(1, count(value)) for value in held] + [(-1, count(value)) for value in caches]
    known = [sign * amount for sign, amount in amounts if amount is not None]
    return max(0, sum(known)) if len(known) == len(amounts) else None


def _sum_operation(entries: object, first_letter: str) -> int | None:
    """Sum the values of `Read` or `Write` (v2: `read`, `write`) over all devices but those in memory.

    What the other host's devices are built on is not known: a byte counts at each device of a stack.

    Returns:
        `None` without entries.
    """
    values = [
        0 if whole_number(entry.get("major")) in _IN_MEMORY else value
        for entry in objects(entries)
        if str(entry.get("op", "")).lower().startswith(first_letter)
        and (value := whole_number(entry.get("value"))) is not None
    ]
    return sum(values) if values else None


def _sum_networks(networks: object, *keys: str) -> int | None:
    """Sum counters over all interfaces; `None` without any."""
    interfaces = networks.values() if isinstance(networks, dict) else ()
    values = [value for face in interfaces for key in keys if (value := whole_number(at(face, key))) is not None]
    return sum(values) if values else None


def _limit(value: int | None) -> int | None:
    return value if value and value < _NO_LIMIT else None


def _count(frame: object, *path: str) -> int | None:
    return count(at(frame, *path))
