"""The palette: what is typed after `:`, with the commands that it may mean. One screen, reused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from tui.dialogs.base import Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import COMMAND_LINE, COMMAND_LINE_KEYS
from tui.keys.in_use import keys_of
from tui.presenters.prompts.commands import Command, command_lines, text_width
from tui.widgets.line_view import LineView


class CommandLine(Dialog[Command | None]):
    """Asks for a command; Enter carries out the one under the cursor, Tab completes the text to it."""

    DEFAULT_CSS = """
    CommandLine { align: center top; background: transparent; }
    CommandLine > Vertical { width: 100%; max-width: 110; height: 60%; min-height: 8; background: $panel;
        border: round $focus; padding: 0; }
    CommandLine Horizontal { height: 1; }
    CommandLine Static { width: 3; color: $accent; text-style: bold; }
    CommandLine Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel;
        &:focus { border: none; } }
    CommandLine LineView { height: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(COMMAND_LINE_KEYS)]

    def __init__(self) -> None:
        super().__init__()
        self._offer: Callable[[str], Sequence[Command]] = lambda typed: ()
        self._commands: Sequence[Command] = ()
        self._typed, self._title, self._start = "", "", 0
        self._text_width = 0
        """Cells for the texts of commands: as many as were needed since it was opened, so that typing moves less."""

    def prepare(
        self, offer: Callable[[str], Sequence[Command]], typed: str = "", title: str = "", start: int = 0
    ) -> CommandLine:
        """Set what the next opening offers.

        Args:
            offer: Returns the commands that a text may mean, the best first.
            typed: The initial text.
            title: What is chosen.
            start: Index of the command that the cursor is on at first.
        """
        self._offer, self._typed, self._title, self._start = offer, typed, title, start
        self._text_width = 0
        return self

    def compose(self) -> ComposeResult:
        with Vertical():
            with Horizontal():
                yield Static(" : ", markup=False)
                yield Input(select_on_focus=False)
            yield LineView(has_cursor=True)

    def on_screen_resume(self) -> None:
        box = self.query_one(Vertical)
        box.border_title = Text(f" {self._title} " if self._title else "")
        complete = keys_of(self.app, COMMAND_LINE, "complete")
        box.border_subtitle = Text(f" {complete} completes, Enter does it, Esc leaves ")
        field = self.query_one(Input)
        field.value = self._typed
        field.cursor_position = len(self._typed)
        field.focus()
        self._open()
        self.call_after_refresh(self._open)  # its width is known then

    def _open(self) -> None:
        self._show()
        self.query_one(LineView).go(self._start)

    def on_resize(self) -> None:
        self.call_after_refresh(self._show)

    @on(Input.Changed)
    def _typed_on(self) -> None:
        self._show()
        self.query_one(LineView).go(0)

    def _show(self) -> None:
        view = self.query_one(LineView)
        self._commands = self._offer(self.query_one(Input).value)
        width = max(1, view.size.width - 1)
        self._text_width = max(self._text_width, text_width(self._commands, width))
        view.show(command_lines(self._commands, self._text_width, width))

    def _current(self) -> Command | None:
        index = self.query_one(LineView).cursor
        return self._commands[index] if index < len(self._commands) else None

    def action_complete(self) -> None:
        """Complete the text to the command under the cursor."""
        command = self._current()
        if command is not None:
            field = self.query_one(Input)
            field.value = command.text
            field.cursor_position = len(command.text)

    @on(Input.Submitted)
    @on(LineView.Clicked)
    def _take(self) -> None:
        command = self._current()
        if command is None:
            return
        if command.needs_text:
            self.action_complete()
        else:
            self.dismiss(command)

    def action_move(self, lines: int) -> None:
        self.query_one(LineView).action_move(lines)

    def action_page(self, pages: float) -> None:
        self.query_one(LineView).action_page(pages)

    def action_close(self) -> None:
        self.dismiss(None)
