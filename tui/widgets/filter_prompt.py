"""The two lines that take the footer's place while a filter or a name is typed: what is known of it, and the text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input

from tui.presenters.prompts.completion import common_start
from tui.presenters.styled_lines import Line
from tui.widgets.text_lines import TextLines


class _Hint(TextLines):
    DEFAULT_CSS = "_Hint { height: 1; background: $panel; }"
    ground = "panel"


class _Field(Input):
    """An Input whose Tab, Up and Down belong to the prompt."""

    def on_key(self, event: events.Key) -> None:
        prompt = self.parent.parent if self.parent is not None else None
        if isinstance(prompt, FilterPrompt) and prompt.take_key(event.key):
            event.stop()
            event.prevent_default()


class FilterPrompt(Vertical):
    """Asks for a filter or a name; hidden until it is opened."""

    DEFAULT_CSS = """
    FilterPrompt { dock: bottom; height: 2; display: none; background: $panel; }
    FilterPrompt Horizontal { height: 1; }
    FilterPrompt #prompt-label { width: 3; }
    FilterPrompt #prompt-count { width: 16; }
    FilterPrompt Input { height: 1; width: 1fr; border: none; padding: 0; background: $panel;
        &:focus { border: none; } }
    """

    class Typed(Message):
        """The text has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Taken(Message):
        """Enter was pressed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class NextWanted(Message):
        """Tab, Down (1) or Up (-1) was pressed where there is nothing to complete."""

        def __init__(self, step: int) -> None:
            super().__init__()
            self.step = step

    _STEPS: ClassVar[dict[str, int]] = {"tab": 1, "down": 1, "shift+tab": -1, "up": -1}

    def __init__(self) -> None:
        super().__init__()
        self._complete: Callable[[str], Sequence[str]] | None = None
        self._candidates: Sequence[str] = ()
        self._candidate = -1
        self._history: Sequence[str] = ()
        self._recalled = 0
        """How many steps back in the history the text is; 0 is what is being typed."""

    def compose(self) -> ComposeResult:
        yield _Hint(id="prompt-hint")
        with Horizontal():
            yield _Hint(id="prompt-label")
            yield _Field(id="prompt", select_on_focus=False)
            yield _Hint(id="prompt-count")

    @property
    def is_open(self) -> bool:
        """Whether something is being typed."""
        return bool(self.display)

    @property
    def text(self) -> str:
        """What has been typed."""
        return self.query_one(_Field).value

    def open(
        self, label: str, text: str, complete: Callable[[str], Sequence[str]] | None, history: Sequence[str] = ()
    ) -> None:
        """Show the prompt and take the keys.

        Args:
            label: What stands before the text.
            text: The initial text.
            complete: Returns what a text can be completed to; `None` leaves Tab, Up and Down to `NextWanted`.
            history: Earlier texts, the newest last.
        """
        self._complete, self._history = complete, history
        self._candidates, self._candidate, self._recalled = (), -1, 0
        self.display = True
        self.query_one("#prompt-label", _Hint).show_lines([[(f" {label}", "accent bold")]])
        field = self.query_one(_Field)
        field.value = text
        field.cursor_position = len(text)
        field.focus()

    def close(self) -> None:
        """Hide the prompt."""
        self.display = False

    def say(self, hint: Line, count: str) -> None:
        """Show what is known of the text: a line above it, and how many match at its end."""
        if self._candidates:
            hint = self._candidate_line()
        self.query_one("#prompt-hint", _Hint).show_lines([[(" ", "text"), *hint]])
        self.query_one("#prompt-count", _Hint).show_lines([[(f"{count:>15} ", "muted")]])

    def take_key(self, key: str) -> bool:
        """Act on a key that completes, recalls or goes to the next match; return whether it was one."""
        step = self._STEPS.get(key)
        if step is None:
            return False
        if self._complete is None:
            self.post_message(self.NextWanted(step))
        elif key in ("up", "down"):
            self._recall(1 if key == "up" else -1)
        else:
            self._offer(step)
        return True

    def _offer(self, step: int) -> None:
        """Complete the text as far as it is certain; then go through what it can become."""
        if not self._candidates and self._complete is not None:
            self._candidates, self._candidate = tuple(self._complete(self.text)), -1
            start = common_start(self._candidates)
            if len(self._candidates) > 1 and len(start) > len(self.text):
                self._put(start)
                return
        if self._candidates:
            self._candidate = (self._candidate + step) % len(self._candidates)
            self._put(self._candidates[self._candidate])
        if len(self._candidates) == 1:
            self._candidates = ()

    def _recall(self, step: int) -> None:
        recalled = self._recalled + step
        if 0 <= recalled <= len(self._history):
            self._recalled, self._candidates = recalled, ()
            self._put(self._history[-recalled] if recalled else "")

    def _put(self, text: str) -> None:
        field = self.query_one(_Field)
        with field.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.post_message(self.Typed(text))

    def _candidate_line(self) -> Line:
        return [
            piece
            for index, candidate in enumerate(self._candidates)
            for piece in (
                (candidate.rpartition(" ")[2], "accent bold underline" if index == self._candidate else "text"),
                ("  ", "text"),
            )
        ]

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self._candidates, self._recalled = (), 0
            self.post_message(self.Typed(event.value))

    @on(Input.Submitted)
    def _taken(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Taken(event.value))
