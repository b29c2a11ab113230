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

_NOT_SET = "Nothing was set: change or clear what is refused below."
Lines = Sequence[tuple[str, str]]
"""Lines of text, each with its tone."""
_SHARE = 0.96
"""How much of the screen's height the box may take, as in its styles."""
_EDGES = 4
"""Lines of the box beside the limits and the plan: its frame, the heading, an empty line."""
_MOST_ROWS, _LEAST_PLAN = 14, 6
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
    LimitsForm VerticalScroll { height: auto; scrollbar-size-vertical: 1; }
    LimitsForm #consequences { margin: 1 0 0 0; }
    LimitsForm Horizontal { height: 1; }
    LimitsForm .heading { color: $muted; }
    LimitsForm .name { width: 16; }
    LimitsForm .now { width: 13; }
    LimitsForm .note { width: 1fr; color: $muted; padding: 0 0 0 2; }
    LimitsForm Input, LimitsForm Input:focus { width: 14; height: 1; border: none; padding: 0 1;
        background: $background; }
    LimitsForm Input:focus { background: $cursor; }
    LimitsForm #plan { height: auto; }
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
            yield VerticalScroll(Static("reading its limits ..."), id="limits", can_focus=False)
            yield VerticalScroll(Static(id="plan"), id="consequences", can_focus=False)

    def on_mount(self) -> None:
        self.query_one(Vertical).border_title = Text(f" Limits of {self._work.title} ")
        self._say_keys()
        self._make_room(_MOST_ROWS)
        self.run_worker(self._load(), group="limits", exclusive=True)

    def on_resize(self) -> None:
        self._make_room(len(self.query(Horizontal)) or _MOST_ROWS)

    def _make_room(self, rows: int) -> None:
        """Share the height of the screen between the limits and what would happen; both scroll."""
        room = int(self.app.size.height * _SHARE) - _EDGES
        shown = max(1, min(rows, _MOST_ROWS, room - _LEAST_PLAN))
        self.query_one("#limits").styles.max_height = shown
        self.query_one("#consequences").styles.max_height = max(1, room - shown)

    async def _load(self) -> None:
        rows, problem = await self._work.read()
        if not self.is_attached:
            return
        box = self.query_one("#limits", VerticalScroll)
        await box.remove_children()
        await box.mount(*map(_row, rows))
        self._make_room(len(rows))
        self._say_keys()
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
        self.query_one("#consequences", VerticalScroll).scroll_home(animate=False)

    def _say_keys(self) -> None:
        words = "Esc leaves"
        if self._ended is not None:
            words = "u takes it back, Esc leaves" if self._ended.can_be_undone else "Esc leaves"
        elif self._is_open:
            sets, keeps = "Enter sets it", "F2 keeps it for the next start too"
            if self._is_kept:
                sets, keeps = "Enter sets it for the next start too", "F2 for this run only"
            words = f"{sets}, {keeps}, Esc leaves"
        self.query_one(Vertical).border_subtitle = Text(f" {words} ")

    @property
    def _is_open(self) -> bool:
        """Whether anything can be typed."""
        return any(not field.disabled for field in self.query(Input))

    @on(Input.Submitted)
    def submit(self) -> None:
        """Set what is typed; where there is a warning, at the second time."""
        if self._ended is None and not self._is_busy:
            self.run_worker(self._set(), group="set", exclusive=True)

    async def _set(self) -> None:
        is_warned = self._is_warned
        if self._timer is not None:
            self._timer.stop()
        self.workers.cancel_group(self, "limits")  # what is planned later would take away what is said now
        planned = await self._show_plan()
        if not self.is_attached:
            return
        if not planned.can_be_set:
            if self._typed():
                self._say([(_NOT_SET, "warn"), *planned.lines])
            return
        if planned.has_warnings and not is_warned:
            self._is_warned = True
            self._say([("Enter again sets it all the same.", "warn"), *planned.lines])
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
        rows, _ = await self._work.read()
        if self.is_attached:
            for shown, row in zip(self.query(".now").results(Static), rows, strict=False):
                shown.update(Text(row.now))

    def on_key(self, event: events.Key) -> None:
        """Take back what was set; while something is typed, `u` is a letter."""
        if event.key == "u" and self._ended is not None and self._ended.can_be_undone and not self._is_busy:
            event.stop()
            self.run_worker(self._carry_out(self._work.undo(), "taking it back ..."), group="set")

    def action_keep(self) -> None:
        """Have what is set kept for the next start as well, or not."""
        if self._ended is None and not self._is_busy and self._is_open:
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

    def action_scroll(self, step: int) -> None:
        """Scroll what would happen."""
        box = self.query_one("#consequences", VerticalScroll)
        if step > 0:
            box.scroll_page_down(animate=False)
        else:
            box.scroll_page_up(animate=False)

    def action_cancel(self) -> None:
        self.dismiss(None)


def _row(row: LimitRow) -> Horizontal:
    field = Input(row.typed, name=row.name, id=f"new-{row.name}", disabled=not row.is_open, select_on_focus=False)
    name, now = Static(Text(row.name), classes="name"), Static(Text(row.now), classes="now")
    return Horizontal(name, now, field, Static(Text(row.note, no_wrap=True, overflow="ellipsis"), classes="note"))
