"""An option of a command as a row of the configuration; the command line makes the rows from its commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class OptionRow(NamedTuple):
    """One option."""

    key: str
    help: str
    metavar: str
    """What stands for its value where there is no default."""
    default: Any
    """As it is written in the file; `None` if there is none."""
    schema: dict[str, Any]


OptionTables = Mapping[str, Sequence[OptionRow]]
"""The rows by the table in which they stand."""
