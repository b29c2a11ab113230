"""A screen that is answered once: what still arrives when it has closed closes nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.screen import ModalScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[Any]
else:
    Base = object  # Textual takes styles from the first base that is a widget: it has to be the screen's own

Answer = TypeVar("Answer")


class AnsweredOnce(Base):
    """A screen that can be dismissed only while it is the one on top.

    Textual takes whatever screen is on top away, so a second key or a message that was on its way would close the
    screen below, or end the application.
    """

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close with an answer; from below another screen, or closed already, do nothing."""
        if self.app.screen is not self:
            return AwaitComplete()
        return super().dismiss(result)


class Dialog(AnsweredOnce, ModalScreen[Answer]):
    """A question over another screen."""


class Palette(AnsweredOnce, CommandPalette):
    """Textual's palette of commands."""
