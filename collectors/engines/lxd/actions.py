"""Actions on instances through the API. Requests contain project and name, which are an instance's identity."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from collectors.engines.lxd.client import LxdClient, instance_path
from collectors.engines.lxd.instances import STATES, addresses_of
from collectors.model.actions import ActionTimedOut, Observed, Request, Verb
from collectors.model.errors import SourceDown, SourceError
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import part, text

if TYPE_CHECKING:
    from collectors.engines.lxd.access import LxdAccess

_ACTIONS = {
    Verb.START: "start",
    Verb.STOP: "stop",
    Verb.RESTART: "restart",
    Verb.PAUSE: "freeze",
    Verb.RESUME: "unfreeze",
}


class LxdActions:
    """Starts, stops, restarts, freezes and thaws instances, and stops them by force."""

    restart_is_a_new_run = True

    def __init__(self, access: LxdAccess) -> None:
        self._access = access

    def observe(self, workload: Workload) -> Observed:
        """Ask for the instance and its state. Its run is known by its first process, and by its last start."""
        client = self._access.client(workload)
        path, project = instance_path(workload.id.id)
        instance: Any = client.get(path, project=project, recursion="1")
        if not isinstance(instance, dict):
            raise SourceDown("the daemon sent an invalid answer")
        state = part(instance, "state") or part({"state": client.get(f"{path}/state", project=project)}, "state")
        status = text(state.get("status")) or text(instance.get("status"))
        return Observed(
            sanitize(text(instance.get("name"))),
            STATES.get(status.lower(), State.UNKNOWN),
            sanitize(f"{state.get('pid')} {text(instance.get('last_used_at'))}"),
            addresses=frozenset(addresses_of(part(state, "network"))),
        )

    def perform(self, request: Request) -> None:
        """Ask the daemon, and wait for the end of its operation; it times a stop."""
        if request.verb is Verb.KILL:
            self.force(request)
            return
        began = time.monotonic()
        seconds = max(1, round(request.timeout_s))
        body = {"action": _ACTIONS[request.verb], "timeout": seconds, "force": False}
        failure = self._run(self._access.client(request.workload), request, body)
        if failure and request.verb in (Verb.STOP, Verb.RESTART) and time.monotonic() - began >= seconds - 0.5:
            raise ActionTimedOut
        if failure:
            raise SourceError(f"the daemon could not do it: {failure}")

    def force(self, request: Request) -> None:
        """Stop it at once; after a restart that timed out, also start it again."""
        action = "restart" if request.verb is Verb.RESTART else "stop"
        client = self._access.client(request.workload)
        failure = self._run(client, request, {"action": action, "timeout": -1, "force": True})
        if failure:
            raise SourceError(f"the daemon could not stop it by force: {failure}")

    def _run(self, client: LxdClient, request: Request, body: dict[str, object]) -> str:
        path, project = instance_path(request.workload.id.id, "state")
        return client.run("PUT", path, body, request.timeout_s, project=project)
