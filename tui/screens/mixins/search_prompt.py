"""The search prompt of screens with long texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Input

from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class SearchPrompt(Base):
    """A screen with one `LineView` and one `Input`, which `/` opens and Esc clears."""

    def action_search(self) -> None:
        prompt = self.query_one(Input)
        prompt.display = True
        self.set_focus(prompt)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return not (action == "search" and isinstance(self.focused, Input))

    def on_input_changed(self, event: Input.Changed) -> None:
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
