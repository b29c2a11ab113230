"""Signals to a process: the menu of signals, and the confirmation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.console import Group
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from collectors.actions.process_signals import SIGNALS, SignalRequest, SignalSpec
from tui.dialogs.base import Dialog
from tui.dialogs.confirm_action import Confirm
from tui.keys.bindings import bound
from tui.keys.dialogs import SIGNAL_KEYS
from tui.themes.look import look_of

_LONGEST = 300
"""Characters of the command line in the confirmation."""


class SignalMenu(Dialog[SignalSpec | None]):
    """Chooses a signal.

    Args:
        title: Which process gets it.
        forbidden: Why it may get none; empty if it may.
    """

    DEFAULT_CSS = """
    SignalMenu { align: center middle; background: transparent; }
    SignalMenu > OptionList { width: 90%; max-width: 76; height: auto; max-height: 90%; background: $panel;
        border: round $focus; text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1;
        &:focus { border: round $focus; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(SIGNAL_KEYS)]

    def __init__(self, title: str, forbidden: str) -> None:
        super().__init__()
        self._title = title
        self._forbidden = forbidden

    def compose(self) -> ComposeResult:
        yield OptionList(
            *(Option(_line(spec), str(index), bool(self._forbidden)) for index, spec in enumerate(SIGNALS)),
            markup=False,
        )

    def on_mount(self) -> None:
        box = self.query_one(OptionList)
        box.border_title = Text(f" {self._title} ")
        box.border_subtitle = Text(f" {self._forbidden or 'key or Enter chooses, Esc leaves'} ")

    def on_key(self, event: events.Key) -> None:
        for spec in SIGNALS:
            if event.character == spec.key:
                event.stop()
                self._choose(spec)

    @on(OptionList.OptionSelected)
    def selected(self, event: OptionList.OptionSelected) -> None:
        self._choose(SIGNALS[event.option_index])

    def _choose(self, spec: SignalSpec) -> None:
        if self._forbidden:
            self.notify(self._forbidden, severity="warning", timeout=4, markup=False)
        else:
            self.dismiss(spec)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()


def _line(spec: SignalSpec) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    return line.append(f" {spec.key} ", style="bold").append(f"{spec.name:<6}").append(spec.label, style="dim")


class ConfirmSignal(Confirm[SignalRequest]):
    """Asks about a signal to one process, which is identified by its pid and its start.

    Args:
        request: What is sent to what.
        warnings: What else will happen, as sentences.
        answers: The texts of which one must be typed; empty if a key is enough.
    """

    def __init__(self, request: SignalRequest, warnings: Sequence[str], answers: Sequence[str] = ()) -> None:
        process, spec = request.process, request.spec
        super().__init__(f"{spec.name} to {process.name} {process.pid}?", f"Send {spec.name}", answers)
        self._request, self._warnings = request, warnings

    def page(self) -> Group:
        request, process, look = self._request, self._request.process, look_of(self.app)
        owner = f", {request.workload.kind} {request.workload.name}" if request.workload is not None else ""
        about = f"process {process.name}, pid {process.pid}{owner}\n{request.command[:_LONGEST]}"
        sentences = [Text(f"SIG{request.spec.name}: {request.spec.label}.")]
        sentences += [Text(f"! {warning}", style=look.foreground("warn")) for warning in self._warnings]
        return self.laid_out([Text(about, style=look.foreground("muted"))], sentences, [request.by_hand])

    def answer(self) -> SignalRequest:
        return self._request
