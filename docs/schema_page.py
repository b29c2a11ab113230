"""Writes `docs/reference/schemas.md`: the documents that vmtop writes, and where each is described."""

from __future__ import annotations

from collectors.json_document import LIST_SCHEMA, STREAM_SCHEMA
from docs.table import table
from tui.cli.commands.sessions.info import INFO_SCHEMA
from tui.cli.commands.workloads import action_lines, limit_lines
from tui.cli.work import inspect
from tui.presenters.comparison.budgets import BUDGET_SCHEMA
from tui.presenters.comparison.classes import CLASSES_SCHEMA
from tui.presenters.comparison.side_by_side import COMPARE_SCHEMA
from tui.presenters.comparison.sizes import SIZES_SCHEMA
from tui.presenters.reports import check_report, doctor
from tui.presenters.reports.run_report import RUN_SCHEMA

_HEAD = """# Schemas

This page is generated from the code by `make docs-generate`.

Every JSON document and every line of JSON lines has a member `schema` with a name and a number. Within a number,
members are added and never removed, and none changes its meaning: [what may change](../release.md#what-may-change). A
reader ignores members that it does not know.

"""
_ROWS = (
    (LIST_SCHEMA, "vmtop list --json", "[list.md](../list.md), [list.schema.json](../list.schema.json)"),
    (STREAM_SCHEMA, "vmtop stream", "[list.md](../list.md), [list.schema.json](../list.schema.json)"),
    (doctor.SCHEMA, "vmtop doctor --json", "[list.md](../list.md#doctor)"),
    (inspect.SCHEMA, "vmtop inspect NAME --json", "[list.md](../list.md#one-workload)"),
    (check_report.SCHEMA, "vmtop check CONDITION --json", "[ci.md](../ci.md#vmtop-check)"),
    (action_lines.SCHEMA, "vmtop stop NAME --json", "[actions.md](../actions.md#from-scripts)"),
    (limit_lines.SCHEMA, "vmtop set NAME --json", "[limits.md](../limits.md#exit-codes)"),
    (RUN_SCHEMA, "vmtop run --json FILE -- COMMAND", "[run.md](../run.md#json)"),
    (INFO_SCHEMA, "vmtop info FILE --json", "[list.md](../list.md#session-files)"),
    (COMPARE_SCHEMA, "vmtop compare NAME --json", "[list.md](../list.md#session-files)"),
    (CLASSES_SCHEMA, "vmtop compare --json", "[compare.md](../compare.md#bare-metal-machines-and-containers)"),
    (BUDGET_SCHEMA, "vmtop compare --fail-if CONDITION --json", "[compare.md](../compare.md#budgets-for-pipelines)"),
    (SIZES_SCHEMA, "vmtop sizes --json", "[sizing.md](../sizing.md#applying-it)"),
)
_TAIL = """
`vmtop.answer/1` is what vmtop says to another vmtop over ssh; it is not for programs of others.

## Other files

"""
_FILE_HEADS = ("file", "is described in")
_FILES = (
    ("a session, `*.vmtop.gz`", "[session-format.md](../session-format.md)"),
    ("the configuration, `config.toml`", "[settings](settings.md), [config.schema.json](../config.schema.json)"),
    ("CSV of `list` and `export`", "[list.md](../list.md#csv), [metrics](../metrics.md)"),
    ("what Prometheus scrapes", "[prometheus.md](../prometheus.md)"),
)


def names() -> set[str]:
    """Return the schemas that are listed."""
    return {schema for schema, _, _ in _ROWS}


def markdown() -> str:
    """Return the whole page as Markdown."""
    rows = ((f"`{schema}`", f"`{command}`", where) for schema, command, where in _ROWS)
    return _HEAD + table(("schema", "is printed by", "is described in"), rows) + _TAIL + table(_FILE_HEADS, _FILES)
