"""Lists to choose from: one (sort) or several (columns). One screen, reused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.dialogs.base import Dialog


class PickerDialog(Dialog[list[str] | None]):
    """Choose one of a list (Enter), or tick several (Space, then Enter)."""

    DEFAULT_CSS = """
    PickerDialog { align: center middle; background: transparent; }
    PickerDialog > OptionList { width: 90%; max-width: 90; height: auto; max-height: 90%; background: $panel;
        border: round $focus; scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
        &:focus { border: round $focus; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "cancel", "close"),
        Binding("j", "down", "down", show=False),
        Binding("k", "up", "up", show=False),
        Binding("space", "tick", "tick"),
        Binding("enter", "done", "take", priority=True),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._title = ""
        self._options: Sequence[tuple[str, str]] = ()
        self._ticked: set[str] | None = None
        self._start = ""

    def prepare(
        self, title: str, options: Sequence[tuple[str, str]], start: str = "", ticked: set[str] | None = None
    ) -> PickerDialog:
        """Set what the next opening offers: (key, text) pairs; with `ticked` several can be chosen."""
        self._title, self._options, self._start = title, options, start
        self._ticked = None if ticked is None else set(ticked)
        return self

    def compose(self) -> ComposeResult:
        yield OptionList(markup=False)

    def on_screen_resume(self) -> None:
        chooser = self.query_one(OptionList)
        chooser.border_title = Text(f" {self._title} ")
        chooser.border_subtitle = Text(
            " Enter takes it, Esc leaves " if self._ticked is None else " Space ticks, Enter takes it, Esc leaves "
        )
        chooser.clear_options()
        chooser.add_options([Option(self._label(key, text), id=None) for key, text in self._options])
        keys = [key for key, _ in self._options]
        chooser.highlighted = keys.index(self._start) if self._start in keys else 0
        chooser.focus()

    def _label(self, key: str, text: str) -> Text:
        tick = "" if self._ticked is None else "[x] " if key in self._ticked else "[ ] "
        return Text(tick + text, no_wrap=True, overflow="ellipsis")

    def action_tick(self) -> None:
        chooser = self.query_one(OptionList)
        index = chooser.highlighted
        if self._ticked is None or index is None:
            return
        key, text = self._options[index]
        self._ticked.symmetric_difference_update({key})
        chooser.replace_option_prompt_at_index(index, self._label(key, text))

    @on(OptionList.OptionSelected)
    def take_clicked(self, event: OptionList.OptionSelected) -> None:
        self.action_done() if self._ticked is None else self.action_tick()

    def action_done(self) -> None:
        if self._ticked is not None:
            self.dismiss([key for key, _ in self._options if key in self._ticked])
            return
        index = self.query_one(OptionList).highlighted
        self.dismiss(None if index is None else [self._options[index][0]])

    def action_cancel(self) -> None:
        self.dismiss(None)

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()
