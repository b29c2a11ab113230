"""The type of `--max`: a quantity and the most that may be used of it, `mem=2G`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import click

from tui.cli.types import SizeType

if TYPE_CHECKING:
    from collectors.running.budget import Limit

_SIZE = SizeType()


class LimitType(click.ParamType):  # type: ignore[type-arg,unused-ignore]  # generic only since click 8.4
    """A limit: sizes as `2G`, times as seconds or as `5m`, the rest as numbers."""

    name = "limit"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Limit:
        """Parse it, or fail with what there is."""
        from collectors.running.budget import Limit
        from collectors.running.quantities import QUANTITIES

        if isinstance(value, Limit):
            return value
        typed = str(value)
        key, separator, most = typed.partition("=")
        if not separator or key not in QUANTITIES:
            self.fail(f"{typed!r} is not QUANTITY=VALUE; quantities are {', '.join(QUANTITIES)}.", param, ctx)
        return Limit(key, self._most(key, most, param, ctx), typed)

    def _most(self, key: str, most: str, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from collectors.model.metrics import Unit
        from collectors.query.time_parser import TimeError, parse_span
        from collectors.running.quantities import QUANTITIES

        unit = QUANTITIES[key].unit
        if unit is Unit.BYTES:
            return float(_SIZE.convert(most, param, ctx))
        try:
            number = float(most.removesuffix("%") if unit is Unit.PERCENT else most)
        except ValueError:
            number = math.nan
        if math.isnan(number) and unit is Unit.SECONDS:
            try:
                number = parse_span(most)
            except TimeError as error:
                self.fail(f"{key}: {error}", param, ctx)
        if not 0 <= number < math.inf:
            self.fail(f"{key}={most}: the most is a number that is not negative.", param, ctx)
        return number
