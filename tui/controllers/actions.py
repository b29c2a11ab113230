"""From a key to a confirmed action and its outcome: the menu, the confirmation, the lock, the notifications."""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from textual.message import Message

from collectors.actions.confirmation import CAN_WAIT
from collectors.actions.look import Looker
from collectors.actions.outcome_words import label
from collectors.actions.protection import Protection
from collectors.actions.rules import state_forbids, why_not
from collectors.actions.runner import Action, Runner
from collectors.actions.verbs import VERBS
from collectors.model.actions import AfterTimeout, Look, Request, Result, Verb
from collectors.model.wording import some
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.configuration.config import config_file
from tui.controllers.background import run_blocking
from tui.controllers.limits import LimitsController
from tui.controllers.own_commands import OwnCommandRunner
from tui.controllers.services import Services

if TYPE_CHECKING:
    from textual.app import App

    from tui.dialogs.action_menu import ActionMenu, Entry
    from tui.dialogs.confirm_action import Question

log = logging.getLogger(__name__)

_PATIENCE_S = 0.4
"""Seconds to wait for an engine before notifying the user."""
_NOTIFIED_SINGLY = 8
"""With more actions than this, one notification reports all successes."""
_SEVERITIES = {
    Result.DONE: "information",
    Result.ALREADY: "information",
    Result.TIMED_OUT: "warning",
    Result.GONE: "warning",
    Result.CHANGED: "warning",
    Result.UNKNOWN: "warning",
}
_LIMITS = "limits"
"""The menu's answer for the form of limits."""
_OWN = "own:"
"""What begins the menu's answer for one of the user's own commands; its number follows."""
_DIGITS = 9
_ANSWER_S = 30.0
"""Time-out in seconds for verbs without a graceful phase, such as start, pause and kill."""
LOCKED = "actions are locked; L unlocks them"


class ActionChanged(Message):
    """An action started, changed its phase, or ended."""

    def __init__(self, action: Action) -> None:
        super().__init__()
        self.action = action
        self.phase = action.phase
        self.outcome = action.outcome
        """Outcome when this message was sent; the action may have changed since. `None` while it has no outcome."""


