"""The action menu: every verb for the chosen workloads, possible or not, and why not; below them the user's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.dialogs.base import Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import MENU_KEYS


class Entry(NamedTuple):
    """One line of the menu."""

    choice: str
    """What the menu returns for it."""
    key: str
    """The character that chooses it."""
    label: str
    note: str
    """For how many it is possible, or why it is not."""
    is_possible: bool


class ActionMenu(Dialog[str | None]):
    """Chooses an action; what is not possible cannot be chosen.

    Args:
        title: What is acted on.
        entries: The verbs.
        warning: A sentence for the lower border.
        own: The user's own commands.
    """

    DEFAULT_CSS = """
    ActionMenu { align: center middle; background: transparent; }
    ActionMenu > OptionList { width: 90%; max-width: 84; height: auto; max-height: 90%; background: $panel;
        border: round $focus; text-wrap: nowrap; text-overflow: ellipsis; scrollbar-size-vertical: 1;
        &:focus { border: round $focus; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(MENU_KEYS)]

    def __init__(self, title: str, entries: Sequence[Entry], warning: str = "", own: Sequence[Entry] = ()) -> None:
        super().__init__()
        self._title = title
        self._verbs, self._own = entries, own
        self._entries = (*entries, *own)
        self._warning = warning

    def compose(self) -> ComposeResult:
        notes = {entry.note for entry in self._verbs}
        is_one_reason = len(notes) == 1 and not any(entry.is_possible for entry in self._verbs)
        reason = [Option(Text(f" {note}", style="dim"), disabled=True) for note in notes if is_one_reason]
        verbs = [_option(entry, has_note=not is_one_reason) for entry in self._verbs]
        heading = [Option(Text(" own", style="bold"), disabled=True)] if self._own else []
        yield OptionList(*reason, *verbs, *heading, *map(_option, self._own), markup=False)

    def on_mount(self) -> None:
        box = self.query_one(OptionList)
        box.border_title = Text(f" {self._title} ")
        box.border_subtitle = Text(f" {self._warning or 'key or Enter chooses, Esc leaves'} ")

    def on_key(self, event: events.Key) -> None:
        for entry in self._entries:
            if event.character == entry.key:
                event.stop()
                if entry.is_possible:
                    self.dismiss(entry.choice)
                else:
                    self.notify(f"{entry.label}: {entry.note}", severity="warning", timeout=4, markup=False)

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()


def _option(entry: Entry, has_note: bool = True) -> Option:
    return Option(_line(entry if has_note else entry._replace(note="")), entry.choice, not entry.is_possible)


def _line(entry: Entry) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f" {entry.key} ", style="bold").append(f"{entry.label:<10} ").append(entry.note, style="dim")
    return line
