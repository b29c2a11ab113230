"""Where the lines of an open file begin and end, found in blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator

_BLOCK = 64 * 1024
_FARTHEST = 16 << 20
"""Bytes that are searched backwards for the beginning of a line; one that is longer is shown in pieces."""


def starts_before(file: int, end: int) -> Iterator[int]:
    """Yield the offsets at which the lines before an offset start, last line first.

    Args:
        file: The descriptor.
        end: Where a line starts, or the file ends.
    """
    start = latest = max(0, end - 1)  # a newline there ends the last line
    while start > 0:
        size = min(_BLOCK, start)
        start -= size
        block = os.pread(file, size, start)
        newline = len(block)
        while (newline := block.rfind(b"\n", 0, newline)) >= 0:
            latest = start + newline + 1
            yield latest
        if latest - start > _FARTHEST and start > 0:
            latest = start
            yield latest
    if end > 0:
        yield 0


def end_of_line(file: int, offset: int) -> int:
    """Return the offset of the line after the one at an offset; the end of the file after an unfinished one."""
    while block := os.pread(file, _BLOCK, offset):
        newline = block.find(b"\n")
        if newline >= 0:
            return offset + newline + 1
        offset += len(block)
    return offset
