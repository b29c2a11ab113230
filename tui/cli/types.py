"""Types of command-line values: filters, intervals, time spans, sizes, addresses, metrics."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from tui.configuration.value_types import Number, ValueType

if TYPE_CHECKING:
    from click import ParamType
    from click.shell_completion import CompletionItem

    from collectors.exposition.web.listening import Place
    from collectors.query.filter import Query
    from tui.presenters.reports.list_columns import ListColumn
else:

    class ParamType(click.ParamType):
        """click's own class, which is generic only since click 8.4."""

        def __class_getitem__(cls, _: object) -> type:
            return cls


_LARGEST_PERCENT = 1000.0


class FilterType(ParamType["Query"]):
    """A filter expression, parsed."""

    name = "expr"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Query:
        """Parse the filter, or fail with the reason."""
        from collectors.query.filter import Query, QueryError, parse

        if isinstance(value, Query):
            return value
        try:
            return parse(value)
        except QueryError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the last word to fields and metrics; their values are not looked up."""
        from click.shell_completion import CompletionItem

        from tui.presenters.prompts.completion import completions

        return [CompletionItem(text) for text in completions(incomplete, ())]


class StrictFilterType(FilterType):
    """A filter without words that it could not have meant: one that nothing passes would go unnoticed."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Query:
        """Parse the filter, or fail with the reason."""
        from collectors.query.words import stray_word, words

        query = super().convert(value, param, ctx)
        if stray := stray_word(words(query.text), "a time is given by --for 30s"):
            self.fail(stray, param, ctx)
        return query


class ConditionType(StrictFilterType):
    """A filter that asks for something."""

    name = "condition"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Query:
        """Parse the condition, or fail with the reason."""
        query = super().convert(value, param, ctx)
        if not query.alternatives:
            self.fail("it is empty; write one such as 'cpu > 80 or state != running'", param, ctx)
        return query


class KindType(ParamType[str]):
    """A kind of workload, by its long or its short name."""

    name = "kind"

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a kind: every name that is accepted."""
        from collectors.model.workloads import KINDS_BY_NAME

        return {"enum": list(KINDS_BY_NAME)}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the long name, or fail with the names that exist."""
        from collectors.model.workloads import KINDS_BY_NAME

        if value not in KINDS_BY_NAME:
            self.fail(f"{value!r} is not one of {', '.join(map(repr, KINDS_BY_NAME))}.", param, ctx)
        return KINDS_BY_NAME[value].value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Offer every name that begins like the word."""
        from click.shell_completion import CompletionItem

        from collectors.model.workloads import KINDS_BY_NAME

        return [CompletionItem(name) for name in KINDS_BY_NAME if name.startswith(incomplete)]


class IntervalType(click.FloatRange):
    """A range of seconds; `nan` is an error."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Check the range."""
        seconds = float(super().convert(value, param, ctx))
        if math.isnan(seconds):
            self.fail(f"{value} is not in the range {self._describe_range()}.", param, ctx)
        return seconds


class SettingType(ParamType[Any]):
    """The value of a setting, as on the command line: a text, or a number."""

    name = "value"

    def __init__(self, value_type: ValueType) -> None:
        self._type = value_type

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the setting."""
        return self._type.schema()

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Check it, or fail with what is allowed."""
        number = _number(value) if isinstance(self._type, Number) and isinstance(value, str) else value
        try:
            return self._type.check(number)
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


