"""Access to the demo's workloads: actions work, but there is nothing more to read."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from collectors.engines.access import EngineAccess, ReadFacts, plain_details
from collectors.engines.demo.actions import DemoActions
from collectors.engines.demo.fleet import DemoWorkload
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import RawDescription, Table
from collectors.model.errors import SourceAbsent
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.sampling.source import SourceSpec

_NOTHING = "the demo's workloads do not exist: there is nothing more to read"


class DemoAccess(EngineAccess):
    """Acts on the fleets that the demo's sources simulate.

    Args:
        specs: The demo's sources, one for each host.
    """

    def __init__(self, specs: Sequence[SourceSpec]) -> None:
        fleets = (spec.options.get("lives") for spec in specs)
        self._fleet: Mapping[WorkloadId, DemoWorkload] = ChainMap(
            *(fleet for fleet in fleets if isinstance(fleet, dict))
        )

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        return False

    def actions(self, workload: Workload) -> EngineActions:
        return DemoActions(self._fleet)

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.demo.limits import DemoLimits

        return DemoLimits(self._fleet)

    def details(self) -> Callable[[Workload], list[Table]]:
        return _details

    def raw_description(self, workload: Workload) -> RawDescription | None:
        raise SourceAbsent(_NOTHING)

    def open_log(self, workload: Workload) -> Log:
        raise SourceAbsent(_NOTHING)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        raise SourceAbsent(_NOTHING)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        raise SourceAbsent(_NOTHING)

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        raise SourceAbsent(_NOTHING)
        yield  # a generator, as contextmanager needs one


def _details(workload: Workload) -> list[Table]:
    if workload.kind is not Kind.SERVICE:
        raise SourceAbsent(_NOTHING)
    return plain_details(workload)
