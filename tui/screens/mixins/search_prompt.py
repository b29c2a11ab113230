"""The search prompt of screens with long texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.widgets import Input

from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class SearchPrompt(Base):
    """A screen with one `LineView` and one `Input`, which `/` opens and Esc clears."""

    typed_keys: ClassVar[frozenset[str]] = frozenset({"search"})
    """Actions whose keys are text while the prompt is open."""

    def action_search(self) -> None:
        self.open_prompt("search", self.query_one(LineView).needle)

    def open_prompt(self, placeholder: str, value: str) -> None:
        """Ask for a text, which begins as the one that applies."""
        prompt = self.query_one(Input)
        prompt.placeholder, prompt.value, prompt.display = placeholder, value, True
        self.set_focus(prompt)

    def is_search(self) -> bool:
        """Return whether what is typed is searched for."""
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action in self.typed_keys and isinstance(self.focused, Input))

    def on_input_changed(self, event: Input.Changed) -> None:
        if self.is_search() and self.query_one(Input).display:
            view = self.query_one(LineView)
            view.needle = event.value
            view.repaint()
            self.needle_changed()

    def needle_changed(self) -> None:
        """Called after each change of the search text."""

    def close_prompt(self) -> None:
        """Hide the prompt and focus the lines."""
        self.query_one(Input).display = False
        self.query_one(LineView).focus()

    def leave_search(self) -> bool:
        """End the search; return whether one was active."""
        view = self.query_one(LineView)
        if not self.query_one(Input).display and not view.needle:
            return False
        view.needle = ""
        self.query_one(Input).value = ""
        self.close_prompt()
        view.repaint()
        return True
