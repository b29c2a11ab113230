"""`vmtop inspect`: the engine's own description of a workload."""

from __future__ import annotations

import json

import click

from collectors.inspection.raw_description import read_document
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.options import names_argument, source_options, wait_option
from tui.cli.sampling import Wait

SCHEMA = "vmtop.inspect/1"


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
    documents = []
    for workload in find_workloads(names, specs, wait):
        with reading(workload, specs) as connections:
            document = read_document(workload, connections)
        text = "\n".join(document.lines)
        identity = {"engine": workload.id.engine, "id": workload.id.id, "name": workload.name}
        documents.append(identity | {"title": document.title, "text": text})
        if not is_json:
            click.echo(text)
    if is_json:
        click.echo(json.dumps({"schema": SCHEMA, "documents": documents}, indent=2))
    return 0
