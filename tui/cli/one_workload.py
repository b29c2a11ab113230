"""What the commands that read workloads on demand share: finding them, connections, and how they fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from collectors.engines.connections import EngineConnections
from collectors.fleet.access import accesses
from collectors.model.errors import AccessDenied, SourceError, WorkloadGone
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from collectors.sampling.source import SourceSpec
from tui.cli.exit_codes import FAILED, NO_SUCH, NOT_ALLOWED
from tui.cli.sampling import Wait
from tui.cli.targets import choose


class Unreadable(click.ClickException):
    """A workload cannot be read; the message has the reason and the remedy."""

    exit_code = FAILED


class _NotAllowed(Unreadable):
    exit_code = NOT_ALLOWED


class _Gone(Unreadable):
    exit_code = NO_SUCH


def unreadable(workload: Workload | None, error: SourceError) -> Unreadable:
    """Return the command's error for a source's, of one workload or of several."""
    name = "" if workload is None else f"{workload.name}: "
    fix = f" (fix: {error.remedy})" if error.remedy else ""
    kinds = ((AccessDenied, _NotAllowed), (WorkloadGone, _Gone), (SourceError, Unreadable))
    kind = next(kind for cause, kind in kinds if isinstance(error, cause))
    return kind(f"{name}{sanitize(error.reason, 2000)}{fix}")


def find_workloads(names: Sequence[str], specs: Sequence[SourceSpec], wait: Wait) -> list[Workload]:
    """Return the workloads that some names stand for, in their order.

    Raises:
        SystemExit: A name is not clear; it has been reported.
    """
    chosen = choose(names, specs, wait, is_action=False)
    if chosen.code:
        raise SystemExit(chosen.code)
    return chosen.workloads


@contextmanager
def reading(workload: Workload | None, specs: Sequence[SourceSpec]) -> Iterator[EngineConnections]:
    """Yield connections to the engines; what cannot be read in the block becomes an error of the command.

    Raises:
        Unreadable: With the exit code: 3 it is gone, 4 not allowed, otherwise 1.
    """
    try:
        yield EngineConnections(specs, hosts=accesses(specs))
    except SourceError as error:
        raise unreadable(workload, error) from error
