"""An engine for faults that cannot be had on demand, and for counting what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable

from collectors.engines.connections import EngineConnections
from collectors.model.actions import Observed, Request, Verb
from collectors.model.errors import WorkloadGone
from collectors.model.workloads import State, Workload, WorkloadId
from tui.configuration.config import Config
from tui.controllers.services import Services

AFTER = {
    Verb.START: State.RUNNING,
    Verb.STOP: State.STOPPED,
    Verb.RESTART: State.RUNNING,
    Verb.PAUSE: State.PAUSED,
    Verb.RESUME: State.RUNNING,
    Verb.KILL: State.STOPPED,
}


class FakeEngine:
    """Does what it is told at once, unless a test hangs something into `on_perform` or `on_observe`."""

    restart_is_a_new_run = True

    def __init__(self) -> None:
        self.performed: list[tuple[Verb, WorkloadId]] = []
        self.forced: list[WorkloadId] = []
        self.states: dict[WorkloadId, Observed] = {}
        self.gone: set[WorkloadId] = set()
        self.on_perform: Callable[[Request], None] = lambda _: None
        self.on_observe: Callable[[Workload], None] = lambda _: None

    def observe(self, workload: Workload) -> Observed:
        self.on_observe(workload)
        if workload.id in self.gone:
            raise WorkloadGone("it is gone")
        return self.states.setdefault(workload.id, Observed(workload.name, workload.state, "first"))

    def perform(self, request: Request) -> None:
        identity = request.workload.id
        self.performed.append((request.verb, identity))
        self.on_perform(request)
        self.become(request)

    def force(self, request: Request) -> None:
        self.forced.append(request.workload.id)
        self.become(request)

    def become(self, request: Request) -> None:
        """Take the state that the verb wants."""
        before = self.states[request.workload.id]
        if request.verb is Verb.REMOVE:
            self.gone.add(request.workload.id)
            return
        is_new = request.verb in (Verb.START, Verb.RESTART)
        self.states[request.workload.id] = Observed(
            before.name, AFTER[request.verb], before.start + "+" if is_new else before.start
        )


class FakeConnections(EngineConnections):
    """Leads every workload to one engine."""

    def __init__(self, engine: FakeEngine) -> None:
        super().__init__([])
        self._engine = engine

    def actions(self, workload: Workload) -> FakeEngine:
        return self._engine


def means_with(engine: FakeEngine, config: Config | None = None) -> Services:
    """Return means that act through an engine of the test's."""
    return Services(FakeConnections(engine), config or Config())


def held_by(event: threading.Event) -> Callable[[object], None]:
    """Return a call that waits for an event, ten seconds at most."""

    def hold(_: object) -> None:
        event.wait(10)

    return hold
