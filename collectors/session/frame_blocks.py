"""The samples of a frame line: checked when the line is read, made when they are asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any, NamedTuple

import msgspec

from collectors.model.workloads import Frame, Sample, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.session.format import COLUMNS, Block, is_counter

COLUMN_INDEXES = {name: index for index, name in enumerate(COLUMNS)}


class CheckedBlock:
    """A block that is complete, and its samples. A block that repeats the previous frame's is the same object.

    Args:
        block: A block with one value per row in every column.
    """

    __slots__ = ("_samples", "block")

    def __init__(self, block: Block) -> None:
        self.block = block
        self._samples: list[Sample] | None = None

    @property
    def samples(self) -> list[Sample]:
        """One per row; the same objects each time."""
        if self._samples is None:
            self._samples = list(_rows(self.block))
        return self._samples


class UnmadeFrame(NamedTuple):
    """A frame whose line was checked as a whole, and whose samples are not made yet: they are most of what it costs."""

    without_samples: Frame
    blocks: Sequence[CheckedBlock]
    identities: dict[int, WorkloadId]
    """Of the workloads, by their numbers; every row of the blocks has one."""

    @property
    def wall(self) -> float:
        """Wall time of the frame."""
        return self.without_samples.wall

    def make(self) -> Frame:
        """Return the frame with its samples."""
        by_number: dict[int, tuple[Sample, ...]] = {}
        for checked in self.blocks:
            for number, sample in zip(checked.block.rows, checked.samples, strict=True):
                by_number[number] = (*by_number.get(number, ()), sample)
        samples = {self.identities[number]: taken for number, taken in by_number.items()}
        return msgspec.structs.replace(self.without_samples, samples=samples)


def completed(block: Block, previous: Block | None) -> Block:
    """Fill in what is the same as in the previous frame. Columns that this version does not know are dropped."""
    block.columns = {name: column for name, column in block.columns.items() if name in COLUMN_INDEXES}
    if previous is not None and previous.rows == block.rows:
        block.offset_ns = block.offset_ns if block.offset_ns is not None else previous.offset_ns
        block.epoch = block.epoch if block.epoch is not None else previous.epoch
        gauges = {name: column for name, column in previous.columns.items() if not is_counter(name)}
        block.columns = gauges | block.columns
    return block


def problem_of(block: Block) -> str:
    """Return why a block that was completed cannot be read; empty if every column has one value per row."""
    count = len(block.rows)
    if len(set(block.rows)) != count:
        return f"the samples of {sanitize(block.source)!r} list a workload twice"
    if block.offset_ns is None or block.epoch is None:
        return f"the samples of {sanitize(block.source)!r} have no timestamps"
    columns = [column for column in block.columns.values() if column is not None]
    if {len(block.offset_ns), len(block.epoch), *map(len, columns)} != {count}:
        return f"the columns of {sanitize(block.source)!r} differ in length"
    return ""


def _rows(block: Block) -> Iterable[Sample]:
    columns: list[Iterable[Any]] = [repeat(None)] * len(COLUMNS)
    for name, column in block.columns.items():
        if column is not None:
            columns[COLUMN_INDEXES[name]] = column
    instants = [block.at_ns + offset for offset in block.offset_ns or ()]
    return map(Sample, repeat(sanitize(block.source)), instants, block.epoch or (), *columns)