class ActionController:
    """Connects the user to the runner: menu, confirmation, lock, notifications.

    Args:
        app: Shows the menus and notifications.
        runner: Carries out actions.
        protection: Knows which workloads are protected from accidental actions.
        services: The configuration (time-outs) and the connections to the engines.
    """

    def __init__(
        self,
        app: App[int],
        runner: Runner,
        protection: Protection,
        services: Services,
    ) -> None:
        self.runner = runner
        self._app = app
        self._bulk: list[Action] = []
        self._unreported: set[Action] = set()
        """Bulk actions whose outcome has not been shown yet."""
        self.protection = protection
        self._looker = Looker(runner, protection)
        self._services = services
        self.limits = LimitsController(app, runner, self._looker, services)
        self.own = OwnCommandRunner(app, runner, services.config.commands, services.connections.is_simulated)
        runner.on_change(self._pass_on)

    @property
    def is_locked(self) -> bool:
        return self.runner.is_locked

    def toggle_lock(self) -> None:
        """Lock or unlock actions."""
        self.runner.is_locked = not self.runner.is_locked
        word = "locked" if self.runner.is_locked else "unlocked: x acts on workloads"
        self._app.notify(f"Actions are {word}", timeout=3)

    def _pass_on(self, action: Action) -> None:
        self._app.post_message(ActionChanged(action))

    async def act(
        self,
        workloads: Sequence[Workload],
        all_workloads: Collection[Workload],
        verb: Verb | None = None,
        title: str = "",
    ) -> None:
        """Open the menu for some workloads, confirm, and submit.

        Args:
            workloads: The targets.
            all_workloads: All current workloads; those that run inside a target are affected too.
            verb: What to do; `None` asks with the menu.
            title: Title of the menu; by default, what the targets are.
        """
        from tui.dialogs.confirm_action import ConfirmAction

        if verb is not None and self.is_locked:
            self._app.notify(f"{LOCKED[0].upper()}{LOCKED[1:]}.", severity="warning", timeout=4)
            return
        looks = asyncio.ensure_future(self._look_at_all(workloads, all_workloads))
        try:
            choice = verb or await self._app.push_screen_wait(self._menu(workloads, title))
            if choice is None:
                return
            if choice == _LIMITS:
                await self.limits.open_limits(workloads[0], all_workloads)
                return
            if choice.startswith(_OWN):
                await self.run_own(int(choice.removeprefix(_OWN)), workloads)
                return
            question = self._ask(Verb(choice), workloads, await self._with_patience(looks))
        finally:
            looks.cancel()
        if not question.requests:
            self._app.notify("; ".join(question.skipped), title="Nothing to do", severity="warning", markup=False)
            return
        confirmed = await self._app.push_screen_wait(ConfirmAction(question)) or ()
        actions = [self.runner.submit(request) for request in confirmed]
        if len(actions) > _NOTIFIED_SINGLY:
            self._bulk, self._unreported = actions, set(actions)

    def report(self, change: ActionChanged) -> None:
        """Notify the user of an outcome, or that it is not known yet."""
        action = change.action
        outcome = change.outcome
        if outcome is not None and action in self._unreported:
            self._unreported.discard(action)
            if not self._unreported:
                self._report_bulk()
            if outcome.result is Result.DONE:
                return
        if outcome is not None:
            remedy = f" (fix: {outcome.remedy})" if outcome.remedy else ""
            message = f"{outcome.sentence} ({outcome.seconds:.1f} s){remedy}"
            severity = _SEVERITIES.get(outcome.result, "error")
            self._app.notify(message, severity=severity, timeout=6, markup=False)  # type: ignore[arg-type]
        elif change.phase == "outcome unknown":
            message = f"{action.name}: lost contact with the engine; checking the outcome"
            self._app.notify(message, severity="warning", timeout=6, markup=False)

    def _report_bulk(self) -> None:
        """Report the successes of a bulk action in one line."""
        done = sum(1 for action in self._bulk if action.outcome is not None and action.outcome.result is Result.DONE)
        message = f"{self._bulk[0].request.verb}: {done} of {len(self._bulk)} done; A lists each one"
        self._app.notify(message, timeout=8, markup=False)

    def _menu(self, workloads: Sequence[Workload], title: str) -> ActionMenu:
        from tui.dialogs.action_menu import ActionMenu

        kind = _common_kind(workloads)
        entries = [self._entry(verb, workloads, kind) for verb in Verb]
        entries.append(self._limits_entry(workloads))
        own = [self._own_entry(index, workloads) for index in self._own_indices(workloads)]
        return ActionMenu(title or _targets_label(workloads), entries, LOCKED if self.is_locked else "", own)

    def _limits_entry(self, workloads: Sequence[Workload]) -> Entry:
        from tui.dialogs.action_menu import Entry

        if len(workloads) != 1:
            return Entry(_LIMITS, "m", "limits", "of one workload at a time", False)
        is_active = workloads[0].state.is_active
        note = "CPU, memory, disk, network, tasks; now, new, used" if is_active else f"it is {workloads[0].state}"
        return Entry(_LIMITS, "m", "limits", note, is_active)

    def _own_indices(self, workloads: Sequence[Workload]) -> list[int]:
        """Return the indices of the user's own commands that are for at least one of some workloads."""
        commands = enumerate(self.own.commands)
        return [index for index, command in commands if any(map(command.is_for, workloads))]

    def _own_entry(self, index: int, workloads: Sequence[Workload]) -> Entry:
        from tui.dialogs.action_menu import Entry

        command = self.own.commands[index]
        reason = self._why_not_own(index, workloads)
        key = str(index + 1) if index < _DIGITS else ""
        return Entry(f"{_OWN}{index}", key, command.label, reason or shlex.join(command.run), not reason)

    def _why_not_own(self, index: int, workloads: Sequence[Workload]) -> str:
        if len(workloads) != 1:
            return "for one workload at a time"
        command, workload = self.own.commands[index], workloads[0]
        if not command.is_safe and (reason := self.protection.reason(workload)):
            return f"protected: {reason} (exceptions: allow_protected in {config_file()})"
        return self.own.objection(command, workload)

    async def run_own(self, index: int, workloads: Sequence[Workload]) -> None:
        """Run one of the user's own commands, or notify the user why not."""
        command = self.own.commands[index]
        if reason := self._why_not_own(index, workloads):
            self._app.notify(f"{command.label}: {reason}", severity="warning", timeout=6, markup=False)
        else:
            await self.own.run(command, workloads[0])

    def _entry(self, verb: Verb, workloads: Sequence[Workload], kind: Kind | None) -> Entry:
        from tui.dialogs.action_menu import Entry

        reasons = [self._why_not(verb, workload) for workload in workloads]
        possible = reasons.count("")
        word, key = label(verb, kind), VERBS[verb].key
        if not possible:
            return Entry(verb, key, word, next(iter(dict.fromkeys(reasons))), False)
        note = f"possible for {possible} of {len(workloads)}" if len(workloads) > 1 else VERBS[verb].hint
        if self.is_locked:
            locked = f"{note}, but locked" if len(workloads) > 1 else "possible, but locked"
            return Entry(verb, key, word, locked, False)
        return Entry(verb, key, word, note, True)

    def _why_not(self, verb: Verb, workload: Workload, look: Look | None = None) -> str:
        if reason := why_not(verb, workload):
            return reason
        if reason := self._protected(workload) if look is None else look.protected:
            place = f"the configuration of {workload.id.host}" if workload.id.host else config_file()
            return f"protected: {reason} (exceptions: allow_protected in {place})"
        action = self.runner.running().get(workload.id)
        return f"{action.request.verb} in progress" if action else ""

    def _protected(self, workload: Workload) -> str:
        """Return what can be said of a workload's protection without looking; another host decides when it has."""
        return "" if workload.id.host else self.protection.reason(workload)

    def _ask(
        self,
        verb: Verb,
        workloads: Sequence[Workload],
        looks: dict[WorkloadId, Look],
    ) -> Question:
        from tui.dialogs.confirm_action import Question

        requests: list[Request] = []
        skipped: list[str] = []
        warnings: list[str] = []
        for workload in workloads:
            look = looks.get(workload.id, Look(None, "the engine has not answered yet"))
            reason = self._why_not(verb, workload, look)
            if not reason and look.seen is not None:
                reason = state_forbids(verb, look.seen.state)
            if reason:
                skipped.append(f"{workload.name}: {reason}")
                continue
            if look.seen is None:
                warnings.append(f"{workload.name}: {look.problem}")
            timeout = self._services.config.actions.timeout_s.of(workload.kind) if verb in CAN_WAIT else _ANSWER_S
            by_id = self._services.connections.needs_id(workload)
            address = self._services.connections.command_address(workload)
            requests.append(
                Request(
                    verb, workload, timeout, AfterTimeout.FORCE, look.seen, look.nested, by_id, look.dependents, address
                )
            )
        chosen = [request.workload for request in requests]
        word = label(verb, _common_kind(chosen)).capitalize()
        return Question(f"{word} {_targets_label(chosen)}?", word, requests, skipped, warnings)

    async def _look_at_all(
        self, workloads: Sequence[Workload], all_workloads: Collection[Workload]
    ) -> dict[WorkloadId, Look]:
        looks = await asyncio.gather(*(self._look(workload, all_workloads) for workload in workloads))
        return {workload.id: look for workload, look in zip(workloads, looks, strict=True)}

    async def _look(self, workload: Workload, all_workloads: Collection[Workload]) -> Look:
        return await run_blocking(lambda: self._looker.look(workload, all_workloads))

    async def _with_patience(self, looks: asyncio.Future[dict[WorkloadId, Look]]) -> dict[WorkloadId, Look]:
        done, _ = await asyncio.wait([looks], timeout=_PATIENCE_S)
        if not done:
            self._app.notify("checking the current state ...", timeout=3)
        return await looks


def _common_kind(workloads: Sequence[Workload]) -> Kind | None:
    kinds = {workload.kind for workload in workloads}
    return kinds.pop() if len(kinds) == 1 else None


def _targets_label(workloads: Sequence[Workload]) -> str:
    """Return the name of a single workload, or the number of workloads by kind; and on which other hosts they are."""
    place = _place(workloads)
    if len(workloads) == 1:
        return f"{_word(workloads[0].kind, 1)} {workloads[0].name}{place}"
    counts = {kind: sum(workload.kind is kind for workload in workloads) for kind in Kind}
    return ", ".join(f"{count} {_word(kind, count)}" for kind, count in counts.items() if count) + place


def _place(workloads: Sequence[Workload]) -> str:
    hosts = list(dict.fromkeys(workload.id.host for workload in workloads))
    if not any(hosts):
        return ""
    return f" on {some([host or 'this host' for host in hosts])}"


def _word(kind: Kind, count: int) -> str:
    """Return a kind as a word of a sentence."""
    return ("VM" if kind is Kind.VM else kind.value) + ("s" if count > 1 else "")
