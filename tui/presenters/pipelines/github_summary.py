"""Checks as a table in the Markdown of a GitHub job summary (`$GITHUB_STEP_SUMMARY`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tui.presenters.pipelines.verdict import Outcome, Verdict

_SIGNS = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.UNKNOWN: "❔"}
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@:-])")


def github_summary(title: str, verdicts: Sequence[Verdict]) -> str:
    """Return a heading and a table, a row for each check."""
    lines = [f"### {escaped(title)}", "", "| | what | check | found |", "|---|---|---|---|"]
    lines += [
        f"| {_SIGNS[verdict.outcome]} | {escaped(verdict.subject)} | {escaped(verdict.check)} "
        f"| {escaped(verdict.sentence)} |"
        for verdict in verdicts
    ]
    return "\n".join([*lines, ""])


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is: no markup, link, mention or new cell."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
