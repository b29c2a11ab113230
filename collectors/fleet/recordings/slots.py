"""The instants of a fleet's frames: a slot each interval, wherever a recording has frames; in blocks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import ceil
from typing import NamedTuple

from collectors.session.format import MEMBER_FRAMES, MOST_MEMBERS, SessionError


class Span(NamedTuple):
    """Wall times between which there are frames, in seconds since 1970."""

    first: float
    last: float


class Block(NamedTuple):
    """Slots that follow one another: the frames of one member of a fleet."""

    first: int
    """The first slot; slot N is at N intervals since 1970."""
    length: int


def blocks_of(spans: Iterable[Span], interval_s: float, end: float, length: int = MEMBER_FRAMES) -> list[Block]:
    """Return the blocks that cover some spans: each frame is shown at the first slot that is not before it.

    Args:
        spans: In any order; they may overlap.
        interval_s: Seconds between two slots.
        end: Wall time after which no slot is wanted.
        length: Slots of a block at most.

    Raises:
        SessionError: There are too many.
    """
    blocks: list[Block] = []
    for first, last in _joined(spans, interval_s, end):
        for start in range(first, last + 1, length):
            if len(blocks) >= MOST_MEMBERS:
                raise SessionError(
                    "the files cover too much time to be shown as one: give 'vmtop replay' fewer of them"
                )
            blocks.append(Block(start, min(length, last + 1 - start)))
    return blocks


def _joined(spans: Iterable[Span], interval_s: float, end: float) -> Iterator[tuple[int, int]]:
    """Yield the first and the last slot of the spans' union, part by part."""
    first = last = None
    last_slot = int(end / interval_s)
    for span in sorted(spans):
        start = slot_of(span.first, interval_s)
        stop = max(start, min(slot_of(span.last, interval_s), last_slot))
        if first is None or last is None:
            first, last = start, stop
        elif start <= last + 1:
            last = max(last, stop)
        else:
            yield first, last
            first, last = start, stop
    if first is not None and last is not None:
        yield first, last


def slot_of(wall: float, interval_s: float) -> int:
    """Return the first slot that is not before a wall time; times are known to a millisecond."""
    return ceil(round(wall * 1000) / (interval_s * 1000) - 1e-6)
