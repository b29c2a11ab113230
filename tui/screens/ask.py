"""A question with one line to answer. One screen, used again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.screens.answering import Dialogue


class Ask(Dialogue[str | None]):
    """Asks for a line; Enter takes it, Esc leaves. An answer that will not do is told why, and stays."""

    DEFAULT_CSS = """
    Ask { align: center middle; background: $background 60%; }
    Ask > Vertical { width: 90%; max-width: 90; height: auto; background: $surface; border: round $primary;
        padding: 0 1; }
    Ask Input, Ask Input:focus { height: 1; border: none; padding: 0; background: $background; }
    Ask Static { height: auto; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "cancel", "close")]

    def __init__(self) -> None:
        super().__init__()
        self._title, self._value, self._hint = "", "", ""
        self._check: Callable[[str], str] = lambda text: ""

    def prepare(self, title: str, value: str, hint: str, check: Callable[[str], str]) -> Ask:
        """Set what the next opening asks.

        Args:
            title: The question.
            value: What stands there at first.
            hint: What an answer looks like.
            check: Returns why an answer will not do; empty when it does.
        """
        self._title, self._value, self._hint, self._check = title, value, hint, check
        return self

    def compose(self) -> ComposeResult:
        with Vertical():
            yield Input(select_on_focus=False)
            yield Static()

    def on_screen_resume(self) -> None:
        box = self.query_one(Vertical)
        box.border_title = Text(f" {self._title} ")
        box.border_subtitle = Text(" Enter takes it, Esc leaves ")
        self.query_one(Static).update(Text(self._hint))
        line = self.query_one(Input)
        line.value = self._value
        line.cursor_position = len(self._value)
        line.focus()

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        answer = event.value.strip()
        problem = self._check(answer) if answer else "type something, or leave with Esc"
        if problem:
            self.query_one(Static).update(Text(problem, style="bold"))
        else:
            self.dismiss(answer)

    def action_cancel(self) -> None:
        self.dismiss(None)
