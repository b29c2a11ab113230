"""Types of settings: what a value may be, in TOML and on the command line, and how that is put in words.

Imports nothing heavy: the command line is built from the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


class ValueType(Protocol):
    """What a setting may be."""

    def check(self, value: object) -> Any:
        """Return the value in its normal form.

        Raises:
            ValueError: It is not allowed; the message says what is, as in `has to be true or false`.
        """

    def written(self, value: Any) -> Any:
        """Return a value in its normal form as it is written in the file."""

    def schema(self) -> dict[str, Any]:
        """Return its JSON schema."""


@dataclass(frozen=True, slots=True)
class Switch:
    """`true` or `false`."""

    def check(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError("has to be true or false")
        return value

    def written(self, value: Any) -> Any:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "boolean"}


@dataclass(frozen=True, slots=True)
class Number:
    """A number in a range, whose bounds belong to it."""

    least: float
    most: float
    is_whole: bool = False

    def check(self, value: object) -> float:
        is_number = isinstance(value, int) or (isinstance(value, float) and not self.is_whole)
        if not is_number or isinstance(value, bool) or value != value:  # NaN differs from itself
            raise ValueError(f"has to be a {'whole ' if self.is_whole else ''}number{self._range()}")
        assert isinstance(value, int | float)  # noqa: S101  # checked above
        if not self.least <= value <= self.most:
            raise ValueError(f"has to be{self._range()}")
        return int(value) if self.is_whole else float(value)

    def _range(self) -> str:
        return f" from {self.least:g} to {self.most:g}"

    def written(self, value: Any) -> Any:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "integer" if self.is_whole else "number", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True, slots=True)
class Words:
    """A text; `parse` may refuse it with a ValueError."""

    parse: Callable[[str], str] = str

    def check(self, value: object) -> str:
        if not isinstance(value, str):
            raise ValueError('has to be text, in quotes: "..."')
        return self.parse(value)

    def written(self, value: Any) -> Any:
        return value

    def schema(self) -> dict[str, Any]:
        return {"type": "string"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One of some words, which may be written in other ways too.

    Args:
        words: Returns all words that can be written, each with its normal form.
    """

    words: Callable[[], dict[str, str]]

    def check(self, value: object) -> str:
        words = self.words()
        if isinstance(value, str) and value in words:
            return words[value]
        raise ValueError(f"has to be {one_of(list(words), value)}")

    def written(self, value: Any) -> str:
        return next((word for word, meaning in self.words().items() if meaning == value), str(value))

    def schema(self) -> dict[str, Any]:
        return {"enum": list({meaning: word for word, meaning in reversed(self.words().items())}.values())[::-1]}


@dataclass(frozen=True, slots=True)
class Several:
    """A list of values of one type."""

    item: ValueType
    least: int = 0

    def check(self, value: object) -> tuple[Any, ...]:
        if not isinstance(value, Sequence) or isinstance(value, str) or len(value) < self.least:
            raise ValueError('has to be a list: ["...", "..."]' + (f" of at least {self.least}" if self.least else ""))
        return tuple(self._item(index, item) for index, item in enumerate(value, 1))

    def _item(self, number: int, value: object) -> Any:
        try:
            return self.item.check(value)
        except ValueError as error:
            raise ValueError(f"cannot be used: its item {number} {error}") from None

    def written(self, value: Any) -> list[Any]:
        return [self.item.written(item) for item in value]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "items": self.item.schema(), "minItems": self.least}


_LISTED = 12


def one_of(words: Sequence[str], value: object) -> str:
    """Return the allowed words, as in `one of "a", "b"`; of very many, the one most like the value."""
    if len(words) <= _LISTED:
        return "one of " + ", ".join(f'"{word}"' for word in words)
    return f"one of {len(words)} words{meant(str(value), words) or f', such as {words[0]!r}'}"


def checked_values(
    table: Mapping[str, Any], checks: Mapping[str, Callable[[Any], Any]]
) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the values of a table of the user's own, and by key what is wrong with the others.

    Args:
        table: The keys and values as they are written.
        checks: The keys that there are, and what checks or turns their values; it raises ValueError.
    """
    values: dict[str, Any] = {}
    mistakes: dict[str, str] = {}
    for key, value in table.items():
        if key not in checks:
            mistakes[key] = f"is unknown{meant(key, list(checks))}"
            continue
        try:
            values[key] = checks[key](value)
        except ValueError as error:
            mistakes[key] = str(error)
    return values, mistakes


def meant(word: str, words: Sequence[str]) -> str:
    """Return `; did you mean 'interval'?`; empty if no word is like it."""
    from difflib import get_close_matches  # late: the command line starts with this module

    matches = get_close_matches(word, words, 1, 0.6)
    return f"; did you mean {matches[0]!r}?" if matches else ""
