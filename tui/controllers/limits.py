"""Limits from the screen: the form of one workload, and what it uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from collectors.actions.limits.setter import Setter
from collectors.actions.limits.words import parse_changes
from collectors.actions.look import Looker
from collectors.actions.runner import Runner
from collectors.analysis.history import CAPACITY, History
from collectors.analysis.rates import Reading
from collectors.model.errors import SourceError
from collectors.model.limit_changes.outcomes import Applied
from collectors.model.limit_changes.plans import NO_USE, Plan, Use
from collectors.model.limits import Limit, LimitError, LimitKey, Way
from collectors.model.workloads import Workload
from tui.controllers.background import run_blocking
from tui.controllers.services import Services
from tui.presenters.formatting import duration
from tui.presenters.prompts.limit_lines import closed_lines, now_text, outcome_lines, plan_lines, used_text

if TYPE_CHECKING:
    from textual.app import App

    from tui.dialogs.limits_form import Ended, LimitRow, Lines, Planned

_LEAST = 20
"""Values of the past from which on a percentile says something."""
_ASKING = "Type what is to be new; none takes a limit away."


class LimitsController:
    """Opens the form.

    Args:
        app: Shows it.
        runner: Its lock, its log.
        looker: Looks at workloads before they are touched.
        services: The connections to the engines.
    """

    def __init__(self, app: App[int], runner: Runner, looker: Looker, services: Services) -> None:
        self._app, self._runner, self._services = app, runner, services
        self._setter = Setter(runner, looker, services.connections.limits)
        self.use_of: Callable[[Workload], Use] = lambda workload: NO_USE
        """Returns what a workload uses."""

    async def open_limits(
        self, workload: Workload, workloads: Collection[Workload], typed: Mapping[LimitKey, str] | None = None
    ) -> None:
        """Show the form of a workload until it is left.

        Args:
            workload: The workload.
            workloads: All current workloads, for its protection.
            typed: What the fields begin with, such as a size that would fit.
        """
        from tui.dialogs.limits_form import LimitsForm

        forbidden = "actions are locked; L unlocks them" if self._runner.is_locked else ""
        connections = self._services.connections
        way = Way(False, connections.needs_id(workload), connections.command_address(workload))
        work = OneWorkload(self._setter, workload, workloads, self.use_of(workload), way, typed or {}, forbidden)
        await self._app.push_screen_wait(LimitsForm(work))


class OneWorkload:
    """What the form does, for one workload.

    Args:
        setter: Reads, plans and sets.
        workload: The workload.
        workloads: All current workloads.
        use: What the workload uses.
        way: How a command typed by hand reaches it.
        typed: What the fields begin with.
        forbidden: Why nothing may be set; empty if it may.
    """

    def __init__(
        self,
        setter: Setter,
        workload: Workload,
        workloads: Collection[Workload],
        use: Use,
        way: Way,
        typed: Mapping[LimitKey, str],
        forbidden: str,
    ) -> None:
        self.title = workload.typed_name
        self._setter, self._workload, self._workloads = setter, workload, workloads
        self._use, self._way, self._typed, self._forbidden = use, way, typed, forbidden
        self._limits: list[Limit] = []
        self._plan: Plan | None = None
        self._applied: Applied | None = None

    async def read(self) -> tuple[list[LimitRow], Lines]:
        """Return the rows of the form, or none and why."""
        try:
            limits = await run_blocking(partial(self._setter.read_limits, self._workload))
        except SourceError as error:
            return [], [(error.reason, "bad"), *([(f"fix: {error.remedy}", "muted")] if error.remedy else [])]
        self._limits = list(limits.values())
        return [self._row(limit) for limit in self._limits], []

    def _row(self, limit: Limit) -> LimitRow:
        from tui.dialogs.limits_form import LimitRow

        note = limit.objection or used_text(limit.key, self._use)
        is_open = not (limit.objection or self._forbidden)
        return LimitRow(limit.key.value, now_text(limit), note, is_open, self._typed.get(limit.key, ""))

    async def plan(self, typed: Sequence[str], is_kept: bool) -> Planned:
        """Return what the words that are typed mean."""
        from tui.dialogs.limits_form import Planned

        self._plan = None
        try:
            changes = parse_changes(typed)
        except LimitError as error:
            return Planned([(str(error), "warn")], False)
        if not changes:
            return Planned([(self._forbidden or _ASKING, "muted"), *closed_lines(self._limits)], False)
        way = Way(is_kept, self._way.by_id, self._way.address)
        make = partial(self._setter.plan, self._workload, changes, self._use, way, self._workloads)
        self._plan = plan = await run_blocking(make)
        return Planned(plan_lines(plan), not plan.refusal, any(change.warnings for change in plan.changes))

    async def apply(self) -> Ended:
        """Set what was planned last."""
        assert self._plan is not None  # noqa: S101  # the form asks only for what can be set
        return await self._carry_out(partial(self._setter.apply, self._plan))

    async def undo(self) -> Ended:
        """Take back what was set."""
        assert self._applied is not None  # noqa: S101  # the form asks only for what was set
        return await self._carry_out(partial(self._setter.undo, self._applied))

    async def _carry_out(self, work: Callable[[], Applied]) -> Ended:
        from tui.dialogs.limits_form import Ended

        self._applied = applied = await run_blocking(work)
        return Ended(outcome_lines(applied), applied.can_be_undone)


def use_in(history: History, reading: Reading | None, interval_s: float) -> Use:
    """Return what a workload has used, by the history on screen; where that is short, what it uses now.

    Args:
        history: Recent values.
        reading: The newest values of the workload; `None` if it is gone.
        interval_s: Seconds between frames.
    """
    from collectors.comparison.window_statistics import statistics

    if reading is None:
        return NO_USE
    identity, pids = reading.workload.id, reading.value("pids")
    memory = statistics(history.recent(identity, "memory_host_bytes", CAPACITY))
    cpu = statistics(history.recent(identity, "cpu_percent", CAPACITY))
    has_past = memory is not None and cpu is not None and min(memory.ticks, cpu.ticks) >= _LEAST
    if memory is None or cpu is None or not has_past or reading.is_machine:  # a guest's inside has no history
        percent = reading.value("cpu_percent")
        cores, most = None if percent is None else percent / 100, cpu.max / 100 if cpu is not None else None
        return Use(reading.value("memory_inside_bytes"), None, cores, most, pids)
    span = duration(cpu.ticks * interval_s, 6).strip()
    return Use(memory.p95, memory.max, cpu.p95 / 100, cpu.max / 100, pids, f"p95 of the last {span}")
