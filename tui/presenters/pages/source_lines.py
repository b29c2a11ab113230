"""The lines of a page about one source."""

from __future__ import annotations

from rich.text import Text

from collectors.model.workloads import SourceState


def add_source(page: Text, state: SourceState, at_ns: int, indent: str = "") -> None:
    """Add a source: its state, the reason, how to fix it, and what its last reading took.

    Args:
        page: What it is added to.
        state: The source's state.
        at_ns: The monotonic instant of the moment, in ns.
        indent: What stands before each line.
    """
    page.append(f"{indent}{state.name}: ", style="bold").append(
        f"{state.availability}{f', {state.detail}' if state.detail else ''}\n"
    )
    if state.reason:
        page.append(f"{indent}  {state.reason}\n")
    if state.remedy:
        page.append(f"{indent}  fix: {state.remedy}\n")
    if state.read_at_ns is not None:
        age = max(0.0, (at_ns - state.read_at_ns) / 1e9)
        cost = (state.cost_ns or 0) / 1e6
        page.append(f"{indent}  last reading {age:.1f} s ago, it took {cost:.1f} ms\n", style="dim")
    if state.daemon_cores is not None:
        page.append(f"{indent}  its daemon used {state.daemon_cores:.2%} of a core to answer\n", style="dim")
