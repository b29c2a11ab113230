"""Actions on the demo's workloads, which do not exist: for trying out the keys."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from collectors.engines.demo.fleet import DemoWorkload
from collectors.model.actions import Observed, Request, Verb
from collectors.model.errors import WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId

_TAKES_S = {Kind.VM: 2.5, Kind.CONTAINER: 0.6, Kind.SERVICE: 0.3}
"""Seconds that a graceful action takes in the demo."""
_EVENTS = {Verb.RESTART: "start", Verb.KILL: "die"}
_AT_ONCE = frozenset({Verb.KILL, Verb.PAUSE, Verb.RESUME})


class DemoActions:
    """Changes the state of the demo's workloads.

    Args:
        fleet: The workloads by identity, shared with the demo's source.
        pace: Factor for the duration of actions; 0 for tests.
    """

    restart_is_a_new_run = True

    def __init__(self, fleet: Mapping[WorkloadId, DemoWorkload], pace: float = 1.0) -> None:
        self._fleet = fleet
        self._pace = pace

    def observe(self, workload: Workload) -> Observed:
        """Return the simulated state."""
        life = self._life(workload)
        return Observed(life.name, life.state, str(life.incarnation))

    def perform(self, request: Request) -> None:
        """Wait as long as the action would take, then change the state."""
        life = self._life(request.workload)
        time.sleep(self._pace * (0.1 if request.verb in _AT_ONCE else _TAKES_S[life.kind]))
        match request.verb:
            case Verb.START | Verb.RESTART:
                life.start()
            case Verb.STOP | Verb.KILL | Verb.REMOVE:
                life.state, life.down_s, life.was_out_of_memory = State.STOPPED, math.inf, False
                if life.kind is Kind.CONTAINER:
                    life.exit_code = 137 if request.verb is Verb.KILL else 0
            case Verb.PAUSE:
                life.state = State.PAUSED
            case Verb.RESUME:
                life.state = State.RUNNING
        if request.verb is Verb.REMOVE:
            life.is_removed = True
        life.news.append(_EVENTS.get(request.verb, request.verb.value))

    def force(self, request: Request) -> None:
        """Perform it: the demo's workloads always respond, so force is never needed."""
        self.perform(request)

    def _life(self, workload: Workload) -> DemoWorkload:
        life = self._fleet.get(workload.id)
        if life is None or life.is_removed:
            raise WorkloadGone("the demo no longer has it")
        return life
