"""The confirmation: the workloads, the consequences, the equivalent command. Cancel is preselected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import ClassVar, NamedTuple

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Input, Static

from collectors.actions.confirmation import CAN_WAIT, besides, consequence, describe, equivalent, must_be_typed
from collectors.model.actions import AfterTimeout, Request
from collectors.model.wording import some
from tui.dialogs.base import Answer, Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import CONFIRM, CONFIRM_KEYS, TIMEOUT_KEYS
from tui.keys.in_use import keys_of
from tui.terminal.painting import PaintingApp
from tui.themes.look import look_of

ARMED_AFTER_S = 0.25
"""Seconds until it can be confirmed: keys typed ahead must not confirm what has not been seen."""
_LISTED = 8
_TIMEOUT_ROWS = ("longer_timeout", "shorter_timeout")
_TIMEOUTS_S = (1.0, 5.0, 10.0, 30.0, 60.0, 90.0, 180.0, 600.0)


class Question(NamedTuple):
    """What a confirmation asks about."""

    title: str
    label: str
    """The text of the button."""
    requests: Sequence[Request]
    """At least one, all with the same verb."""
    skipped: Sequence[str]
    """The workloads that are left out, each with the reason."""
    warnings: Sequence[str] = ()

    @property
    def answers(self) -> tuple[str, ...]:
        """The texts of which one must be typed, as a name or an id; empty if a key is enough."""
        verb = self.requests[0].verb
        if not any(map(must_be_typed, self.requests)):
            return ()
        first = self.requests[0].workload
        return (first.name, first.short_id) if len(self.requests) == 1 else (f"{verb} {len(self.requests)}",)


class Confirm(Dialog[Answer | None]):
    """Asks; returns what was confirmed, or `None`. Cancel is preselected.

    Args:
        title: The question.
        label: The text of the button.
        answers: The texts of which one must be typed; empty if a key is enough.
    """

    DEFAULT_CSS = """
    Confirm { align: center middle; background: transparent; }
    Confirm > VerticalScroll { width: 90%; max-width: 92; height: auto; max-height: 96%; background: $panel;
        border: round $focus; padding: 1 2; scrollbar-size-vertical: 1; }
    Confirm > VerticalScroll.-destroys { border: round $bad; }
    Confirm Static { width: 1fr; height: auto; }
    Confirm #answer { dock: bottom; height: auto; background: $panel; }
    Confirm Input { height: 1; border: none; padding: 0 1; background: $background; margin: 1 0 0 0;
        &:focus { border: none; } }
    Confirm Horizontal { height: 1; margin: 1 0 0 0; }
    Confirm Button { margin: 0 2 0 0; min-width: 14; }
    Confirm #confirm { text-style: underline; }
    Confirm Button:focus { text-style: bold reverse; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(CONFIRM_KEYS)]

    def __init__(self, title: str, label: str, answers: Sequence[str] = ()) -> None:
        super().__init__()
        self._title, self._label, self._answers = title, label, answers

    def page(self) -> Group:
        """Return what will happen to what, with the equivalent command; see `laid_out`."""
        raise NotImplementedError

    def laid_out(self, about: Sequence[Text], sentences: Sequence[Text], commands: Sequence[str]) -> Group:
        """Return the page of a question: its title, what it is about, what follows, and the same by hand."""
        title = look_of(self.app).foreground("title")
        parts: list[RenderableType] = [Text(self._title, style=title)]
        parts += about if len(about) == 1 else _indented(about)
        parts += [Text("\nWhat follows", style=title), *_indented(sentences)]
        if commands:
            parts += [Text("\nThe same by hand", style=title), *_indented(list(map(Text, commands)))]
        return Group(*parts)

    def answer(self) -> Answer:
        """Return what is confirmed."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static()
            with Vertical(id="answer"):  # in sight however long the page is
                if self._answers:
                    yield Input(placeholder=f"type  {self._answers[0]}  to confirm", disabled=True)
                with Horizontal():
                    yield Button("Cancel", id="cancel", compact=True)
                    yield Button(Text(self._label), id="confirm", compact=True, disabled=True)

    def on_mount(self) -> None:
        box = self.query_one(VerticalScroll)
        box.border_title = Text(f" {self._label} ")
        box.border_subtitle = Text(" Tab moves, Enter presses, Esc cancels ")
        box.set_class(bool(self._answers), "-destroys")
        self._show()
        self.query_one("#cancel").focus()
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        """Wait until the user can see it: on a slow line, long after it was painted."""
        app: object = self.app
        arm = partial(self.set_timer, ARMED_AFTER_S, self._arm)
        app.when_shown(arm) if isinstance(app, PaintingApp) else arm()

    def _arm(self) -> None:
        if not self.is_attached:
            return
        if self._answers:
            typed = self.query_one(Input)
            typed.disabled = False
            typed.focus()
        else:
            self.query_one("#confirm").disabled = False

    def action_scroll(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def _show(self) -> None:
        self.query_one(Static).update(self.page())

    @on(Input.Changed)
    def typed(self, event: Input.Changed) -> None:
        self.query_one("#confirm").disabled = event.value not in self._answers

    @on(Input.Submitted)
    def entered(self, event: Input.Submitted) -> None:
        if event.value in self._answers:
            self.dismiss(self.answer())
        elif event.value:
            self.notify(
                f"That is not {self._answers[0]}; Esc cancels.",
                severity="warning",
                timeout=3,
                markup=False,
            )
        else:
            self.dismiss(None)

    @on(Button.Pressed, "#confirm")
    def confirm(self) -> None:
        self.dismiss(self.answer())

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(None)


class ConfirmAction(Confirm[Sequence[Request]]):
    """Asks about an action on workloads; returns the requests as confirmed."""

    BINDINGS: ClassVar[list[BindingType]] = [*bound(TIMEOUT_KEYS)]

    def __init__(self, question: Question) -> None:
        super().__init__(question.title, question.label, question.answers)
        self._question = question
        self._requests = tuple(question.requests)

    def answer(self) -> Sequence[Request]:
        return self._requests

    def page(self) -> Group:
        look = look_of(self.app)
        muted, warn, key = look.foreground("muted"), look.foreground("warn"), look.foreground("accent")
        first, listed = self._requests[0], self._requests[:_LISTED]
        descriptions = [describe(request.workload) for request in listed]
        if len(self._requests) == 1:  # the question has its kind and name
            descriptions = [descriptions[0].removeprefix(f"{first.workload.kind} {first.workload.name}, ")]
        about = [Text(description, style=muted) for description in descriptions]
        if len(self._requests) > _LISTED:
            about.append(Text(f"and {len(self._requests) - _LISTED} more", style=muted))
        sentences = [Text(sentence) for sentence in dict.fromkeys(map(consequence, self._requests))]
        sentences += [Text(f"! {warning}", style=warn) for warning in (*self._more(), *self._question.warnings)]
        sentences += [Text(f"left out: {skipped}", style=muted) for skipped in self._question.skipped[:_LISTED]]
        if first.verb in CAN_WAIT:
            other = "leave it as it is" if first.after is AfterTimeout.FORCE else "force it"
            force, time = keys_of(self.app, CONFIRM, "after_timeout"), keys_of(self.app, CONFIRM, *_TIMEOUT_ROWS)
            forms = ((force, key), (f" {other} instead   ", muted), (time, key), (" more or less time", muted))
            sentences.append(Text.assemble(*forms))
        commands = [command for request in listed for command in equivalent(request)]
        return self.laid_out(about, sentences, commands)

    def _more(self) -> list[str]:
        """Return the side effects; for several workloads, each with the names it applies to."""
        names_by_sentence: dict[str, list[str]] = {}
        for request in self._requests:
            for sentence in besides(request):
                names_by_sentence.setdefault(sentence, []).append(request.workload.name)
        if len(self._requests) == 1:
            return list(names_by_sentence)
        return [f"{some(names)}: {sentence}" for sentence, names in names_by_sentence.items()]

    def action_after(self) -> None:
        if self._requests[0].verb in CAN_WAIT:
            is_forced = self._requests[0].after is AfterTimeout.FORCE
            after = AfterTimeout.LEAVE if is_forced else AfterTimeout.FORCE
            self._requests = tuple(replace(request, after=after) for request in self._requests)
            self._show()

    def action_timeout(self, step: int) -> None:
        self._requests = tuple(
            replace(request, timeout_s=_next(request.timeout_s, step)) if request.verb in CAN_WAIT else request
            for request in self._requests
        )
        self._show()


def _indented(lines: Sequence[Text]) -> list[Padding]:
    return [Padding(line, (0, 0, 0, 2)) for line in lines]


def _next(seconds: float, step: int) -> float:
    if step > 0:
        return next((timeout_s for timeout_s in _TIMEOUTS_S if timeout_s > seconds), _TIMEOUTS_S[-1])
    return next((timeout_s for timeout_s in reversed(_TIMEOUTS_S) if timeout_s < seconds), _TIMEOUTS_S[0])
