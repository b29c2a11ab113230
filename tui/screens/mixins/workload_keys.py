"""Workload keys of both live screens: act, lock, action log, logs, description, shell."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from collectors.actions.outcome_words import label
from collectors.actions.rules import why_not
from collectors.actions.verbs import VERBS
from collectors.model.actions import Verb
from collectors.model.workloads import Workload
from tui.controllers.actions import LOCKED, ActionController
from tui.controllers.services import Services
from tui.presenters.prompts.commands import Argument, Command, facts
from tui.screens.mixins.page_keys import PageKeys

_LOGGED = 200
"""Maximum number of actions on the action log page."""


class WorkloadKeys(PageKeys):
    """A screen with workloads to act on."""

    actions: ActionController
    services: Services
    is_ascii: bool

    def targets(self) -> list[Workload]:
        """Return the targets of an action: the marked workloads, else the workload or group under the cursor."""
        raise NotImplementedError

    def all_workloads(self) -> Collection[Workload]:
        """Return all workloads of the newest frame."""
        raise NotImplementedError

    def first_commands(self) -> Iterator[Command]:
        """Yield what can be done now with what the action menu would act on."""
        targets = self.targets()
        for verb in Verb:
            possible = sum(not why_not(verb, target) for target in targets)
            if possible and len(targets) == 1:
                words = f"{label(verb, targets[0].kind)} the {facts(targets[0])}"
                yield Command(f"{verb} {targets[0].name}", words, partial(self.act_with, verb, targets))
            elif possible:
                words = f"possible for {possible} of {len(targets)}"
                yield Command(f"{verb} {self.targets_word(targets)}", words, partial(self.act_with, verb, targets))
        yield from super().first_commands()

    def targets_word(self, targets: Sequence[Workload]) -> str:
        """Return what several targets are called in the palette, such as `2 marked`."""
        return f"{len(targets)} workloads"

    def targets_title(self, targets: Sequence[Workload]) -> str:
        """Return the title of the action menu where the targets are not what the cursor is on; else empty."""
        return ""

    def arguments(self) -> Iterator[Argument]:
        for verb in Verb:
            choices = partial(self._with_any, verb)
            yield Argument(verb, f"{verb} a workload, after a confirmation", choices, is_frequent=False)
        yield from super().arguments()

    def _with_any(self, verb: Verb, typed: str) -> Iterator[Command]:
        for workload in self.all_workloads():
            yield Command(workload.name, facts(workload), partial(self.act_with, verb, [workload]), is_name=True)

    def act_with(self, verb: Verb, targets: Sequence[Workload]) -> None:
        """Do something to workloads, after the usual confirmation."""
        self.run_worker(self.actions.act(targets, self.all_workloads(), verb), group="act", exclusive=True)

    def action_act(self) -> None:
        targets = self.targets()
        if targets:
            act = self.actions.act(targets, self.all_workloads(), title=self.targets_title(targets))
            self.run_worker(act, group="act", exclusive=True)
        else:
            self.notify(self.nothing_to_act_on(), timeout=4)

    def nothing_to_act_on(self) -> str:
        """Return why there is no target, as a sentence."""
        return "No workload here to act on."

    def action_lock(self) -> None:
        self.actions.toggle_lock()

    def action_action_log(self) -> None:
        from tui.presenters.pages.info_pages import action_page

        log = self.actions.runner.log
        running = self.actions.runner.running().values()
        under_way = [f"{VERBS[one.request.verb].gerund} {one.name} for {one.seconds():.0f} s" for one in running]
        notices = list(getattr(self.app, "notices", ()))
        page = action_page(log.recent(_LOGGED), log.path, log.problem, under_way, notices)
        self.open_panel("Actions", page)

    def action_logs(self) -> None:
        from collectors.inspection.logs import open_logs
        from tui.screens.logs.screen import LogScreen

        targets = self.targets()
        if targets:
            self.app.push_screen(
                LogScreen(targets, partial(open_logs, targets, self.services.connections), self.is_ascii)
            )
        else:
            self.notify(self.nothing_to_act_on(), timeout=4)

    def action_shell(self) -> None:
        from tui.controllers.console import open_shell

        target = self.target()
        if target is None:
            return
        if self.actions.is_locked:
            self.notify(f"A shell can change a workload: {LOCKED}.", severity="warning", timeout=4)
            return
        self.run_worker(open_shell(self.app, target, self.services.connections), group="shell", exclusive=True)

    def action_inspect(self) -> None:
        from collectors.inspection.raw_description import read_document
        from tui.screens.inspect import InspectScreen

        target = self.target()
        if target is not None:
            self.app.push_screen(
                InspectScreen(target, partial(read_document, target, self.services.connections), self.is_ascii)
            )
