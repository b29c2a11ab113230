"""What an engine does on demand for one workload, for as long as vmtop runs.

It is made from the specs that are sampled, and has connections of its own: a call may hang or fail without touching the
numbers. All calls but `needs_id` block; the caller has a thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from collectors.model.actions import EngineActions
from collectors.model.console import Console
from collectors.model.details import Fact, Page, RawDescription, Table
from collectors.model.errors import SourceAbsent, SourceError, WorkloadGone
from collectors.model.facts import Fact as ClassFact
from collectors.model.logs import Log
from collectors.model.workloads import Workload

Daemon = TypeVar("Daemon")
ReadFacts = Callable[[Workload], dict[str, ClassFact]]


class EngineAccess:
    """An engine that can only be watched. A subclass overrides what its engine is able to do."""

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        """Return whether a command typed by hand could reach another engine, where the name means another workload.

        No engine is asked.

        Args:
            workload: Which one is meant.
            environ: Where the engine's own command looks for its daemon.
            is_root: Whether the user is root.
        """
        return bool(workload.endpoint)

    def actions(self, workload: Workload) -> EngineActions:
        """Return what acts on the workload.

        Raises:
            SourceAbsent: vmtop can only watch it.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, which vmtop can only watch")

    def details(self) -> Callable[[Workload], list[Table]]:
        """Return what reads the tables about one workload, again and again; it raises `SourceError`.

        Without an engine to ask, they tell what the source told.
        """
        return plain_details

    def raw_description(self, workload: Workload) -> RawDescription | None:
        """Read the engine's own description of a workload; `None` when it has none.

        Raises:
            SourceError: It cannot be read.
        """
        return None

    def open_log(self, workload: Workload) -> Log:
        """Open the log of a workload.

        Raises:
            SourceError: There is none, or it cannot be read; with what would make one.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop cannot read its logs")

    def open_console(self, workload: Workload) -> Console:
        """Open a shell in a running workload, or its console.

        Raises:
            SourceError: There is no way in, with the reason.
        """
        raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop cannot open a console in it")

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        """Open what reads the facts that only the engine knows, by the keys of `model.facts.ROWS`, of many workloads.

        Facts that others are made of may be among them: `is_privileged`, `runtime`, `user`, `sandbox`.

        Args:
            may_write: Whether a connection that could change something may be used.

        Raises:
            SourceError: The engine cannot be asked. The call that is yielded raises it too.
        """
        yield _no_facts


def _no_facts(workload: Workload) -> dict[str, ClassFact]:
    raise SourceAbsent(f"{workload.id.engine} is not queried by vmtop")


def plain_details(workload: Workload) -> list[Table]:
    """Tell what is known of a workload whose engine is not asked."""
    facts = (
        Fact("id", workload.id.id),
        Fact("engine", workload.id.engine),
        Fact("description", workload.description),
        Fact("belongs to", workload.project),
    )
    return [Table(Page.FACTS, workload.kind.capitalize(), facts=facts)]


def daemon_of(daemons: Sequence[Daemon], workload: Workload, knows: Callable[[Daemon, Workload], bool]) -> Daemon:
    """Return which of an engine's daemons has a workload. A single one is not asked.

    Raises:
        SourceAbsent: There is no daemon.
        SourceError: Several could have it, and none can be asked.
        WorkloadGone: None of several knows it.
    """
    if not daemons:
        raise SourceAbsent(f"no engine that vmtop can reach runs {workload.name}")
    if len(daemons) == 1:
        return daemons[0]
    failure: SourceError = WorkloadGone("no engine has it any longer")
    for daemon in daemons:
        try:
            if knows(daemon, workload):
                return daemon
        except SourceError as error:
            failure = error
    raise failure
