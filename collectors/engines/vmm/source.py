"""The states of machines which only their VMM knows: a paused one has a process like any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from collectors.engines.vmm.running import LONGEST_ID, is_alive, running_machines
from collectors.kernel.vmm.placement import is_in_container
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.sampling.source import Source, SourceReading

_EVERY_S = 10.0
"""Seconds between two questions to one machine."""
_BUSY_S = 120.0
"""Seconds for which a socket that could not be used is left alone: QMP's serves one client, another one holds it."""
_PATIENCE_S = 5.0
"""Seconds of one reading: a socket that is held costs one, and three hundred may be."""


class Answer(NamedTuple):
    """What a VMM says about its machine's state."""

    state: State
    reason: str | None = None


def state_source(
    engine: str, product: str, can_ask: Callable[[VmmProcess], bool], ask: Callable[[VmmProcess], Answer]
) -> Callable[..., Source]:
    """Return the class of an engine's source, whose other arguments are given."""

    class OfEngine(StateSource):
        name = engine

        def __init__(self) -> None:
            super().__init__(product, can_ask, ask)

    return OfEngine


class StateSource:
    """Asks each machine of an engine for its state, for a millisecond every ten seconds. What has ended is left out.

    Args:
        product: What the machines are called if there are none.
        can_ask: Whether a process of the engine can be asked.
        ask: Asks it; raises `SourceError`.
    """

    name = ""
    interval_s = 1.0
    holds_tick = False
    is_authority = True
    replace_after_s: float | None = 60.0
    is_near = False

    def __init__(
        self, product: str, can_ask: Callable[[VmmProcess], bool], ask: Callable[[VmmProcess], Answer]
    ) -> None:
        self._product = product
        self._can_ask = can_ask
        self._ask = ask
        self._due = 0.0
        self._machines: list[VmmProcess] = []
        self._known: dict[VmmProcess, Answer] = {}
        self._left_alone: dict[tuple[int, int], float] = {}
        """Pid and start -> the monotonic second until which it is not asked."""

    def open(self, wake: Callable[[], None]) -> None:
        """Look for such a machine.

        Raises:
            SourceAbsent: There is none.
        """
        self._due = 0.0
        self._find()
        if not self._machines:
            raise SourceAbsent(f"no {self._product} runs here")

    def read(self) -> SourceReading:
        """Ask all of them if it is time. One that cannot be asked is left out; there may be none any more."""
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _EVERY_S
            self._find()
            self._known = dict(self._asked(self._machines, now))
        self._known = {process: answer for process, answer in self._known.items() if is_alive(process)}
        return SourceReading(_workloads(self._known), {}, detail=f"{len(self._known)} of {len(self._machines)} asked")

    def close(self) -> None:
        """Do nothing: no connection stays open."""

    def _find(self) -> None:
        own = [process for process in running_machines() if process.engine == self.name and self._can_ask(process)]
        self._machines = [process for process in own if not is_in_container(process)]
        running = {(process.pid, process.start_ticks) for process in self._machines}
        self._left_alone = {key: until for key, until in self._left_alone.items() if key in running}

    def _asked(self, machines: Iterable[VmmProcess], now: float) -> Iterable[tuple[VmmProcess, Answer]]:
        for process in machines:
            key = process.pid, process.start_ticks
            if now < self._left_alone.get(key, 0.0):
                continue
            if time.monotonic() - now > _PATIENCE_S:
                self._due = 0.0  # the next reading gets further: it leaves those alone that took so long
                if process in self._known:
                    yield process, self._known[process]
                continue
            try:
                yield process, self._ask(process)
            except SourceError:
                self._left_alone[key] = now + _BUSY_S  # its row shows that it runs, which is all that is known


def _workloads(answers: Mapping[VmmProcess, Answer]) -> dict[WorkloadId, Workload]:
    """Return the machines by their ids. Of processes that claim the same id the oldest has it, as for their rows."""
    found: dict[WorkloadId, Workload] = {}
    for process in sorted(answers, key=lambda process: (process.start_ticks, process.pid)):
        own, substitute = (WorkloadId(engine, sanitize(one, LONGEST_ID)) for engine, one in process.identities)
        identity = substitute if own in found else own
        state, reason = answers[process]
        found[identity] = Workload(identity, Kind.VM, sanitize_name(process.name), state, state_reason=reason)
    return found
