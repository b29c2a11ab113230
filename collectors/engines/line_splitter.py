"""Splits a stream of bytes into lines in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.model.logs import LONGEST_BYTES


class LineSplitter:
    """Collects chunks and gives the lines in them.

    Args:
        offset: Position of the first chunk in its stream, in bytes.
        longest: Bytes of a line that are kept. A longer one is given when it reaches them; the rest of it is dropped.
    """

    def __init__(self, offset: int = 0, longest: int = LONGEST_BYTES) -> None:
        self.offset = offset
        """Position of the next chunk."""
        self._longest = longest
        self._start = offset
        self._kept = bytearray()
        self._is_given = False
        """Whether the line that has not ended yet was given already."""

    @property
    def rest(self) -> bytes:
        """The kept bytes of a line that has not ended."""
        return bytes(self._kept)

    def end(self) -> Iterator[tuple[int, bytes]]:
        """End a line that has not ended; yield it unless it was given already."""
        if self._kept and not self._is_given:
            yield self._start, bytes(self._kept)
        self._begin(self.offset)

    def _begin(self, offset: int) -> None:
        self._start = offset
        self._kept.clear()
        self._is_given = False

    def feed(self, chunk: bytes) -> Iterator[tuple[int, bytes]]:
        """Take a chunk; yield each line that ends in it, without the newline, and the position of its first byte."""
        start = 0
        while start < len(chunk):
            newline = chunk.find(b"\n", start)
            end = len(chunk) if newline < 0 else newline
            self._kept += chunk[start : min(end, start + self._longest - len(self._kept))]
            if not self._is_given and (newline >= 0 or len(self._kept) == self._longest):
                self._is_given = True
                yield self._start, bytes(self._kept)
            start = end + 1
            if newline >= 0:
                self._begin(self.offset + start)
        self.offset += len(chunk)
