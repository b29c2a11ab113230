"""The form of a workload's limits: what is there now, what would be new, what that means, and taking it back."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar, NamedTuple, Protocol

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import Input, Static

from tui.dialogs.base import Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import LIMIT_KEYS
from tui.themes.look import look_of

Lines = Sequence[tuple[str, str]]
"""Lines of text, each with its tone."""
_PAUSE_S = 0.4
"""Seconds without a key after which what was typed is planned."""


class LimitRow(NamedTuple):
    """One limit of the form."""

    name: str
    now: str
    note: str
    """What is used of it, or why it cannot be changed."""
    is_open: bool
    """Whether it can be changed."""
    typed: str = ""
    """What its field begins with."""


class Planned(NamedTuple):
    """What would happen."""

    lines: Lines
    can_be_set: bool
    has_warnings: bool = False


class Ended(NamedTuple):
    """What has happened."""

    lines: Lines
    can_be_undone: bool


class LimitsWork(Protocol):
    """Does what the form shows. Nothing is raised."""

    title: str

    def read(self) -> Awaitable[tuple[list[LimitRow], Lines]]:
        """Return the limits, or no row and why."""

    def plan(self, typed: Sequence[str], is_kept: bool) -> Awaitable[Planned]:
        """Return what the words `LIMIT=AMOUNT` mean; `is_kept`: also for the next start."""

    def apply(self) -> Awaitable[Ended]:
        """Set what was planned last."""

    def undo(self) -> Awaitable[Ended]:
        """Take back what was set."""


class LimitsForm(Dialog[None]):
    """Reads the limits, plans what is typed, and sets it on Enter.

    Args:
        work: Reads, plans, sets.
    """

    DEFAULT_CSS = """
    LimitsForm { align: center middle; background: transparent; }
    LimitsForm > Vertical { width: 96%; max-width: 104; height: auto; max-height: 96%; background: $panel;
        border: round $focus; padding: 0 1; }
    LimitsForm VerticalScroll { height: auto; max-height: 14; scrollbar-size-vertical: 1; }
    LimitsForm Horizontal { height: 1; }
    LimitsForm .heading { color: $muted; }
    LimitsForm .name { width: 16; }
    LimitsForm .now { width: 13; }
    LimitsForm .note { width: 1fr; color: $muted; padding: 0 0 0 2; }
    LimitsForm Input, LimitsForm Input:focus { width: 14; height: 1; border: none; padding: 0 1;
        background: $background; }
    LimitsForm Input:focus { background: $cursor; }
    LimitsForm #plan { height: auto; max-height: 10; padding: 1 0 0 0; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(LIMIT_KEYS)]

    def __init__(self, work: LimitsWork) -> None:
        super().__init__()
        self._work = work
        self._is_kept = False
        self._is_warned = False
        """Whether Enter was pressed once although there are warnings."""
        self._ended: Ended | None = None
        self._is_busy = False
        self._timer: Timer | None = None

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Static(f"{'limit':<16}{'now':<13} {'new':<15}used", classes="heading", markup=False)
            yield VerticalScroll(Static("reading its limits ..."), can_focus=False)
            yield Static(id="plan")

    def on_mount(self) -> None:
        self.query_one(Vertical).border_title = Text(f" Limits of {self._work.title} ")
        self._say_keys()
        self.run_worker(self._load(), group="limits", exclusive=True)

    async def _load(self) -> None:
        rows, problem = await self._work.read()
        if not self.is_attached:
            return
        box = self.query_one(VerticalScroll)
        await box.remove_children()
        await box.mount(*map(_row, rows))
        if problem:
            self._say(problem)
            return
        field = next((field for field in self.query(Input) if not field.disabled), None)
        if field is not None:
            field.focus()
        self._plan_soon()

    def _typed(self) -> list[str]:
        """Return what is typed, as on a command line; fields that are empty ask for nothing."""
        typed = [((field.name or ""), field.value.strip()) for field in self.query(Input)]
        return [f"{name}={value}" for name, value in typed if value]

    @on(Input.Changed)
    def _plan_soon(self) -> None:
        self._is_warned = False
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(_PAUSE_S, self._plan_now)

    def _plan_now(self) -> None:
        if self._ended is None and not self._is_busy:
            self.run_worker(self._show_plan(), group="limits", exclusive=True)

    async def _show_plan(self) -> Planned:
        planned = await self._work.plan(self._typed(), self._is_kept)
        if self.is_attached and not self._is_busy:
            self._say(planned.lines)
        return planned

    def _say(self, lines: Lines) -> None:
        look, text = look_of(self.app), Text()
        for number, (words, tone) in enumerate(lines):
            text.append(("\n" if number else "") + words, look.style(tone, "panel"))
        self.query_one("#plan", Static).update(text)

    def _say_keys(self) -> None:
        kept = "kept for the next start" if self._is_kept else "for this run"
        words = f"Enter sets it, F2: {kept}, Esc leaves"
        if self._ended is not None:
            words = "u takes it back, Esc leaves" if self._ended.can_be_undone else "Esc leaves"
        self.query_one(Vertical).border_subtitle = Text(f" {words} ")

    @on(Input.Submitted)
    def submit(self) -> None:
        """Set what is typed; where there is a warning, at the second time."""
        if self._ended is None and not self._is_busy:
            self.run_worker(self._set(), group="set", exclusive=True)

    async def _set(self) -> None:
        is_warned = self._is_warned
        planned = await self._show_plan()
        if not planned.can_be_set or not self.is_attached:
            return
        if planned.has_warnings and not is_warned:
            self._is_warned = True
            self._say([*planned.lines, ("Enter again sets it all the same.", "warn")])
            return
        await self._carry_out(self._work.apply(), "setting ...")

    async def _carry_out(self, work: Awaitable[Ended], words: str) -> None:
        self._is_busy = True
        self._say([(words, "muted")])
        try:
            self._ended = ended = await work
        finally:
            self._is_busy = False
        if not self.is_attached:
            self.app.notify("; ".join(line for line, _ in ended.lines), timeout=6, markup=False)
            return
        for field in self.query(Input):
            field.disabled = True
        self.set_focus(None)
        self._say(ended.lines)
        self._say_keys()

    def on_key(self, event: events.Key) -> None:
        """Take back what was set; while something is typed, `u` is a letter."""
        if event.key == "u" and self._ended is not None and self._ended.can_be_undone and not self._is_busy:
            event.stop()
            self.run_worker(self._carry_out(self._work.undo(), "taking it back ..."), group="set")

    def action_keep(self) -> None:
        """Have what is set kept for the next start as well, or not."""
        if self._ended is None:
            self._is_kept = not self._is_kept
            self._is_warned = False
            self._say_keys()
            self._plan_now()

    def action_field(self, step: int) -> None:
        """Go to the next or the previous field."""
        if step > 0:
            self.focus_next(Input)
        else:
            self.focus_previous(Input)

    def action_cancel(self) -> None:
        self.dismiss(None)


def _row(row: LimitRow) -> Horizontal:
    field = Input(row.typed, name=row.name, id=f"new-{row.name}", disabled=not row.is_open, select_on_focus=False)
    name, now = Static(Text(row.name), classes="name"), Static(Text(row.now), classes="now")
    return Horizontal(name, now, field, Static(Text(row.note, no_wrap=True, overflow="ellipsis"), classes="note"))
