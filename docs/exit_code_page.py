"""Writes `docs/reference/exit-codes.md` from `tui/cli/exit_codes.py`; run by `make docs-generate`."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import NamedTuple

from tui.cli import exit_codes

_HEAD = """# Exit codes

This page is generated from `tui/cli/exit_codes.py` by `make docs-generate`.

A code means the same for every command. Which of them a command can end with, and what it has done by then, is told by
the pages of [list, stream, compare and doctor](../list.md#exit-codes), [the actions](../actions.md#from-scripts),
[set](../limits.md#exit-codes), [check and wait](../ci.md), [record](../sessions.md#recording-without-a-screen),
[run](../run.md#budgets) and [budgets](../compare.md#budgets-for-pipelines).

| code | name | means |
|---|---|---|
"""
_TAIL = """
`vmtop run` and `vmtop exec NAME -- COMMAND` end as the COMMAND does, unless vmtop has something to add to it.

Data goes to standard output, messages go to standard error: one sentence for each error, and no traceback.
"""


class ExitCode(NamedTuple):
    """One code."""

    code: int
    name: str
    """As in `tui.cli.exit_codes`."""
    meaning: str
    """One or two sentences."""


def codes() -> list[ExitCode]:
    """Return the exit codes in the order of the table, each with the text below it."""
    body = ast.parse(Path(str(exit_codes.__file__)).read_text(encoding="utf-8")).body
    found = []
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            is_text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
            remark = str(after.value.value) if is_text else ""  # type: ignore[union-attr]  # told by is_text
            found.append(ExitCode(getattr(exit_codes, name), name, " ".join(remark.split())))
    return found


def markdown() -> str:
    """Return the whole page as Markdown."""
    rows = (f"| {one.code} | `{one.name}` | {one.meaning} |\n" for one in codes())
    return _HEAD + "".join(rows) + _TAIL
