"""The containers of an engine that speaks Docker's API, their limits and their events.

Their resource usage comes from the kernel (`cgroup`). Only for an engine on another kernel it comes from the engine's
own statistics.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.connection import address
from collectors.engines.docker.connection.answers import Refused
from collectors.engines.docker.connection.endpoint import Endpoint, failures, is_id, translate
from collectors.engines.docker.connection.greeting import Greeting
from collectors.engines.docker.containers import Facts, limits_sample, state_of, to_facts, to_workload, was_killed
from collectors.engines.docker.events import EventListener
from collectors.engines.docker.names import MOST_CONTAINERS
from collectors.engines.docker.stats import StatsStreams, with_limits
from collectors.kernel.daemon_usage import DaemonUsage
from collectors.model.errors import SourceDown, SourceError
from collectors.model.wording import counted
from collectors.model.workloads import Event, Sample, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import part, text
from collectors.sampling.source import SourceReading

if TYPE_CHECKING:
    from collectors.engines.docker.connection.bounded_client import BoundedClient
    from collectors.engines.docker.connection.socket_client import SocketClient
    from collectors.engines.podman.on_demand import OnDemand

log = logging.getLogger(__name__)

LIST_LIFE_S = 10.0
"""Seconds that a list is reused while no events arrive: it costs the engine 0.3 ms per container."""
INSPECTIONS_AT_MOST = 20
"""Inspections per reading, at 2.4 ms each: the names of hundreds of containers must not wait for them."""

_NOT_INSPECTED = frozenset({State.CREATED, State.STOPPED, State.CRASHED, State.STOPPING})


class DockerSource:
    """Reads a container engine through its API.

    Args:
        url: `unix://`, `tcp://` or `ssh://`; without it DOCKER_HOST, the current context or the default socket is used.
        insecure: Allow an address that is neither on this host nor protected by TLS.
        stats: Request the engine's statistics too. Always on for an engine that is not behind a local socket.
    """

    name = "docker"
    interval_s = 2.0
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = None
    is_near = True

    def __init__(self, url: str | None = None, insecure: bool = False, stats: bool = False) -> None:
        self._url = url
        self._insecure = insecure
        self._wants_stats = stats
        self._wake: Callable[[], None] = lambda: None
        self._events = EventListener()
        self._facts: dict[str, tuple[str, Facts]] = {}
        """By id: the state in which it was inspected, and the facts."""
        self._entries: list[dict[str, Any]] = []
        self._described: list[Workload] | None = None
        """The workloads of the entries; `None` once the entries or facts have changed."""
        self._unseen = ""
        """What of the list is not shown, as a sentence; empty if nothing."""
        self._listed_at = 0.0
        self._client: BoundedClient | SocketClient | None = None
        self._endpoint = Endpoint("")
        self._greeting = Greeting("docker", "")
        self._on_demand: OnDemand | None = None
        self._below = ""
        """See `SourceReading.below`."""
        self._stats: StatsStreams | None = None
        self._daemon = DaemonUsage("dockerd")
        self.storage_folder = ""

    def open(self, wake: Callable[[], None]) -> None:
        """Find the engine and negotiate an API version."""
        self._wake = wake
        self.is_near = True  # looking for a socket needs no network
        try:
            self._endpoint = self._find()
        except SourceError:
            raise  # where there is no engine, its library is not needed either
        except failures() as error:
            raise SourceDown(f"the {self.name} endpoint cannot be used: {sanitize(str(error))}") from error
        self.is_near = self._endpoint.is_local
        try:
            self._greeting = self._endpoint.greet()
            self._client = self._endpoint.reader(self._greeting)
            self._meet()
        except failures() as error:
            raise translate(error, self._endpoint) from error
        self._check_greeting()
        self.storage_folder = self._find_storage()
        self._facts.clear()
        self._listed_at, self._described = 0.0, None
        self._events.is_refused = False
        if self._endpoint.is_local and self._greeting.engine == "docker":
            self._daemon.find()
        if self._wants_stats or not self._endpoint.is_local:
            self._stats = StatsStreams(self._endpoint, self._greeting)

    def _find(self) -> Endpoint:
        return address.resolve(self._url, self._insecure)

    def _find_storage(self) -> str:
        """Return where the engine keeps its images, on this host; empty if it is elsewhere or does not say."""
        if self._client is None or not self._endpoint.is_local:
            return ""
        try:
            return text(part(self._client.info()).get("DockerRootDir")) or ""
        except failures() as error:
            log.info("%s does not say where it keeps its images: %s", self.name, sanitize(str(error)))
            return ""

    def _meet(self) -> None:
        """Note who the engine is, and whether it runs all the time; `OSError` where its socket has gone."""
        self._on_demand, self._below = None, ""
        if self._greeting.libpod and self._endpoint.socket is not None:
            from collectors.engines.podman.on_demand import on_demand
            from collectors.engines.podman.sockets import peer_of, place_of

            peer = peer_of(str(self._endpoint.socket))
            self._on_demand, self._below = on_demand(self._endpoint.socket, peer), place_of(peer)

    def _check_greeting(self) -> None:
        """Raise `SourceError` if the wrong engine answers. An address of Docker may lead to Podman."""

    def read(self) -> SourceReading:
        """List all containers, unless no events have arrived, and inspect those that are new or changed."""
        with self._daemon.answering():
            events = self._ask()
        workloads = self._describe()
        self._events.note_listed(workloads)
        return SourceReading(
            {workload.id: workload for workload in workloads},
            self._samples(workloads),
            events,
            detail=counted(len(workloads), "container"),
            below=self._below,
            unseen=self._unseen,
            engines=frozenset({"docker"} if self._greeting.engine == "docker" else ()),
            daemon_cpu_s=self._daemon.cpu_s,
        )

    def _ask(self) -> tuple[Event, ...]:
        """Bring the list and the facts of its containers up to date; return the events since the last reading."""
        if self._on_demand is not None:
            return self._ask_seldom(self._on_demand)
        is_listening = self._events.is_running
        if not is_listening and not self._events.is_refused:  # before the list, so that nothing falls between
            self._events.start(self._endpoint, self._greeting, self._wake)
        events, changed = self._events.take()
        for identity in changed:
            self._facts.pop(identity, None)
        is_quiet = is_listening and not events and not changed
        if is_quiet and time.monotonic() - self._listed_at < LIST_LIFE_S:
            self._ping()
        else:
            self._entries, self._listed_at = self._list(), time.monotonic()
            self._described = None
        self._inspect(self._entries)
        return events

    def _ask_seldom(self, service: OnDemand) -> tuple[Event, ...]:
        """Do the same with single requests, and only if there is something to ask; leave no connection open."""
        if not service.is_due() or self._client is None:
            return ()
        service.begin()
        before_ns = time.time_ns()
        try:
            self._events.fetch(self._client, self._greeting.engine, service.since_ns)
        except failures() as error:
            raise translate(error, self._endpoint) from error
        service.since_ns = before_ns
        events, changed = self._events.take()
        for identity in changed:
            self._facts.pop(identity, None)
        self._entries, self._described = self._list(), None
        self._inspect(self._entries)
        self._client.close()
        return events

    def close(self) -> None:
        """End the streams and drop the connection."""
        self._events.stop()
        if self._stats is not None:
            self._stats.stop()
            self._stats = None
        if self._client is not None:
            self._client.close()
            self._client = None

    def _ping(self) -> None:
        """Check that the engine still answers: otherwise the reused list would look fresh for too long."""
        if self._client is None:
            raise SourceDown(f"{self._endpoint.product.name} is not open")
        try:
            self._client.ping()
        except failures() as error:
            raise translate(error, self._endpoint) from error

    def _list(self) -> list[dict[str, Any]]:
        if self._client is None:
            raise SourceDown(f"{self._endpoint.product.name} is not open")
        try:
            entries: Any = self._client.containers(all=True)
            if not isinstance(entries, list):
                raise ValueError("the list of containers is not a list")
        except failures() as error:
            raise translate(error, self._endpoint) from error
        usable = [entry for entry in entries if isinstance(entry, dict) and is_id(entry.get("Id"))]
        self._unseen = _unseen(len(entries), len(usable))
        return usable[:MOST_CONTAINERS]

    def _inspect(self, entries: list[dict[str, Any]]) -> None:
        """Inspect new or changed containers, running ones first; forget those that are gone; drop 404s from the list.

        Containers that are stopped or stopping are not inspected: they have no new facts, and while the engine starts
        or removes a container, an inspection blocks until that is done. Those that were killed are, once: only an
        inspection shows whether it was because memory ran out.
        """
        listed = {entry["Id"]: str(entry.get("State")) for entry in entries}
        killed = {entry["Id"] for entry in entries if was_killed(entry)}
        self._facts = {identity: facts for identity, facts in self._facts.items() if identity in listed}
        due = [
            identity
            for identity, state in listed.items()
            if (state_of(state) not in _NOT_INSPECTED or identity in killed)
            and self._facts.get(identity, ("", None))[0] != state
        ]
        if not due:
            return
        self._described = None
        due.sort(key=lambda identity: listed[identity] != State.RUNNING)
        gone = {identity for identity in due[:INSPECTIONS_AT_MOST] if not self._inspect_one(identity, listed[identity])}
        entries[:] = [entry for entry in entries if entry["Id"] not in gone]
        if len(due) > INSPECTIONS_AT_MOST:
            self._wake()

    def _inspect_one(self, identity: str, state: str) -> bool:
        """Inspect a container; return False if it is gone.

        A container that the engine cannot describe stays in the list and is inspected again when its state changes.
        """
        if self._client is None:
            return True
        try:
            inspection = self._client.inspect_container(identity)
            self._facts[identity] = (state, to_facts(inspection))
            if self._on_demand is not None:
                self._on_demand.learn(text(part(inspection).get("StaticDir")))
        except Refused as error:
            if error.status == 404:
                return False
            self._facts[identity] = (state, Facts())
        except (ValueError, KeyError, TypeError, RecursionError):
            self._facts[identity] = (state, Facts())
        except failures() as error:
            raise translate(error, self._endpoint) from error
        return True

    def _describe(self) -> list[Workload]:
        """Return the workloads of the list, rebuilt only after a change."""
        if self._described is None:
            engine, host = self._greeting.engine, self._endpoint.shown
            pairs = ((entry, self._facts.get(entry["Id"], ("", None))[1]) for entry in self._entries)
            described = (to_workload(entry, engine, host, facts) for entry, facts in pairs)
            self._described = [workload for workload in described if workload is not None]
        return self._described

    def _samples(self, workloads: list[Workload]) -> dict[WorkloadId, tuple[Sample, ...]]:
        """Return the limits of active containers, with the engine's measurements for a remote engine."""
        active = [workload.id for workload in workloads if workload.state.is_active]
        measured: dict[str, Sample] = {}
        if self._stats is not None:
            running = [workload.id.id for workload in workloads if workload.state is State.RUNNING]
            epochs = {identity: self._facts[identity][1].started for identity in running if identity in self._facts}
            self._stats.follow(epochs)
            measured = self._stats.latest()
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        now_ns = time.monotonic_ns()
        for identity in active:
            limits = limits_sample(self._facts[identity.id][1], now_ns) if identity.id in self._facts else None
            sample = measured.get(identity.id)
            if sample is not None:
                samples[identity] = (with_limits(sample, limits) if limits else sample,)
            elif limits is not None:
                samples[identity] = (limits,)
        return samples


def _unseen(listed: int, usable: int) -> str:
    """Return what of a list is not shown, as a sentence; empty if nothing."""
    if usable > MOST_CONTAINERS:
        return f"the engine lists {usable:,} containers, of which the first {MOST_CONTAINERS:,} are shown"
    return f"{listed - usable} entries of the engine's list have no valid id" if usable < listed else ""
