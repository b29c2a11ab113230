"""Where each key of a TOML text stands: `tomllib` tells values only. For messages with a line, and for edits in place.

The text has to be valid: it is parsed by `tomllib` first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Path = tuple[str | int, ...]
"""The keys that lead to a value; a number is the index of an element of an array of tables."""


class Place(NamedTuple):
    """Where a key, or the heading of a table, stands."""

    line: int
    """Its line, from 1."""
    start: int
    """The value's first character, as an index into the text; of a heading, its own."""
    end: int
    """The index after its last character."""


class Places:
    """The places of a text's keys.

    Args:
        text: Valid TOML.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self.by_path: dict[Path, Place] = {}
        """Keys of inline tables are not in it."""
        self._counts: dict[Path, int] = {}
        self._table: Path = ()
        position = 0
        while (position := self._skip_blank(position)) < len(text):
            position = self._heading(position) if text[position] == "[" else self._assignment(position)

    def line(self, path: Sequence[str | int]) -> int:
        """Return the line of a key, or of the nearest table around it; 1 if there is none."""
        for length in range(len(path), 0, -1):
            if place := self.by_path.get(tuple(path[:length])):
                return place.line
        return 1

    def _skip_blank(self, position: int) -> int:
        while position < len(self._text) and self._text[position] in " \t\r\n#":
            position = self._line_end(position) if self._text[position] == "#" else position + 1
        return position

    def _line_end(self, position: int) -> int:
        end = self._text.find("\n", position)
        return len(self._text) if end < 0 else end

    def _heading(self, start: int) -> int:
        is_array = self._text.startswith("[[", start)
        opened = start + (2 if is_array else 1)
        closed = self._until(opened, "]")
        path = self._resolved(_keys(self._text[opened:closed]))
        if is_array:
            index = self._counts.get(path, 0)
            self._counts[path] = index + 1
            path = (*path, index)
        end = closed + (2 if is_array else 1)
        self._table = path
        self._note(path, start, start, end)
        return end

    def _resolved(self, keys: Sequence[str]) -> Path:
        """Return the path of keys, where an array of tables means its last element."""
        path: Path = ()
        for number, key in enumerate(keys, 1):
            path = (*path, key)
            if number < len(keys) and path in self._counts:
                path = (*path, self._counts[path] - 1)
        return path

    def _assignment(self, start: int) -> int:
        equals = self._until(start, "=")
        path = (*self._table, *_keys(self._text[start:equals]))
        value = equals + 1
        while self._text[value] in " \t":
            value += 1
        end = self._value_end(value)
        self._note(path, start, value, end)
        return end

    def _note(self, path: Path, start: int, value: int, end: int) -> None:
        self.by_path.setdefault(path, Place(self._text.count("\n", 0, start) + 1, value, end))

    def _until(self, position: int, sign: str) -> int:
        """Return the index of a sign outside quotes."""
        while self._text[position] != sign:
            position = self._string_end(position) if self._text[position] in "\"'" else position + 1
        return position

    def _value_end(self, position: int) -> int:
        """Return the index after a value: where the line or a comment begins, outside of brackets and quotes."""
        depth, end = 0, position
        while position < len(self._text):
            character = self._text[position]
            if depth == 0 and character in "#\n":
                break
            if character == "#":
                position = self._line_end(position)
                continue
            depth += (character in "[{") - (character in "]}")
            position = self._string_end(position) if character in "\"'" else position + 1
            end = end if character.isspace() else position
        return end

    def _string_end(self, position: int) -> int:
        quote = self._text[position]
        if self._text.startswith(quote * 3, position):
            end = self._closing(position + 3, quote * 3) + 3
            while self._text.startswith(quote, end):  # up to two quotes may stand before the closing three
                end += 1
            return end
        return self._closing(position + 1, quote) + 1

    def _closing(self, position: int, quotes: str) -> int:
        while not self._text.startswith(quotes, position):
            position += 2 if quotes[0] == '"' and self._text[position] == "\\" else 1
        return position


def _keys(text: str) -> list[str]:
    """Return the keys of a dotted key, each without its quotes."""
    import tomllib  # late: most runs have no configuration

    table: Any = tomllib.loads(f"{text.strip()} = 0")
    keys: list[str] = []
    while isinstance(table, dict):
        key, table = next(iter(table.items()))
        keys.append(key)
    return keys
