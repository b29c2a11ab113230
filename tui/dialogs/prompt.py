"""Asking for one line from any screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, Static

from tui.dialogs.base import Dialog
from tui.keys.bindings import bound
from tui.keys.dialogs import PROMPT_KEYS

if TYPE_CHECKING:
    from textual.screen import Screen


def ask(
    screen: Screen[Any], title: str, value: str, hint: str, check: Callable[[str], str], take: Callable[[str], None]
) -> None:
    """Ask for a line; `take` is called with it unless the user leaves (see `PromptDialog.prepare`)."""

    def answered(answer: str | None) -> None:
        if answer is not None:
            take(answer)

    question = screen.app.get_screen("ask")
    assert isinstance(question, PromptDialog)  # noqa: S101  # installed under this name by the app
    screen.app.push_screen(question.prepare(title, value, hint, check), answered)


class PromptDialog(Dialog[str | None]):
    """Asks for a line; Enter takes it, Esc leaves. An invalid answer stays, with the reason below it."""

    DEFAULT_CSS = """
    PromptDialog { align: center middle; background: transparent; }
    PromptDialog > Vertical { width: 90%; max-width: 90; height: auto; background: $panel; border: round $focus;
        padding: 0 1; }
    PromptDialog Input, PromptDialog Input:focus { height: 1; border: none; padding: 0; background: $background; }
    PromptDialog Static { height: auto; color: $muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*bound(PROMPT_KEYS)]

    def __init__(self) -> None:
        super().__init__()
        self._title, self._value, self._hint = "", "", ""
        self._check: Callable[[str], str] = lambda text: ""

    def prepare(self, title: str, value: str, hint: str, check: Callable[[str], str]) -> PromptDialog:
        """Set what the next opening asks.

        Args:
            title: The question.
            value: The initial text.
            hint: What an answer looks like.
            check: Returns why an answer is invalid; empty if it is valid.
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
        input_field = self.query_one(Input)
        input_field.value = self._value
        input_field.cursor_position = len(self._value)
        input_field.focus()

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
