"""`vmtop set`: limits of running workloads, read, changed, and checked in what the engine then says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.options import names_argument, source_options, wait_option

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec
    from tui.cli.sampling import Wait


@click.command("set")
@names_argument(metavar="NAME... [LIMIT=AMOUNT...]")
@click.option("--persist", "is_kept", is_flag=True, help="Also for the next start, where the engine can keep it.")
@click.option("--dry-run", "is_dry", is_flag=True, help="Only say what would be done.")
@click.option("--json", "is_json", is_flag=True, help="Print limits and outcomes as JSON, one document per line.")
@click.option("--yes", "is_sure", is_flag=True, help="Do not ask for confirmation.")
@wait_option
@source_options
def command(
    names: tuple[str, ...],
    is_kept: bool,
    is_dry: bool,
    is_json: bool,
    is_sure: bool,
    wait: Wait,
    specs: list[SourceSpec],
) -> int:
    """Set limits of running workloads at once; without a LIMIT, print those they have.

    Limits are cpu (cores), cpu_weight (100 is ordinary), cpuset, vcpus, memory, pids, disk_read, disk_write,
    disk_read_iops, disk_write_iops, net_in and net_out. An AMOUNT of none takes a limit away. What is set is read back
    from the engine, and logged with what was there before.

    \b
      vmtop set web
      vmtop set web api cpu=1.5 memory=512M
      vmtop set vm:db memory=4G vcpus=2 --persist
      vmtop set web cpu=none --dry-run

    Exits with 0 when all is done, 1 failed, 3 no such workload or several, 4 not allowed, 5 refused by vmtop or not
    possible, 6 accepted but not reached in time, 7 outcome unknown, 8 a source that could know a NAME has not answered.
    """
    from tui.cli.work.limits import run

    return run(names, is_kept, is_dry, is_json, is_sure, wait, specs)
