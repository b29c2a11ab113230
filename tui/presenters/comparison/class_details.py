"""What stands below the table of classes: a row's definition, spread, numbers of workloads, method and range. Plain."""

from __future__ import annotations

import re
from collections import Counter
from statistics import median
from textwrap import wrap

from collectors.comparison.findings import Finding
from collectors.comparison.workload_classes import CLASSES
from collectors.model.facts import Fact
from collectors.model.workloads import Kind
from tui.presenters.comparison.class_table import NAMES, TONES, ClassRow, Values, number_text, numbers_of, shortened
from tui.presenters.styled_lines import Line, Run, rule_line

_NAME, _VALUE = 12, 16
_PID = re.compile(r"/proc/\d+")
_RAW = re.compile(r"^([\w-]+) at \S+: .*", re.S)
"""An engine's own error, after its address."""


def rule(row: ClassRow, width: int, ascii_only: bool) -> Line:
    """Return the line over the details: the row's name and what it is."""
    right = "Enter lists the workloads" if any(row.values.values()) else ""
    return rule_line([(row.type.name, "title"), (f"  {row.type.definition}", "muted")], right, width, ascii_only)


def detail_lines(row: ClassRow, width: int, height: int, ascii_only: bool) -> list[Line]:
    """Return what fits into so many lines: a paragraph per class, and below them the ranges on a common scale."""
    paragraphs = [_paragraph(row, kind, width, ascii_only) for kind in CLASSES]
    lines = [line for paragraph in paragraphs for line in paragraph]
    if len(lines) > height:  # the first line of each class rather than all of one
        rest = max(0, height - len(paragraphs))
        lines = []
        for paragraph in paragraphs:
            extra = min(rest, len(paragraph) - 1)
            rest -= extra
            lines += paragraph[: 1 + extra]
    ranges = _ranges(row, width, ascii_only)
    if ranges and len(lines) + 1 + len(ranges) <= height:
        lines += [[], *ranges]
    return lines[:height]


def _paragraph(row: ClassRow, kind: Kind, width: int, ascii_only: bool) -> list[Line]:
    first: list[Run] = [(f"  {NAMES[kind].upper():<{_NAME}}", f"{TONES[kind]} bold")]
    first.append((f"{row.cells[kind].text:<{_VALUE}}", "title" if row.cells[kind].text != "-" else "muted"))
    dot = " - " if ascii_only else " · "
    texts = wrap(dot.join(_sentences(row, kind)), max(16, width - 2 - _NAME - _VALUE - 1)) or [""]
    indent = (" " * (2 + _NAME + _VALUE), "text")
    return [[*first, (texts[0], "muted")], *([indent, (text, "muted")] for text in texts[1:])]


def _sentences(row: ClassRow, kind: Kind) -> list[str]:
    """Return the spread, how many of how many, and the methods, or why nothing is measured."""
    values = row.values[kind]
    if not values:
        return [] if not any(row.values.values()) else ["none here"]
    measured = [(workload, fact) for workload, fact in values if fact.value is not None]
    if not measured:
        return [_most_common([plain_reason(fact.how) for _, fact in values])]
    spread = _spread(row, measured)
    count = f"{len(measured)} of {len(values)}"
    missing = Counter(plain_reason(fact.how) for _, fact in values if fact.value is None)
    others = f" (the others: {missing.most_common(1)[0][0]})" if missing else ""
    methods = _most_common([_PID.sub("/proc/<pid>", fact.how) for _, fact in measured])
    return [*([spread] if spread else []), count + others, methods]


def _spread(row: ClassRow, measured: Values) -> str:
    if row.type.unit is None:
        if row.type.short is None:
            return ""
        counts = Counter(str(fact.value) for _, fact in measured).most_common()
        shown = "; ".join(value if len(counts) == 1 else f"{count} x {value}" for value, count in counts[:3])
        return shown + (f"; and {len(counts) - 3} other values" if len(counts) > 3 else "")
    numbers = [
        (fact.value, workload.name)
        for workload, fact in measured
        if fact.value is not None and not isinstance(fact.value, str)
    ]
    if not numbers:
        return ""
    (least, lowest), (most, highest) = min(numbers), max(numbers)
    if least == most:
        return ""
    return f"from {number_text(least, row.type.unit)} ({lowest}) to {number_text(most, row.type.unit)} ({highest})"


def _most_common(sentences: list[str]) -> str:
    counts = Counter(sentences).most_common()
    return counts[0][0] + (f"; {len(counts) - 1} more ways" if len(counts) > 1 else "")


def plain_reason(reason: str) -> str:
    """Return a reason without an engine's own error text: that is on the page of the sources and in the log."""
    raw = _RAW.match(reason)
    return reason if raw is None else f"{raw[1]} did not answer"


def _ranges(row: ClassRow, width: int, ascii_only: bool) -> list[Line]:
    """Return a line per class from its lowest to its highest value, on a common scale from zero."""
    spans = {kind: numbers_of(row.values[kind]) for kind in CLASSES}
    top = max((max(numbers) for numbers in spans.values() if numbers), default=0.0)
    if row.type.unit is None or top <= 0:
        return []
    track, bar, dot = ("-", "=", "o") if ascii_only else ("╌", "━", "●")
    room = max(10, width - 2 - _NAME - 12)
    lines: list[Line] = []
    for kind, numbers in spans.items():
        runs: list[Run] = [(f"  {NAMES[kind]:<{_NAME}}", TONES[kind])]
        if numbers:
            places = [min(room - 1, int(number / top * (room - 1) + 0.5)) for number in numbers]
            start, end, middle = min(places), max(places), int(median(numbers) / top * (room - 1) + 0.5)
            runs += [(track * start, "border"), (bar * (middle - start), TONES[kind]), (dot, "title")]
            runs += [(bar * (end - middle), TONES[kind]), (track * (room - 1 - end), "border")]
            runs.append((f"  {number_text(max(numbers), row.type.unit)}", "muted"))
        lines.append(runs)
    return [*lines, [(f"  bar: lowest to highest, {dot} median", "muted")]]


def workload_lines(row: ClassRow) -> list[str]:
    """Return the value of every workload in a row, class by class, and how it was measured or why it is unknown."""
    lines: list[str] = []
    for kind in CLASSES:
        lines += [*([""] if lines else []), NAMES[kind].upper()]
        lines += [f"  {workload.name}: {_value(row, fact, kind)}" for workload, fact in row.values[kind]] or [
            "  none here"
        ]
    return lines


def _value(row: ClassRow, fact: Fact, kind: Kind) -> str:
    if fact.value is None:
        return f"not known: {plain_reason(fact.how)}"
    if row.type.key == "is_privileged":
        return f"{'yes' if fact.value else 'no'} ({fact.how})"
    if isinstance(fact.value, str):
        full, short = str(fact.value), shortened(row.type, fact, kind)
        return f"{short} ({full}; {fact.how})" if short != full else f"{full} ({fact.how})"
    return f"{number_text(fact.value, row.type.unit)} ({_PID.sub('/proc/<pid>', fact.how)})"


def finding_rule(finding: Finding, width: int, ascii_only: bool) -> Line:
    """Return the line over a finding's details."""
    return rule_line([(" and ".join(finding.names), "title")], "", width, ascii_only)


def finding_lines(finding: Finding, width: int) -> list[Line]:
    """Return a finding's sentence and its evidence."""
    room = max(20, width - 4)
    sentence: list[Line] = [[(f"  {line}", "text")] for line in wrap(f"{finding.sentence}.", room)]
    return [*sentence, *([(f"  {line}", "muted")] for line in wrap(f"Evidence: {finding.evidence}", room))]
