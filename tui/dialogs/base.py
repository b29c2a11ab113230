"""A screen that is answered once: a late key or message does not close another screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from textual.await_complete import AwaitComplete
from textual.screen import ModalScreen

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[Any]
else:
    Base = object  # Textual takes styles from the first base that is a widget: it has to be the screen's own

Answer = TypeVar("Answer")


class AnsweredOnce(Base):
    """A screen that can be dismissed only while it is the one on top.

    Textual closes whichever screen is on top, so a second key or a message under way would close the screen below, or
    end the application.
    """

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close with an answer; do nothing if the screen is below another one or already closed."""
        if self.app.screen is not self:
            return AwaitComplete()
        return super().dismiss(result)


class Dialog(AnsweredOnce, ModalScreen[Answer]):
    """A question over another screen."""
