"""The way back from exposed values to samples, so that the same rates are derived of both. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.exposition.families import BY_NAME, Family, Of, Type
from collectors.model.workloads import Sample

_REAL = frozenset({"cpu_limit_cores", "load_1m", "memory_report_age_s"})
"""The fields that are no whole numbers."""
_MOST = 1 << 63
"""No field is as much, and none is below zero."""


def samples_of(values: Mapping[str, float], at_ns: int, source: str, epoch: str = "") -> tuple[Sample, ...]:
    """Return the samples of one workload or host from its exposed values at one instant.

    There are two where a virtual machine's reader counts something that another one counts too, such as its CPU time:
    first what supplied most, then what belongs to the counters of the virtual CPUs.

    Args:
        values: By the family's name. Families that are not of samples, those of later versions, and values that
            no field can have are ignored.
        at_ns: The instant.
        source: For `Sample.source`; the second sample's has `-vcpus` added.
        epoch: For `Sample.epoch`.
    """
    known = [
        (family, unscaled)
        for name, value in values.items()
        if (family := _sample_family(name)) is not None and 0 <= (unscaled := value / family.scale) < _MOST
    ]
    companions = {family.beside for family, _ in known if family.beside}
    first: dict[str, float] = {}
    beside: dict[str, float] = {}
    for family, value in known:
        is_beside = bool(family.beside) or family.field in companions
        if not family.less:
            (beside if is_beside else first)[family.field] = value
    for family, value in known:
        if family.less and family.field in first:
            first[family.less] = max(0.0, first[family.field] - value)
    made = [_sample(first, at_ns, source, epoch)]
    if beside:
        made.append(_sample(beside, at_ns, f"{source}-vcpus", epoch))
    return tuple(made)


def _sample_family(name: str) -> Family | None:
    family = BY_NAME.get(name)
    is_value = family is not None and family.field and not family.from_workload and family.type is not Type.INFO
    return family if is_value and family is not None and family.of in (Of.WORKLOAD, Of.HOST) else None


def _sample(fields: Mapping[str, float], at_ns: int, source: str, epoch: str) -> Sample:
    values = {name: value if name in _REAL else round(value) for name, value in fields.items()}
    return Sample(source=source, at_ns=at_ns, epoch=epoch, **values)  # type: ignore[arg-type]  # as annotated
