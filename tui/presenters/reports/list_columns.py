"""The columns of `vmtop list`: facts of a workload as text, and metrics; by the names that `--columns` takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from collectors.analysis.rates import Reading
from collectors.model.metrics import ALIASES, METRICS
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_text
from collectors.safety.sanitize import sanitize
from tui.presenters.formatting import state_text, text

_NUMBER_WIDTH = 5


def _state(workload: Workload) -> str:
    """Return the state, with the reason where a user has to act in another way because of it."""
    return state_text(workload) if workload.is_faulted or workload.state_reason == "saved" else workload.state.value


FACTS: dict[str, Callable[[Workload], str]] = {
    "host": lambda workload: workload.host_name,
    "name": lambda workload: workload.name,
    "kind": lambda workload: workload.kind,
    "engine": lambda workload: workload.id.engine,
    "state": _state,
    "id": lambda workload: workload.short_id,
    "image": lambda workload: redact_text(workload.image or ""),
    "project": lambda workload: workload.project or "",
    "health": lambda workload: workload.health or "",
    "ports": lambda workload: workload.ports or "",
    "ip": lambda workload: ", ".join(workload.addresses),
    "restarts": lambda workload: "" if workload.restarts is None else str(workload.restarts),
    "exit": lambda workload: "" if workload.exit_code is None else str(workload.exit_code),
    "reason": lambda workload: workload.state_reason or "",
    "endpoint": lambda workload: workload.endpoint,
}
"""Texts of a workload; absent ones are empty."""


@dataclass(frozen=True, slots=True)
class ListColumn:
    """One column: a fact, or a metric."""

    key: str
    """A key of FACTS or METRICS."""

    @property
    def is_metric(self) -> bool:
        """Whether its cells are numbers."""
        return self.key in METRICS

    @property
    def label(self) -> str:
        """The header."""
        return METRICS[self.key].label if self.is_metric else self.key.upper()

    def cell(self, reading: Reading) -> str:
        """Return the text of a cell; `-` where there is none."""
        if self.is_metric:
            return text(reading.value(self.key), METRICS[self.key].unit, _NUMBER_WIDTH).strip()
        return FACTS[self.key](reading.workload) or "-"


class UnknownColumn(ValueError):
    """There is no column of that name; the message is one sentence for the user."""


def column_names() -> list[str]:
    """Return the names that `parse_columns` takes, facts first, without the long names of metrics."""
    return [*FACTS, *ALIASES]


def parse_columns(typed: str) -> tuple[ListColumn, ...]:
    """Return the columns of a list of names, such as `name,cpu,mem`: facts, and metrics by alias or key.

    Raises:
        UnknownColumn: There is no such column, or none was named.
    """
    names = [name.strip().lower() for name in typed.split(",") if name.strip()]
    if not names:
        raise UnknownColumn("no column is named")
    return tuple(ListColumn(_key(name)) for name in dict.fromkeys(names))


def _key(name: str) -> str:
    key = ALIASES.get(name, name)
    if key in FACTS or key in METRICS:
        return key
    close = get_close_matches(name, [*column_names(), *METRICS], 1, 0.5)
    meant = f"did you mean {close[0]!r}?" if close else f"columns are {', '.join(column_names())}"
    raise UnknownColumn(f"there is no column {sanitize(name, 40)!r}; {meant}")


HOST = ListColumn("host")
DEFAULT: Sequence[ListColumn] = tuple(
    ListColumn(key)
    for key in ("name", "kind", "engine", "state", *(key for key, metric in METRICS.items() if metric.is_default))
)
"""What `vmtop list` shows without `--columns`; with several hosts, HOST before it."""
