"""Sizes that would fit, as lines of the screen. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.comparison.other_kind import OTHER
from collectors.comparison.size import Advice, Resource, Size
from collectors.comparison.sizing import Sizing
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, WorkloadId
from tui.presenters.comparison.side_by_side import wrapped
from tui.presenters.comparison.sizes import Sizes, amount_of, settings_of
from tui.presenters.formatting import fit, text
from tui.presenters.styled_lines import Line

_TONES = {Advice.LESS: "good", Advice.MORE: "bad", Advice.KEEP: "muted"}
_COLUMNS = ("HAS", "P50", "P95", "P99", "MAX", "FITS")
_NUMBER, _WHAT, _ADVICE = 6, 7, 15
_LEAST_NAME, _MOST_NAME = 12, 28


def heading(width: int) -> Line:
    """Return the names of the columns."""
    columns = " ".join(label.rjust(_NUMBER) for label in _COLUMNS)
    return [(f" {fit('NAME', _name_width(width))} {fit('WHAT', _WHAT)}{columns}  ADVICE", "muted")]


def _name_width(width: int) -> int:
    rest = 2 + _WHAT + len(_COLUMNS) * (_NUMBER + 1) + 1 + _ADVICE
    return max(_LEAST_NAME, min(_MOST_NAME, width - rest))


def row_lines(sizes: Sizes, width: int) -> tuple[list[Line], list[WorkloadId | None]]:
    """Return two lines for each workload, and what each of them stands for; the cursor goes to the first of them."""
    lines: list[Line] = []
    rows: list[WorkloadId | None] = []
    for sizing in _in_order(sizes.sizings):
        for size in sizing.sizes:
            is_first = size is sizing.cpu
            lines.append(_line(sizing, size, is_first, width))
            rows.append(sizing.workload.id if is_first else None)
    return lines, rows


def _in_order(sizings: Sequence[Sizing]) -> list[Sizing]:
    """Return those first that need more, then those with most to free, by memory."""
    return sorted(
        sizings,
        key=lambda sizing: (
            not any(size.advice is Advice.MORE for size in sizing.sizes),
            not settings_of(sizing),
            -sizing.memory.frees,
            sizing.workload.typed_name.casefold(),
        ),
    )


def _line(sizing: Sizing, size: Size, is_first: bool, width: int) -> Line:
    name_width = _name_width(width)
    name = fit(sizing.workload.typed_name, name_width) if is_first else " " * name_width
    used = size.used or (None, None, None, None)
    unit = Unit.BYTES if size.resource is Resource.MEMORY else Unit.CORES
    numbers = " ".join(text(value, unit, _NUMBER) for value in (size.has, *used))
    tone = _TONES.get(size.advice, "muted")
    weak = " (weak)" if sizing.weak and size.advice is not Advice.UNKNOWN else ""
    return [
        (f" {name} ", "text"),
        (f"{fit(size.resource, _WHAT)}{numbers} ", "muted"),
        (f"{text(size.fits, unit, _NUMBER)}  ", tone if size.advice in (Advice.LESS, Advice.MORE) else "muted"),
        (f"{size.advice}{weak}", tone),
    ]


def freed_lines(sizes: Sizes) -> str:
    """Return what all changes would free together, in words."""
    parts = []
    for name, freed in sizes.freed.items():
        memory = amount_of(freed.memory_bytes, freed.of_memory_bytes, Unit.BYTES, " of memory")
        cores = amount_of(freed.cores, freed.of_cores, Unit.CORES, " cores")
        verbs = ["take" if value < 0 else "free" for value in (freed.memory_bytes, freed.cores)]
        second = cores if verbs[0] == verbs[1] else f"{verbs[1]} {cores}"
        parts.append(f"{f'{name}: ' if name else ''}all changes {verbs[0]} {memory} and {second}")
    return "; ".join(parts)


def detail_lines(sizing: Sizing, sizes: Sizes, width: int, most: int) -> list[Line]:
    """Return why, for one workload: what speaks for each size, what is weak, what it would weigh as the other kind."""
    lines: list[Line] = [[(f" {sizing.workload.typed_name}", "title"), (_command(sizing), "muted")]]
    clauses = [f"{'memory' if size.resource is Resource.MEMORY else 'CPU'}: {size.why}" for size in sizing.sizes]
    clauses += [note for size in sizing.sizes for note in (*size.notes, *([size.by_hand] if size.by_hand else []))]
    clauses += [f"weak evidence: {clause}" for clause in sizing.weak]
    fact = sizes.others.get(sizing.workload.id)
    other = OTHER.get(sizing.workload.kind)
    if fact is not None and other is not None:
        kind = "a virtual machine" if other is Kind.VM else "a container"
        value = f"{text(fact.value, Unit.BYTES, 6).strip()} (" if isinstance(fact.value, float) else ""
        clauses.append(f"as {kind}: {value}{fact.how}{')' if value else ''}")
    for clause in dict.fromkeys(clauses):
        lines += [[(f" {part}", "text")] for part in wrapped(clause, max(20, width - 6))]
    return lines if len(lines) <= most else [*lines[: most - 1], [*lines[most - 1], (" ...", "muted")]]


def _command(sizing: Sizing) -> str:
    settings = settings_of(sizing)
    return "  " + " ".join(f"{name}={value}" for name, value in settings.items()) if settings else ""
