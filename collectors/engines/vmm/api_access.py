"""Access to machines that are reached by an API of their own VMM."""

from __future__ import annotations

from collections.abc import Callable

from collectors.engines.vmm.access import VmmAccess
from collectors.engines.vmm.api_engine import VmmApi
from collectors.engines.vmm.http_api import call
from collectors.engines.vmm.machines import process_of
from collectors.engines.vmm.source import Answer
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.actions import EngineActions, Observed, Request, Verb
from collectors.model.details import Fact, Page, Table
from collectors.model.errors import NotInTime, SourceDown, SourceError
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, text

_MOST_FACTS = 60


class ApiAccess(VmmAccess):
    """What can be done with a machine through its VMM's API."""

    def __init__(self, api: VmmApi) -> None:
        self._api = api

    def actions(self, workload: Workload) -> EngineActions:
        return ApiActions(self._api)

    def details(self) -> Callable[[Workload], list[Table]]:
        return self._tables

    def _tables(self, workload: Workload) -> list[Table]:
        process = process_of(workload)
        title = process.family.product
        try:
            answers = [call(process, *one) for one in (self._api.info, *self._api.more)]
        except SourceError as error:
            note = f"{error.reason} (fix: {error.remedy})" if error.remedy else error.reason
            return [
                Table(
                    Page.FACTS,
                    title,
                    facts=(Fact("API's socket", sanitize(process.control_socket or "none")),),
                    note=note,
                )
            ]
        facts = [fact for answer in answers for fact in _facts(answer)]
        return [Table(Page.FACTS, title, facts=tuple(facts[:_MOST_FACTS]))]


class ApiActions:
    """Acts on machines through their VMM's API."""

    restart_is_a_new_run = False

    def __init__(self, api: VmmApi) -> None:
        self._api = api

    def observe(self, workload: Workload) -> Observed:
        """Ask for its state; a machine whose VMM does not answer is known to run, and no more."""
        process = process_of(workload)
        try:
            state = ask_state(process, self._api).state
        except (NotInTime, SourceDown):
            process_of(workload)  # it may have ended meanwhile
            state = State.RUNNING
        return Observed(workload.name, state, process.own_id if state.is_active else "")

    def perform(self, request: Request) -> None:
        """Send the request; does not wait for the guest."""
        self._send(request, request.verb)

    def force(self, request: Request) -> None:
        """Cut its power."""
        self._send(request, Verb.KILL)

    def _send(self, request: Request, verb: Verb) -> None:
        process, known = process_of(request.workload), self._api.calls.get(verb)
        if known is None:
            raise SourceError(f"{process.family.product} has no request for it", f"kill {process.pid} ends it")
        call(process, *known)


def ask_state(process: VmmProcess, api: VmmApi) -> Answer:
    """Ask a VMM for the state of its machine.

    Raises:
        SourceError: It cannot be asked now.
    """
    said = text(at(call(process, *api.info), "state"))
    return Answer(State(api.states.get(said, State.RUNNING)))


def _facts(answer: object, prefix: str = "") -> list[Fact]:
    """Return the plain values of a description, with their keys as labels."""
    if isinstance(answer, dict):
        return [fact for key, value in answer.items() for fact in _facts(value, f"{prefix} {key}".strip())]
    if isinstance(answer, str | int | float | bool):
        value = sanitize(answer, 1024) if isinstance(answer, str) else answer
        return [Fact(sanitize(prefix.replace("_", " "), 80), value)]
    return []
