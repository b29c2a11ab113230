"""`vmtop start`, `stop`, `restart`, `pause`, `resume`, `kill`, `remove`: the screen's actions, for scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from collectors.actions.verbs import VERBS
from tui.cli.options import names_argument, source_options, timeout_options, wait_option

if TYPE_CHECKING:
    from collectors.model.actions import Verb
    from collectors.sampling.source import SourceSpec
    from tui.cli.sampling import Wait


def _command(verb: Verb, summary: str) -> click.Command:
    @wait_option
    @source_options
    @click.option("--json", "is_json", is_flag=True, help="Print phases and outcomes as JSON, one document per line.")
    @click.option("--if-epoch", "epoch", metavar="EPOCH", help="Only if it is still that run; --json prints a run's.")
    @click.option("--yes", "is_sure", is_flag=True, help="Do not ask for confirmation.")
    @names_argument()
    def act(
        names: tuple[str, ...],
        is_sure: bool,
        epoch: str | None,
        is_json: bool,
        wait: Wait,
        specs: list[SourceSpec],
        timeout_s: float | None = None,
        after: str = "force",
    ) -> int:
        if epoch is not None and len(names) > 1:
            raise click.UsageError("--if-epoch is for one NAME.")
        from collectors.model.actions import AfterTimeout
        from tui.cli.commands.workloads.action_lines import ActionLines
        from tui.cli.configuration import read_config
        from tui.cli.work.actions import run

        lines, then = ActionLines(is_json), AfterTimeout(after)
        return run(verb, names, specs, read_config(), is_sure, timeout_s, then, wait, lines, epoch)

    act.__doc__ = f"""{summary}

    A NAME is a whole name, an id, its first digits (six or more), or kind:name such as vm:db. Every source that could
    know it is waited for, 30 s at most (--wait).

    Exits with 0 when all is done, 1 failed, 3 no such workload or several, 4 not allowed, 5 refused by vmtop,
    6 not in time, 7 outcome unknown, 8 a source that could know a NAME has not answered, and nothing was done.
    """
    return click.command(str(verb))(timeout_options(act) if VERBS[verb].can_wait else act)


COMMANDS = {str(verb): _command(verb, spec.command_help) for verb, spec in VERBS.items()}
