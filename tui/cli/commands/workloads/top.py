"""`vmtop top`: the processes of a workload, as its page of processes shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.options import name_argument, over_option, refuse_together, source_options, wait_option, watch_option
from tui.cli.repeat import WatchCommand

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec
    from tui.cli.sampling import Wait

SORT_KEYS = ("pid", "inner", "user", "state", "cpu", "memory", "time", "threads", "group", "name")
"""Keys of the columns of `tui.presenters.processes.table`, which a completion does not load."""


@click.command("top", cls=WatchCommand)
@name_argument
@click.option(
    "--sort",
    type=click.Choice(SORT_KEYS),
    default="cpu",
    show_default=True,
    help="Column to sort by.",
)
@click.option("--tree", "is_tree", is_flag=True, help="Show children below their parents.")
@over_option
@watch_option
@wait_option
@source_options
@click.pass_context
def command(
    ctx: click.Context,
    /,
    name: str,
    sort: str,
    is_tree: bool,
    over_s: float,
    watch_s: float | None,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Print the processes of a workload, and what each of them uses.

    CPU% is measured over one second (--over).

    \b
      vmtop top web
      vmtop top vm:db --watch 5
      vmtop top web --sort memory --tree

    Exits as `vmtop logs` does.
    """
    refuse_together(ctx, ("--over", "--watch"))
    from tui.cli.work.top import run

    return run(name, sort, is_tree, over_s, watch_s, wait, specs)
