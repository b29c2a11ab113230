"""What can be done on demand with the workloads of another host: everything is done there, by the vmtop there."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from msgspec.structs import replace

from collectors.engines.access import EngineAccess
from collectors.engines.child_process import ChildCommand, ChildConsole
from collectors.engines.demo.access import DemoAccess
from collectors.fleet.conversation import Conversation
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import Ask, Description
from collectors.fleet.remote_actions import RemoteActions, at_home
from collectors.fleet.remote_limits import RemoteLimits
from collectors.fleet.remote_log import RemoteLog
from collectors.fleet.remote_processes import RemoteProcesses, RemoteSignals
from collectors.fleet.ssh import client_environment, client_words, ssh_words
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import Details, RawDescription
from collectors.model.limit_changes.elsewhere import AnyLimits
from collectors.model.logs import Log
from collectors.model.processes import ReadsProcesses
from collectors.model.workloads import Kind, Workload
from collectors.sampling.source import REMOTE, SourceSpec

_QUIET = ("-o", "LogLevel=ERROR")
"""The client says nothing of its own, as what it prints is passed on; the first value of an option counts."""


class HostAccess(EngineAccess):
    """The workloads of one other host.

    Args:
        host: The host.
    """

    def __init__(self, host: HostSpec) -> None:
        self.host = host
        self._conversation = Conversation(host)
        self._actions = RemoteActions(host, self._conversation)
        self._limits = RemoteLimits(host, self._conversation)

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        """Return false: a command that is typed there finds its engine as there."""
        return False

    def command_address(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> str:
        """Return the command that logs in there."""
        return self.host.target.command

    def actions(self, workload: Workload) -> EngineActions:
        """Return the actions of the host."""
        return self._actions

    def limits(self, workload: Workload) -> AnyLimits:
        """Return what has them set there."""
        return self._limits

    def details_elsewhere(self, workload: Workload) -> Details:
        """Read all details there; see `EngineAccess.details_elsewhere`."""
        details = self._conversation.ask(Details, Ask.DETAILS, workload=at_home(workload))
        return replace(details, at_ns=time.monotonic_ns())

    def raw_description(self, workload: Workload) -> RawDescription:
        """Read the description there: the engine's, or the files of the control group."""
        description = self._conversation.ask(Description, Ask.DESCRIBE, workload=at_home(workload))
        return RawDescription(f"{self.host.name}: {description.title}", "\n".join(description.lines))

    def open_log(self, workload: Workload) -> Log:
        """Open the log there."""
        return RemoteLog(self.host, at_home(workload))

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        """Open the shell or console there, with a terminal there; of the host itself, a login."""
        if workload.kind is Kind.HOST:
            return ChildConsole(f"shell on {self.host.name}", "shell", client_words(self.host, has_terminal=True))
        words = ssh_words(self.host, _exec_words(workload, command), has_terminal=True)
        program = "console" if workload.kind is Kind.VM and not command else "shell"
        return ChildConsole(f"{program} of {workload.name} on {self.host.name}", program, words)

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        """Run a command there."""
        client, *words = ssh_words(self.host, _exec_words(workload, command))
        return ChildCommand([client, *_QUIET, *words], client_environment())

    def signals(self) -> RemoteSignals:
        """Return what signals its processes."""
        return RemoteSignals(self.host, self._conversation)

    def processes(self, workload: Callable[[], Workload | None]) -> ReadsProcesses:
        """Return the reader of the processes there; see `EngineAccess.processes`."""
        return RemoteProcesses(self._conversation, workload)


def _exec_words(workload: Workload, command: Sequence[str]) -> list[str]:
    words = ["exec", "--host", "local", "--", f"{workload.kind}:{workload.id.id}"]
    return [*words, *command]


def accesses(specs: Sequence[SourceSpec]) -> dict[str, EngineAccess]:
    """Return what can be done on the other hosts among the sources, by their names."""
    hosts = [cast(HostSpec, spec.options["spec"]) for spec in specs if spec.name == REMOTE]
    demo = {
        str(spec.options["host"]): DemoAccess([spec])
        for spec in specs
        if spec.name == "demo" and "host" in spec.options
    }
    return {**demo, **{host.name: HostAccess(host) for host in hosts}}
