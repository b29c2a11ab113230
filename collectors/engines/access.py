"""What an engine does on demand for one workload.

It uses the specs of the sampled sources but has its own connections: a call may hang or fail without affecting the
sampling. All calls except `needs_id` and `command_address` block and belong on a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Protocol, TypeVar

from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import Details, Fact, Page, RawDescription, Table
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.facts import Fact as ClassFact
from collectors.model.limit_changes.elsewhere import AnyLimits
from collectors.model.logs import Log
from collectors.model.processes import ReadsProcesses, SignalsElsewhere
from collectors.model.workloads import Workload

ReadFacts = Callable[[Workload], dict[str, ClassFact]]


class EngineAccess:
    """An engine that can only be watched. A subclass overrides what its engine supports."""

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        """Return whether a command typed by hand could reach another engine, on which the name means another workload.

        Does not query any engine.

        Args:
            workload: The workload.
            environ: Environment variables that tell the engine's own command where its daemon is.
            is_root: Whether the user is root.
        """
        return bool(workload.endpoint)

    def command_address(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> str:
        """Return the address that a command typed by hand has to name, to reach the workload's engine.

        Empty where it finds the engine by itself, and where it is uncertain which of several engines has the workload.
        Does not query any engine. The arguments are those of `needs_id`.
        """
        return ""

    def actions(self, workload: Workload) -> EngineActions:
        """Return the actions for the workload.

        Raises:
            SourceAbsent: vmtop can only watch it.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, which vmtop can only watch")

    def limits(self, workload: Workload) -> AnyLimits:
        """Return what reads and sets the limits of the workload.

        Raises:
            SourceAbsent: vmtop cannot set any; the remedy says who can.
        """
        from collectors.engines.without_limits import no_limits

        raise no_limits(workload)

    def details(self) -> Callable[[Workload], list[Table]]:
        """Return a function that reads the tables about one workload, repeatedly; it raises `SourceError`.

        Without an engine to query, the tables hold what the source reported.
        """
        return plain_details

    def details_elsewhere(self, workload: Workload) -> Details | None:
        """Read the details of a workload of another host, with those of the kernel there; `None` for one of this host.

        Raises:
            SourceError: They cannot be read.
        """
        return None

    def processes(self, workload: Callable[[], Workload | None]) -> ReadsProcesses | None:
        """Return the reader of the processes of a workload of another host; `None` for one of this host."""
        return None

    def signals(self) -> SignalsElsewhere | None:
        """Return what signals the processes of another host; `None` for this host's."""
        return None

    def raw_description(self, workload: Workload) -> RawDescription | None:
        """Read the engine's own description of a workload; `None` when it has none.

        Raises:
            SourceError: It cannot be read.
        """
        return None

    def open_log(self, workload: Workload) -> Log:
        """Open the log of a workload.

        Raises:
            SourceError: There is no log, or it cannot be read; with a remedy if there is one.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop cannot read its logs")

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        """Open a shell in a running workload, or its console.

        Args:
            workload: A running workload.
            command: Words of a command to run in place of the shell.

        Raises:
            SourceError: There is no console, or it cannot run the command, with the reason.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop cannot open a console in it")

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        """Run a command in a running workload, without a terminal.

        Raises:
            SourceError: It cannot be run, with the reason.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop cannot run commands in it")

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        """Yield a function that returns what only the engine knows about a workload, by the keys of `model.facts.ROWS`.

        They may include inputs of other facts: `is_privileged`, `runtime`, `user`, `sandbox`.

        Args:
            may_write: Whether writable connections may be used.

        Raises:
            SourceError: The engine cannot be queried. The yielded function raises it too.
        """
        yield _no_facts


def _no_facts(workload: Workload) -> dict[str, ClassFact]:
    raise SourceAbsent(f"{workload.id.engine} is not queried by vmtop")


def plain_details(workload: Workload) -> list[Table]:
    """Return what the sources know about a workload whose engine is not queried."""
    facts = (
        Fact("id", workload.id.id),
        Fact("engine", workload.id.engine),
        Fact("description", workload.description),
        Fact("belongs to", workload.project),
    )
    return [Table(Page.FACTS, workload.kind.capitalize(), facts=facts)]


class Daemon(Protocol):
    """One of several daemons of an engine."""

    @property
    def shown(self) -> str:
        """Its host as in `Workload.endpoint`; empty for a local daemon.

        Raises:
            SourceError: There is no daemon, or its address may not be used.
        """


AnyDaemon = TypeVar("AnyDaemon", bound=Daemon)


def daemon_of(
    daemons: Sequence[AnyDaemon], workload: Workload, knows: Callable[[AnyDaemon, Workload], bool]
) -> AnyDaemon:
    """Return the daemon that has a workload. A single daemon is returned without a query.

    Daemons on the workload's host are asked first. A workload of this host may be known only through an address that
    looks remote, such as a loopback port: the others are asked if none of this host's has it.

    Raises:
        SourceAbsent: There is no daemon.
        SourceError: None of several daemons has it, and at least one could not be queried; or more than one says that
            it has it, and it is not certain which of them does.
        WorkloadGone: None of several daemons has it.
    """
    if not daemons:
        raise SourceAbsent(f"no engine that vmtop can reach runs {workload.name}")
    if len(daemons) == 1:
        return daemons[0]
    nearest, others, failure = _by_host(daemons, workload.endpoint)
    owners, failure = _owners(nearest, workload, knows, failure)
    if not owners and failure is None and (not workload.endpoint or not nearest):
        owners, failure = _owners(others, workload, knows, failure)
    if len(owners) > 1:
        raise SourceError(
            f"{len(owners)} engines say that they have {workload.name}, under the same id",
            "name one engine only on the command line",
        )
    if owners:
        return owners[0]
    raise failure or WorkloadGone("no engine has it any longer")


def _by_host(
    daemons: Sequence[AnyDaemon], endpoint: str
) -> tuple[list[AnyDaemon], list[AnyDaemon], SourceError | None]:
    """Return the daemons of a host, the others, and why one of them cannot be used, if so."""
    nearest: list[AnyDaemon] = []
    others: list[AnyDaemon] = []
    failure = None
    for daemon in daemons:
        try:
            (nearest if daemon.shown == endpoint else others).append(daemon)
        except SourceError as error:
            failure = error
    return nearest, others, failure


def _owners(
    daemons: Sequence[AnyDaemon],
    workload: Workload,
    knows: Callable[[AnyDaemon, Workload], bool],
    failure: SourceError | None,
) -> tuple[list[AnyDaemon], SourceError | None]:
    """Return the daemons that have a workload, and why one could not be queried, if so."""
    owners = []
    for daemon in daemons:
        try:
            if knows(daemon, workload):
                owners.append(daemon)
        except SourceError as error:
            failure = error
    return owners, failure
