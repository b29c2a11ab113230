"""Sizes that would fit, as text, JSON, CSV, and as the commands that set them."""

from __future__ import annotations

import csv
import io
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from collectors.actions.targets import names_of
from collectors.comparison.other_kind import OTHER
from collectors.comparison.size import Advice, Resource, Size, Used
from collectors.comparison.sizing import Freed, Sizing
from collectors.json_document import digits_of, timestamp
from collectors.model.facts import Fact
from collectors.model.metrics import Unit
from collectors.model.workloads import LOCAL_HOST, Kind, Workload, WorkloadId
from collectors.safety.sanitize import sanitize
from tui.presenters.comparison.side_by_side import wrapped
from tui.presenters.formatting import fit, text
from tui.presenters.reports.list_table import plain_target

SIZES_SCHEMA = "vmtop.sizes/1"
_MIB = 1 << 20
_NUMBER = 6
_NAME = 24
_HEADER = ("HAS", "P50", "P95", "P99", "MAX", "FITS")
_SHORT = {Kind.VM: "as vm", Kind.CONTAINER: "as ct"}
_WIDTH = 80


class Sizes(NamedTuple):
    """Everything that is shown."""

    sizings: Sequence[Sizing]
    freed: Mapping[str, Freed]
    """By host."""
    others: Mapping[WorkloadId, Fact]
    """What each workload would weigh as the other kind."""
    headroom: float
    span: tuple[float, float]
    """Wall times of the first and the last moment."""
    known: Sequence[Workload]
    """All workloads that were seen, among which a name has to be unique."""


def as_text(sizes: Sizes) -> str:
    """Return a table with two rows for each workload, why, and what it would free."""
    if not sizes.sizings:
        return ""
    width = max(4, min(_NAME, max(len(sizing.workload.typed_name) for sizing in sizes.sizings)))
    numbers = " ".join(label.rjust(_NUMBER) for label in _HEADER)
    lines = [f"{'NAME'.ljust(width)} {'WHAT':6} {numbers} {'OTHER':>12}  ADVICE"]
    for sizing in sizes.sizings:
        other = _other_cell(sizing, sizes.others)
        for size in sizing.sizes:
            name = fit(sizing.workload.typed_name, width) if size is sizing.cpu else " " * width
            beside = other if size is sizing.memory else ""
            lines.append(f"{name} {size.resource:6} {_numbers(size)} {beside:>12}  {_advice(size, sizing)}".rstrip())
    rule = f"CPU: 95th percentile + {sizes.headroom * 100:.0f} %, at least the 99th; memory: highest value"
    lines += ["", f"FITS is, for {rule} + {sizes.headroom * 100:.0f} %."]
    for clause, names in _clauses(sizes).items():
        lines += wrapped(f"{clause}: {', '.join(names)}", _WIDTH)
    lines += ["", *map(_freed_line, sizes.freed.items())]
    return "".join(f"{line}\n" for line in lines)


def _numbers(size: Size) -> str:
    used = size.used or (None,) * len(Used._fields)
    return " ".join(text(value, _shown_unit(size.resource), _NUMBER) for value in (size.has, *used, size.fits))


def _shown_unit(resource: Resource) -> Unit:
    return Unit.BYTES if resource is Resource.MEMORY else Unit.CORES


def _other_cell(sizing: Sizing, others: Mapping[WorkloadId, Fact]) -> str:
    other = OTHER.get(sizing.workload.kind)
    fact = others.get(sizing.workload.id)
    if other is None or fact is None:
        return ""
    value = fact.value if isinstance(fact.value, float) else None
    return f"{_SHORT[other]} {text(value, Unit.BYTES, _NUMBER).strip()}"


def _advice(size: Size, sizing: Sizing) -> str:
    is_weak = bool(sizing.weak) and size.advice is not Advice.UNKNOWN
    return f"{size.advice}{' (weak)' if is_weak else ''}"


def _clauses(sizes: Sizes) -> dict[str, list[str]]:
    """Return why there is which advice, each with the workloads that it is about."""
    clauses: dict[str, list[str]] = {}
    for sizing in sizes.sizings:
        name = sizing.workload.typed_name
        for size in sizing.sizes:
            by_hand = [size.by_hand] if _is_by_hand(size) else []
            for clause in ([size.why] if size.has_cause else []) + [*size.notes, *by_hand]:
                clauses.setdefault(f"{_word(size.resource)}: {clause}", []).append(name)
        for clause in sizing.weak:
            clauses.setdefault(f"weak evidence: {clause}", []).append(name)
        fact = sizes.others.get(sizing.workload.id)
        if fact is not None and sizing.workload.kind in OTHER:
            clauses.setdefault(f"{_SHORT[OTHER[sizing.workload.kind]]}: {fact.how}", []).append(name)
    return clauses


def _word(resource: Resource) -> str:
    return "memory" if resource is Resource.MEMORY else "CPU"


def _is_by_hand(size: Size) -> bool:
    return bool(size.by_hand) and size.advice in (Advice.LESS, Advice.MORE)


def _freed_line(item: tuple[str, Freed]) -> str:
    name, freed = item
    cores = amount_of(freed.cores, freed.of_cores, Unit.CORES, " cores")
    memory = amount_of(freed.memory_bytes, freed.of_memory_bytes, Unit.BYTES, " of memory")
    verbs = ["take" if value < 0 else "free" for value in (freed.cores, freed.memory_bytes)]
    second = memory if verbs[0] == verbs[1] else f"{verbs[1]} {memory}"
    return f"All changes together {verbs[0]} {cores} and {second}, promised on {name or 'this host'}."


