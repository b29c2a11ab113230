"""Asking for one line from any screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tui.screens.ask import Ask

if TYPE_CHECKING:
    from textual.screen import Screen


def ask(
    screen: Screen[Any], title: str, value: str, hint: str, check: Callable[[str], str], take: Callable[[str], None]
) -> None:
    """Ask for a line; `take` gets it if there is one (see `Ask.prepare`)."""

    def answered(answer: str | None) -> None:
        if answer is not None:
            take(answer)

    question = screen.app.get_screen("ask")
    assert isinstance(question, Ask)  # noqa: S101  # installed under this name by the app
    screen.app.push_screen(question.prepare(title, value, hint, check), answered)
