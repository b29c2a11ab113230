"""Writes `docs/engines.md` from the registry of engines; run by `make docs-generate`."""

from __future__ import annotations

from collectors.engines.access import EngineAccess
from collectors.engines.base import Engine
from collectors.engines.registry import ENGINES

_HEAD = """# Engines

This page is generated from `collectors/engines/registry.py` by `make docs-generate`.

vmtop finds virtual machines and containers by their control groups and processes, whatever runs them: CPU, memory,
disk and network come from the kernel. An engine adds what only it knows. One that is not on the host costs nothing, and
several at once are normal. `vmtop doctor` says which of them this host has, and what is missing.
"""
_COLUMNS = ("engine", "shows", "actions", "on demand", "needs", "tested on")
_ON_DEMAND = {
    "open_log": "logs",
    "open_console": "console",
    "run_command": "exec",
    "raw_description": "inspect",
}
"""Methods of an `EngineAccess`, and what a user gets where an engine overrides them."""


def markdown() -> str:
    """Return the whole page as Markdown."""
    rows = [_row(_COLUMNS), _row(["---"] * len(_COLUMNS))]
    return _HEAD + "\n" + "".join([*rows, *(_row(_cells(engine)) for engine in shown_engines())])


def shown_engines() -> list[Engine]:
    """Return the engines that real workloads have."""
    return [engine for engine in ENGINES if not engine.is_simulated]


def _cells(engine: Engine) -> list[str]:
    about = engine.about
    return [
        f"**{about.title}**",
        about.shows,
        ", ".join(engine.verbs) or "none",
        ", ".join(_on_demand(engine)) or "none",
        about.needs,
        about.tested_on,
    ]


def _on_demand(engine: Engine) -> list[str]:
    access = type(engine.connect([]))
    return [word for name, word in _ON_DEMAND.items() if getattr(access, name) is not getattr(EngineAccess, name)]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "".join(f"| {cell} " for cell in cells) + "|\n"