class SpanType(ParamType[float]):
    """A span of time in seconds, greater than 0.

    Args:
        least_s: The shortest one.
    """

    name = "span"

    def __init__(self, least_s: float = 0.0) -> None:
        self._least_s = least_s

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse it, or fail with the reason."""
        from collectors.query.time_parser import TimeError, parse_span

        if isinstance(value, float):
            return value
        try:
            seconds = parse_span(str(value))
        except TimeError as error:
            self.fail(str(error), param, ctx)
        if not seconds:
            self.fail(f"{value!r} is not a duration; omit the option instead.", param, ctx)
        if seconds < self._least_s:
            self.fail(f"{value!r} is too short; the shortest is {self._least_s:g}s.", param, ctx)
        return seconds


class SinceType(ParamType[float]):
    """A time in the past, in seconds since 1970: written as a span such as `10m`, or as a time such as `03:10`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse it, or fail with the reason."""
        from collectors.query.time_parser import TimeError, parse_span, parse_time

        if isinstance(value, float):
            return value
        now, typed = time.time(), str(value)
        try:
            return now - parse_span(typed.removesuffix(" ago"))
        except TimeError:
            pass  # it is no span, and so may be a time
        try:
            return parse_time(typed, 0.0, now)
        except TimeError as error:
            self.fail(str(error), param, ctx)


class SortType(ParamType[str]):
    """A metric or a field to sort by."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that there is such a key."""
        from collectors.query.filter import QueryError
        from collectors.query.order import sort_key

        try:
            sort_key(value)
        except QueryError as error:
            self.fail(str(error), param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete short names of metrics, and fields."""
        from click.shell_completion import CompletionItem

        from collectors.model.metrics import ALIASES
        from collectors.query.filter import FIELDS, NUMBERS

        return [CompletionItem(name) for name in (*FIELDS, *NUMBERS, *ALIASES) if name.startswith(incomplete.lower())]


class ColumnsType(ParamType["tuple[ListColumn, ...]"]):
    """Names of columns, separated by commas."""

    name = "columns"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[ListColumn, ...]:
        """Parse them, or fail with the reason."""
        from tui.presenters.reports.list_columns import UnknownColumn, parse_columns

        if isinstance(value, tuple):
            return value
        try:
            return parse_columns(str(value))
        except UnknownColumn as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete the last name of the list."""
        from click.shell_completion import CompletionItem

        from tui.presenters.reports.list_columns import column_names

        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{name}") for name in column_names() if name.startswith(last.lower())]


class AddressType(ParamType[str]):
    """The address of a daemon; only its form is checked."""

    name = "url"

    def __init__(self, schemes: Sequence[str] = ()) -> None:
        self._schemes = tuple(schemes)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the address's scheme."""
        address = str(value)
        scheme, separator, rest = address.partition("://" if self._schemes else ":")
        if not scheme or not separator or not rest or not address.isprintable() or " " in address:
            examples = " or ".join(self._schemes) if self._schemes else "qemu:///system"
            self.fail(f"{address!r} is not an address; use something like {examples}.", param, ctx)
        if self._schemes and f"{scheme}://" not in self._schemes:
            self.fail(f"{address!r} has to begin with one of {', '.join(self._schemes)}.", param, ctx)
        try:
            _ = urlsplit(address).port
        except ValueError as error:
            self.fail(f"{address!r} is not an address: {error}.", param, ctx)
        return address


class SizeType(ParamType[int]):
    """A size, in bytes."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Parse a number with K, M or G."""
        if isinstance(value, int):
            return value
        size_text = str(value).strip().upper().removesuffix("IB").removesuffix("B")
        scale = 1024 ** ("KMGT".index(size_text[-1]) + 1) if size_text[-1:] in tuple("KMGT") else 1
        number = size_text.rstrip("KMGT")
        if not number.replace(".", "", 1).isdigit():
            self.fail(f"{value!r} is not a size (examples: 100M, 2G).", param, ctx)
        return int(float(number) * scale)


class ShareType(ParamType[float]):
    """A share in percent, such as `30%`, as a number of which 1 is the whole; 0 to 10."""

    name = "percent"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Parse a number with or without a percent sign."""
        number = str(value).strip().removesuffix("%").rstrip()
        if not number.replace(".", "", 1).isdigit() or not number.isascii() or float(number) > _LARGEST_PERCENT:
            self.fail(f"{str(value)!r} is not a percentage from 0% to {_LARGEST_PERCENT:.0f}%.", param, ctx)
        return float(number) / 100


class MetricType(ParamType[str]):
    """A metric, by key or short name."""

    name = "metric"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the metric's key."""
        from collectors.model.metrics import ALIASES, METRICS

        key = ALIASES.get(str(value), str(value))
        if key not in METRICS:
            self.fail(f"unknown metric {value!r}; metrics are {', '.join(ALIASES)}.", param, ctx)
        return key

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete short names of metrics."""
        from click.shell_completion import CompletionItem

        from collectors.model.metrics import ALIASES

        return [CompletionItem(name) for name in ALIASES if name.startswith(incomplete.lower())]


class PlaceType(ParamType["Place"]):
    """Where a server listens: `HOST:PORT`, `[IPv6]:PORT`, `:PORT` or `unix:/PATH`."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Place:
        """Parse the address, or fail with the forms that it can have."""
        from collectors.exposition.web.listening import Place, place_of

        if isinstance(value, Place):
            return value
        try:
            return place_of(str(value))
        except ValueError as error:
            self.fail(f"{str(value)!r}: {error}.", param, ctx)
