"""The options of the live screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ScreenOptions:
    """The screen's options: from the command line, the configuration, or the last run."""

    interval_s: float = 1.0
    """Seconds between frames."""
    read_only: bool = False
    """Start with actions locked."""
    only: str | None = None
    """A `Kind`: show no other."""
    filter_text: str = ""
    """A filter that has been parsed once without an error."""
    ascii: bool = False
    """Draw with ASCII only."""
    mouse: bool = True
    is_demo: bool = False
    """The workloads do not exist."""
    record: Path | None = None
    """Record into this file from the start."""
    has_spool: bool = True
    """Keep the session so far, for snapshots and for going back in time."""
    is_steady: bool = False
    """The interval was given by the user, and is kept whatever it costs."""
    sort: str = "cpu_percent"
    """A key of `table_state.SORTS`."""
    is_reversed: bool = False
    order: str = "10s"
    """A `Smoothing`."""
    columns: tuple[str, ...] = ()
    """Keys of columns, in order; empty for those that vmtop chooses."""
    show_all: bool = False
    """Show stopped workloads too."""
    is_tree: bool = False
    scale: str = "core"
    """A `Scale`."""
    has_large_panes: bool = False
    own_columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The user's sets of columns, by name."""
    theme: str = "auto"
    """A theme: `auto`, one of vmtop's, or the name of the user's own."""
