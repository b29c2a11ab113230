"""`vmtop inspect`: the engine's own description of a workload."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.cli.options import names_argument, source_options, wait_option

if TYPE_CHECKING:
    from collectors.sampling.source import SourceSpec
    from tui.cli.sampling import Wait


@click.command("inspect")
@names_argument()
@click.option("--json", "is_json", is_flag=True, help="Print a list of documents with `engine`, `id`, `name`, `text`.")
@wait_option
@source_options
def command(names: tuple[str, ...], is_json: bool, wait: Wait, specs: list[SourceSpec]) -> int:
    """Print what the engine knows of a workload, with secrets masked.

    That is the JSON of a container, the XML of a virtual machine, the properties of a service, or else the files of
    its cgroup.

    \b
      vmtop inspect web | jq .HostConfig.Memory
      vmtop inspect vm:db

    Exits as `vmtop logs` does.
    """
    from tui.cli.work.inspect import run

    return run(names, is_json, wait, specs)
