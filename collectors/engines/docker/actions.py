"""Actions on containers through the engine's API. Requests contain the id, never the name."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.connection.answers import Refused
from collectors.engines.docker.containers import state_of
from collectors.model.actions import ActionTimedOut, AfterTimeout, Note, Observed, Request, Verb
from collectors.model.errors import AccessDenied, SourceDown, SourceError, WorkloadGone
from collectors.model.workloads import State, Workload
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import part
from collectors.sampling.timeout import ANSWER_S

if TYPE_CHECKING:
    from docker import APIClient

    from collectors.engines.docker.access import DockerAccess
    from collectors.engines.docker.connection.bounded_client import BoundedClient

_POLL_S = 0.2


class DockerActions:
    """Starts, stops, restarts, pauses, resumes, kills and removes containers."""

    restart_is_a_new_run = True

    def __init__(self, access: DockerAccess) -> None:
        self._access = access

    def observe(self, workload: Workload) -> Observed:
        """Inspect the container."""
        with self._client(workload) as client:
            return observed(_inspect(client, workload))

    def perform(self, request: Request) -> None:
        """Ask the engine. It times a stop that may force itself, so that it finishes even if vmtop exits."""
        workload, verb = request.workload, request.verb
        identity = workload.id.id
        with self._client(workload, request.timeout_s + ANSWER_S) as client:
            match verb:
                case Verb.START:
                    client.start(identity)
                case Verb.STOP | Verb.RESTART if request.after is AfterTimeout.LEAVE:
                    self._ask_to_end(client, request)
                    if verb is Verb.RESTART:
                        client.start(identity)
                case Verb.STOP:
                    client.stop(identity, timeout=_whole(request.timeout_s))
                case Verb.RESTART:
                    client.restart(identity, timeout=_whole(request.timeout_s))
                case Verb.PAUSE:
                    client.pause(identity)
                case Verb.RESUME:
                    client.unpause(identity)
                case Verb.KILL:
                    client.kill(identity)
                case Verb.REMOVE:
                    client.remove_container(identity)

    def force(self, request: Request) -> None:
        """Kill it; after a restart that timed out, also start it again.

        The restart is one call: between a separate kill and start the engine would remove a container run with `--rm`.
        """
        with self._client(request.workload) as client:
            if request.verb is Verb.RESTART:
                client.restart(request.workload.id.id, timeout=0)
            else:
                client.kill(request.workload.id.id)

    def _ask_to_end(self, client: APIClient, request: Request) -> None:
        """Send the stop signal and wait. Raises `ActionTimedOut` if the container still runs after the time-out."""
        config = part(_inspect(client, request.workload), "Config")
        client.kill(request.workload.id.id, signal=str(config.get("StopSignal") or "SIGTERM"))
        deadline = time.monotonic() + request.timeout_s
        while observed(_inspect(client, request.workload)).state not in (State.STOPPED, State.CRASHED):
            if time.monotonic() >= deadline:
                raise ActionTimedOut
            time.sleep(_POLL_S)

    def _client(self, workload: Workload, timeout_s: float = ANSWER_S) -> AbstractContextManager[BoundedClient]:
        return client_for(self._access, workload, timeout_s)


@contextmanager
def client_for(access: DockerAccess, workload: Workload, timeout_s: float = ANSWER_S) -> Iterator[BoundedClient]:
    """Connect to change a container. What an engine refuses is another error than a connection that was lost."""
    with access.daemon(workload).client(timeout_s) as client:
        try:
            yield client
        except Refused as error:
            raise _refusal(error) from error


def observed(inspection: Mapping[str, Any]) -> Observed:
    """Return name, state, start and notes for an action from an inspection."""
    state = part(inspection, "State")
    status = state_of(state.get("Status"))
    return Observed(
        sanitize(str(inspection.get("Name") or "").lstrip("/")),
        status,
        str(state.get("StartedAt") or ""),
        f"exit code {state.get('ExitCode')}" if status in (State.STOPPED, State.CRASHED) else "",
        frozenset({Note.REMOVED_AT_END} if part(inspection, "HostConfig").get("AutoRemove") is True else ()),
        addresses=_addresses(inspection),
    )


def _addresses(inspection: Mapping[str, Any]) -> frozenset[str]:
    """Return the container's addresses on the networks that it is attached to."""
    networks = part(inspection, "NetworkSettings", "Networks").values()
    keys = ("IPAddress", "GlobalIPv6Address")
    return frozenset(
        address
        for network in networks
        if isinstance(network, Mapping)
        for key in keys
        if isinstance(address := network.get(key), str) and address
    )


def _refusal(error: Refused) -> SourceError:
    status = error.status
    message = sanitize(str(error.explanation or error)).strip().rstrip(".")
    if status == 404:
        return WorkloadGone("the engine no longer has it")
    if status in (401, 403):
        return AccessDenied(
            f"the engine does not allow it: {message}", "ask the administrator of the engine's authorisation plug-in"
        )
    if status in (502, 503, 504):
        return SourceDown(f"the engine is unavailable: {message}")
    return SourceError(f"the engine refused: {message}")


def _inspect(client: APIClient, workload: Workload) -> Mapping[str, Any]:
    inspection: Any = client.inspect_container(workload.id.id)
    if not isinstance(inspection, Mapping):
        raise SourceDown("the engine sent an invalid answer")
    return inspection


def _whole(seconds: float) -> int:
    return max(0, round(seconds))
