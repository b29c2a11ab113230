"""Printing what the engines know of workloads."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from collectors.inspection.raw_description import read_document
from collectors.sampling.source import SourceSpec
from tui.cli.one_workload import find_workloads, reading
from tui.cli.sampling import Wait

SCHEMA = "vmtop.inspect/1"


def run(names: Sequence[str], is_json: bool, wait: Wait, specs: Sequence[SourceSpec]) -> int:
    """Print the descriptions of the named workloads; return the exit code."""
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