def amount_of(value: float, whole: float, unit: Unit, of_what: str) -> str:
    """Return an amount without its sign, and of how much it is where that is known (not 0): `17G of 256G of memory`."""
    of = f" of {text(whole, unit, _NUMBER).strip()}" if whole else ""
    return f"{text(abs(value), unit, _NUMBER).strip()}{of}{of_what}"


def command_lines(sizes: Sizes) -> str:
    """Return a `vmtop set` for each workload that has a change; what rests on weak evidence is commented out."""
    counts = Counter(name for workload in sizes.known for name in names_of(workload))
    lines = []
    for sizing in sizes.sizings:
        words = [word for size in sizing.sizes if (word := _setting(size))]
        if words:
            target = sizing.workload.id.named(plain_target(sizing.workload, counts))
            line = shlex.join(["vmtop", "set", *(["--"] if target.startswith("-") else []), target, *words])
            if not line.isprintable():  # a line break would end a comment
                line = f"# {sanitize(sizing.workload.typed_name)!r} has an id that no command line can have"
            elif sizing.weak:
                line = f"# weak evidence ({'; '.join(sizing.weak)}): {line}"
            lines.append(line)
    return "".join(f"{line}\n" for line in lines)


def settings_of(sizing: Sizing) -> dict[str, str]:
    """Return the changes of a workload, as `vmtop set` takes them, by limit; empty if there is none."""
    words = [word for size in sizing.sizes if (word := _setting(size))]
    return dict(word.split("=", 1) for word in words)


def _setting(size: Size) -> str:
    """Return a change as `vmtop set` takes it; empty if there is none, or none that it could make."""
    if size.advice not in (Advice.LESS, Advice.MORE) or size.fits is None or size.by_hand:
        return ""
    value = f"{int(size.fits // _MIB)}M" if size.resource is Resource.MEMORY else f"{size.fits:g}"
    return f"{size.resource}={value}"


def document(sizes: Sizes) -> dict[str, object]:
    """Return everything as plain values. What is not known is null."""
    return {
        "schema": SIZES_SCHEMA,
        "headroom": sizes.headroom,
        "from": timestamp(sizes.span[0]),
        "to": timestamp(sizes.span[1]),
        "workloads": [_described(sizing, sizes) for sizing in sizes.sizings],
        "hosts": [
            {
                "host": name or LOCAL_HOST,
                "frees_cores": round(freed.cores, 3),
                "frees_memory_bytes": round(freed.memory_bytes),
                "cores": freed.of_cores or None,
                "memory_bytes": freed.of_memory_bytes or None,
            }
            for name, freed in sizes.freed.items()
        ],
    }


def _described(sizing: Sizing, sizes: Sizes) -> dict[str, object]:
    workload = sizing.workload
    return {
        "host": workload.id.host or None,
        "kind": str(workload.kind),
        "engine": workload.id.engine,
        "id": workload.id.id,
        "name": workload.name,
        "seconds": round(sizing.seconds, 3),
        "restarts": sizing.restarts,
        "weak_evidence": list(sizing.weak),
        "sizes": [_size(size) for size in sizing.sizes],
        "as_other_kind": _other_kind(workload, sizes.others.get(workload.id)),
    }


def _other_kind(workload: Workload, fact: Fact | None) -> dict[str, object] | None:
    if workload.kind not in OTHER or fact is None:
        return None
    weight = round(fact.value) if isinstance(fact.value, float) else None
    reason = {"how": fact.how} if weight is not None else {"why_not": fact.how}
    return {"kind": str(OTHER[workload.kind]), "memory_bytes": weight, **reason}


def _size(size: Size) -> dict[str, object]:
    used = size.used._asdict() if size.used is not None else dict.fromkeys(Used._fields)
    numbers = {"has": size.has, **used, "fits": size.fits}
    digits = digits_of(Unit.BYTES if size.resource is Resource.MEMORY else None)
    return {
        "resource": str(size.resource),
        "unit": str(size.resource.unit),
        **{key: None if value is None else round(value, digits) for key, value in numbers.items()},
        "frees": round(size.frees, digits),
        "advice": str(size.advice),
        "why": size.why,
        "notes": list(size.notes),
        "by_hand": size.by_hand if _is_by_hand(size) else None,
    }


def as_csv(sizes: Sizes) -> str:
    """Return a header and a line for each resource of each workload; absent values are empty."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerows(_csv_rows(sizes))
    return output.getvalue()


def _csv_rows(sizes: Sizes) -> Iterator[list[object]]:
    facts, numbers = ("host", "kind", "engine", "id", "name"), ("has", *Used._fields, "fits", "frees")
    yield [*facts, "resource", "unit", *numbers, "advice", "why", "weak_evidence", "as_other_kind_bytes"]
    for sizing in sizes.sizings:
        told = _described(sizing, sizes)
        other = sizes.others.get(sizing.workload.id)
        weight = round(other.value) if other is not None and isinstance(other.value, float) else None
        for size in map(_size, sizing.sizes):
            weak, is_memory = "; ".join(sizing.weak), size["resource"] == Resource.MEMORY
            values = [size[key] for key in ("resource", "unit", *numbers, "advice", "why")]
            yield [*(told[key] for key in facts), *values, weak, weight if is_memory else None]
