"""What the engines have in common whose machines are each reached by an API of their own VMM."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from collectors.engines.base import Engine

if TYPE_CHECKING:
    from collectors.engines.vmm.api_access import ApiAccess
    from collectors.model.actions import Request
    from collectors.sampling.source import Source, SourceSpec


class ApiCall(NamedTuple):
    """A request to a VMM."""

    method: str
    path: str
    body: Mapping[str, str] | None = None


class VmmApi(NamedTuple):
    """The API of a VMM, as far as vmtop uses it."""

    calls: Mapping[str, ApiCall]
    """By verb."""
    info: ApiCall
    """Describes the machine, with its state as `state`."""
    states: Mapping[str, str]
    """A `State` by what the description says; anything else is running."""
    more: tuple[ApiCall, ...] = ()
    """Tell more about it, for its page."""


class ApiEngine(Engine):
    """Machines whose VMM has an HTTP API on a unix socket, as its command line says. A subclass names the calls."""

    api: VmmApi
    kinds = frozenset({"vm"})
    adds_workloads = False

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.vmm.api_access import ask_state
        from collectors.engines.vmm.source import state_source

        title, api = self.about.title, self.api
        return state_source(
            self.name,
            f"{title} with an API",
            lambda process: process.control_socket is not None,
            lambda process: ask_state(process, api),
        )

    def connect(self, specs: Sequence[SourceSpec]) -> ApiAccess:
        from collectors.engines.vmm.api_access import ApiAccess

        return ApiAccess(self.api)

    def commands(self, request: Request) -> tuple[str, ...]:
        """Return the command that sends the request by hand."""
        import json

        from collectors.kernel.vmm.scan import machine_of

        process, call = machine_of(*request.workload.id[:2]), self.api.calls.get(request.verb)
        if call is None:
            return ()
        body = ["-d", json.dumps(call.body)] if call.body is not None else []
        known = process.control_socket if process is not None else None
        socket = process.root_path(known) if process is not None and known else "SOCKET"
        url = f"http://localhost{call.path}"
        return (shlex.join(["curl", "--unix-socket", socket, "-X", call.method, *body, url]),)

    def warnings(self, request: Request) -> list[str]:
        is_end = request.verb in ("stop", "kill")
        return ["No manager knows it: once it has ended, vmtop cannot start it again."] if is_end else []
