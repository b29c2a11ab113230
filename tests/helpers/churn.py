"""Containers that come and go faster than anyone looks, and what no frame may show meanwhile."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass, field

from docker import APIClient

from collectors.analysis.rates import Moment, Reading
from collectors.model.metrics import METRICS, Unit
from collectors.model.workloads import WorkloadId
from tests.helpers.frame_watch import Watch
from tests.helpers.lab.docker_engine import IMAGE, DockerLab
from tests.helpers.patience import EXTERNAL_S

LIFE_S = 3.0
"""How long a container lives at least: some frames."""
_MOST_BYTES_PER_SECOND = 100 << 30
_ROOM = 1.5
"""A sample's instant is a little after its counters were read; under load that is a part of a short interval."""
_TICK_NS = 1e7
"""In which the kernel counts the CPU time of all."""


def strange(moment: Moment) -> list[str]:
    """Return the values of a moment that cannot be: negative, not finite, or more than the host has."""
    return [
        f"{reading.workload.name}: {key} = {value}"
        for reading in (moment.host, *moment.readings.values())
        for key in METRICS
        if (value := reading.value(key)) is not None and not _can_be(moment, reading, key, value)
    ]


def _can_be(moment: Moment, reading: Reading, key: str, value: float) -> bool:
    if not math.isfinite(value) or value < 0:
        return False
    if key in ("cpu_percent", "cpu_user_percent", "cpu_system_percent"):
        return value <= 100 * moment.frame.cpus * (_ROOM + _TICK_NS / _shortest_ns(reading))
    return METRICS[key].unit is not Unit.BYTES_PER_SECOND or value <= _MOST_BYTES_PER_SECOND


def _shortest_ns(reading: Reading) -> int:
    """Return the shortest time between two samples of a reading; after a late one the next may come at once."""
    spans = [pair.current.at_ns - pair.previous.at_ns for pair in reading.pairs if pair.previous is not None]
    return max(1, min(spans, default=1))


def complaints(moment: Moment) -> list[str]:
    """Return why sources could not be read; that a loaded machine is slow to answer is no fault of theirs."""
    slow = ("not responded", "not answer")
    return [one.reason for one in moment.sources if one.reason and not any(words in one.reason for words in slow)]


@dataclass
class Life:
    """One container: when it was there, by the monotonic clock, and in which frames it was shown."""

    name: str
    started_ns: int
    ended_ns: int = 0
    shown: list[int] = field(default_factory=list)
    """Instants of the frames that have it."""
    names: set[str] = field(default_factory=set)


class Churn:
    """Starts and removes containers on several threads.

    Args:
        lab: The engine.
        count: How many in all.
        threads: How many at a time.
    """

    def __init__(self, lab: DockerLab, count: int, threads: int = 4) -> None:
        self.lives: dict[WorkloadId, Life] = {}
        self.failures: list[Exception] = []
        self.frames: list[int] = []
        """Instants of the frames looked at."""
        self._lab = lab
        self._numbers = iter(range(count))
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    @property
    def goes_on(self) -> bool:
        """Whether there are containers to come or to go."""
        return any(thread.is_alive() for thread in self._threads)

    def _run(self) -> None:
        client = APIClient(base_url=self._lab.url, version="auto", timeout=EXTERNAL_S)
        try:
            while (number := next(self._numbers, None)) is not None:
                self._live(client, f"churn-{number}")
        except Exception as error:  # told by the thread that looks
            self.failures.append(error)
        finally:
            client.close()

    def _live(self, client: APIClient, name: str) -> None:
        options = client.create_host_config(network_mode="none", mem_limit=32 << 20)
        words = ["sh", "-c", "while :; do :; done"]
        identity = client.create_container(IMAGE, words, name=name, host_config=options)["Id"]
        try:
            client.start(identity)
            life = self.lives[WorkloadId("docker", identity)] = Life(name, time.monotonic_ns())
            time.sleep(LIFE_S)
        finally:
            client.remove_container(identity, force=True)
        life.ended_ns = time.monotonic_ns()

    def look(self, moment: Moment) -> None:
        """Note which containers a moment shows, and under what names."""
        self.frames.append(moment.frame.at_ns)
        for identity, reading in moment.readings.items():
            life = self.lives.get(identity)
            if life is not None:
                life.shown.append(moment.frame.at_ns)
                life.names.add(reading.workload.name)


def watch_churn(
    watch: Watch, lab: DockerLab, count: int, threads: int = 4, frames_after: int = 8
) -> tuple[Churn, list[str]]:
    """Let containers come and go under a watch; return them, and what was strange in any frame."""
    churn, found = Churn(lab, count, threads), list[str]()
    after = 0
    while after < frames_after:
        moment = watch.next()
        found += strange(moment) + complaints(moment)
        churn.look(moment)
        after += not churn.goes_on
    if churn.failures:
        raise churn.failures[0]
    return churn, found


def lags(churn: Churn) -> tuple[list[int], list[int]]:
    """Return in how many frames each container was not yet shown, and in how many it still was.

    Both count from the engine's word that it was started or removed.
    """
    shown = [life for life in churn.lives.values() if life.shown]
    late = [sum(life.started_ns < at < life.shown[0] for at in churn.frames) for life in shown]
    stayed = [sum(at > life.ended_ns for at in life.shown) for life in shown]
    return late, stayed
