"""A source to run, as the command line says it. Imports nothing heavy: the screen paints before it reads."""

from __future__ import annotations

from dataclasses import dataclass, field

REMOTE = "remote"
"""The name of every source that reads another host; its spec's label is the host's name."""


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """A source to run: its name, which selects its class, and the options it is created with."""

    name: str
    options: dict[str, object] = field(default_factory=dict)
    label: str = ""
    """Name in the header when one kind of source runs several times."""
