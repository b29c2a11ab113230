"""Acts on the demo's workloads, which do not exist: for trying the keys out."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping

from collectors.engines.demo.fleet import DemoWorkload
from collectors.model.actions import Observed, Request, Verb
from collectors.model.errors import WorkloadGone
from collectors.model.workloads import Kind, State, Workload, WorkloadId

_TAKES_S = {Kind.VM: 2.5, Kind.CONTAINER: 0.6, Kind.SERVICE: 0.3}
"""How long a graceful action takes here."""
_EVENTS = {Verb.RESTART: "start", Verb.KILL: "die"}
_AT_ONCE = frozenset({Verb.KILL, Verb.PAUSE, Verb.RESUME})


class DemoActions:
    """Changes the lives of a demo's fleet.

    Args:
        fleet: The lives by identity, shared with the demo's source.
        pace: Factor on how long an action takes; 0 for tests.
    """

    restart_is_a_new_run = True

    def __init__(self, fleet: Mapping[WorkloadId, DemoWorkload], pace: float = 1.0) -> None:
        self._fleet = fleet
        self._pace = pace

    def observe(self, workload: Workload) -> Observed:
        """Look at the life."""
        life = self._life(workload)
        return Observed(life.name, life.state, str(life.incarnation))

    def perform(self, request: Request) -> None:
        """Let the time pass that it would take, and change the state."""
        life = self._life(request.workload)
        time.sleep(self._pace * (0.1 if request.verb in _AT_ONCE else _TAKES_S[life.kind]))
        match request.verb:
            case Verb.START | Verb.RESTART:
                life.start()
            case Verb.STOP | Verb.KILL | Verb.REMOVE:
                life.state, life.down_s = State.STOPPED, math.inf
            case Verb.PAUSE:
                life.state = State.PAUSED
            case Verb.RESUME:
                life.state = State.RUNNING
        if request.verb is Verb.REMOVE:
            life.is_removed = True
        life.news.append(_EVENTS.get(request.verb, request.verb.value))

    def force(self, request: Request) -> None:
        """Nothing in the demo is deaf, so nothing needs force."""
        self.perform(request)

    def _life(self, workload: Workload) -> DemoWorkload:
        life = self._fleet.get(workload.id)
        if life is None or life.is_removed:
            raise WorkloadGone("the demo no longer has it")
        return life
