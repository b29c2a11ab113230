"""Access to single instances of LXD and Incus."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from collectors.engines.access import EngineAccess, ReadFacts
from collectors.engines.lxd.client import LxdClient, instance_path
from collectors.engines.lxd.sockets import find_sockets
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import RawDescription, Table
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.facts import Fact
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from collectors.safety.untrusted import at, part, text

_KNOWS_S = 10.0
"""Seconds for one of several daemons to say which it is: one that hangs must not use up the time of an action on an
instance of another one."""


class LxdAccess(EngineAccess):
    """Everything that can be done with an instance on demand."""

    def __init__(self) -> None:
        self._engines: dict[Path, str] = {}
        """What the daemon at a socket said it is."""

    def client(self, workload: Workload) -> LxdClient:
        """Return the client of the daemon that runs an instance.

        Raises:
            SourceAbsent: No daemon of this host is the one that is wanted.
            SourceError: One that could be it does not answer.
            WorkloadGone: None of several daemons has it.
        """
        wanted, failure = [], None
        for path in find_sockets():
            try:
                if self._engine_at(path) == workload.id.engine:
                    wanted.append(LxdClient(path))
            except SourceError as error:
                failure = error
        if len(wanted) > 1:
            wanted = [client for client in wanted if _has(client, workload)]
            if len(wanted) > 1:
                raise SourceError(f"{len(wanted)} daemons have an instance of the id {workload.id.id}")
            if not wanted and failure is None:
                raise WorkloadGone("no daemon has it any longer")
        if wanted:
            return wanted[0]
        raise failure or SourceAbsent(
            f"no daemon of {workload.id.engine} is on this host, to ask about {workload.name}"
        )

    def _engine_at(self, path: Path) -> str:
        if path not in self._engines:
            answer = LxdClient(path, _KNOWS_S).get("/1.0")
            self._engines[path] = "incus" if at(answer, "environment", "server") == "incus" else "lxd"
        return self._engines[path]

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        return False  # project and name are the id

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.lxd.actions import LxdActions

        return LxdActions(self)

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.lxd.limits import LxdLimits

        return LxdLimits(self)

    def details(self) -> Callable[[Workload], list[Table]]:
        from collectors.engines.lxd.details import LxdDetails

        return LxdDetails(self).tables

    def raw_description(self, workload: Workload) -> RawDescription:
        from collectors.engines.lxd.details import raw_description

        return raw_description(workload, self)

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.lxd.logs import open_instance_log

        return open_instance_log(workload, self)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        from collectors.engines.lxd.console import LxdConsole

        return LxdConsole(workload, self, command)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        from collectors.engines.lxd.console import LxdCommand

        return LxdCommand(workload, self, command)

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        from collectors.engines.lxd.details import read_instance

        def read(workload: Workload) -> dict[str, Fact]:
            config = part(read_instance(workload, self), "expanded_config")
            is_privileged = text(config.get("security.privileged")).lower() in ("true", "1", "yes", "on")
            return {
                "is_privileged": Fact(float(is_privileged), "daemon: security.privileged"),
                "runtime": Fact(workload.id.engine, "daemon: its name"),
            }

        yield read


def _has(client: LxdClient, workload: Workload) -> bool:
    path, project = instance_path(workload.id.id)
    try:
        client.get(path, project=project)
    except WorkloadGone:
        return False
    return True
