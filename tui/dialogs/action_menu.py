"""The action menu: every verb for the chosen workloads, possible or not, and why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from collectors.actions.verbs import VERBS
from collectors.model.actions import Verb
from tui.dialogs.base import Dialog


class Entry(NamedTuple):
    """One line of the menu."""

    verb: Verb
    label: str
    note: str
    """For how many it is possible, or why it is not."""
    is_possible: bool


class ActionMenu(Dialog[Verb | None]):
    """Chooses a verb; what is not possible cannot be chosen."""

    DEFAULT_CSS = """
    ActionMenu { align: center middle; background: transparent; }
    ActionMenu > OptionList { width: 90%; max-width: 84; height: auto; max-height: 90%; background: $panel;
        border: round $focus; text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1;
        &:focus { border: round $focus; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,x", "cancel", "close"),
        Binding("j", "down", "down", show=False),
        Binding("k", "up", "up", show=False),
    ]

    def __init__(self, title: str, entries: Sequence[Entry], warning: str = "") -> None:
        super().__init__()
        self._title = title
        self._entries = entries
        self._warning = warning

    def compose(self) -> ComposeResult:
        yield OptionList(
            *(Option(_line(entry), entry.verb, not entry.is_possible) for entry in self._entries), markup=False
        )

    def on_mount(self) -> None:
        box = self.query_one(OptionList)
        box.border_title = Text(f" {self._title} ")
        box.border_subtitle = Text(f" {self._warning or 'key or Enter chooses, Esc leaves'} ")

    def on_key(self, event: events.Key) -> None:
        for entry in self._entries:
            if event.character == VERBS[entry.verb].key:
                event.stop()
                if entry.is_possible:
                    self.dismiss(entry.verb)
                else:
                    self.notify(f"{entry.label}: {entry.note}", severity="warning", timeout=4, markup=False)

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(Verb(event.option_id or ""))

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()


def _line(entry: Entry) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f" {VERBS[entry.verb].key} ", style="bold").append(f"{entry.label:<10} ").append(
        entry.note, style="dim"
    )
    return line
