"""The last line of every screen."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual import events
from textual.timer import Timer

from tui.keys.in_use import user_keys
from tui.keys.key import Key, with_user_keys
from tui.presenters.footer import FooterPiece, action_at, footer_pieces, notice_lines, room_of
from tui.presenters.styled_lines import Run
from tui.widgets.text_lines import TextLines


class Footer(TextLines):
    """Shows the keys of a screen; each word can be clicked."""

    DEFAULT_CSS = "Footer { height: 1; dock: bottom; background: $panel; }"
    ground = "panel"

    def __init__(self, rows: Iterable[Key] = ()) -> None:
        super().__init__(id="footer")
        self._rows = tuple(rows)
        self._pieces_shown: list[FooterPiece] = []
        self._notice: tuple[str, str] | None = None
        """What stands in the place of the keys for some seconds, with its tone; `None` most of the time."""
        self._notice_ends: Timer | None = None

    def show(self, rows: Iterable[Key]) -> None:
        """Show these keys."""
        self._rows = tuple(rows)
        self._lay_out()

    def say(self, message: str, tone: str, seconds: float) -> None:
        """Show a notice for some seconds, with help and the way out beside it. A long one takes a second line."""
        self._notice = message, tone
        if self._notice_ends is not None:
            self._notice_ends.stop()
        self._notice_ends = self.set_timer(seconds, self.fall_silent)
        self._lay_out()

    def fall_silent(self) -> None:
        """Take the notice away, if there is one: its time is over, or what it was about has changed."""
        if self._notice_ends is not None:
            self._notice_ends.stop()
            self._notice = self._notice_ends = None
            self._lay_out()

    def on_mount(self) -> None:
        self._lay_out()

    def on_resize(self) -> None:
        super().on_resize()
        self._lay_out()

    def _lay_out(self) -> None:
        if not self.is_mounted:
            return
        width = self.size.width
        rows = [row for row in with_user_keys(self._rows, user_keys(self.app)) if row.keys]
        pieces = footer_pieces(rows, width)
        notice: list[str] = []
        if self._notice is not None:
            room = room_of(pieces, rows, width)
            pieces = [piece for piece in pieces if piece.x > room]
            notice = notice_lines(self._notice[0], max(1, room))
        tone = self._notice[1] if self._notice is not None else "text"
        lines: list[list[Run]] = [[(f" {line}", tone)] for line in notice] or [[]]
        x = cell_len(f" {notice[-1]}") if notice else 0
        for piece in pieces:
            lines[-1] += [(" " * (piece.x - x), "text"), (piece.text, "accent bold" if piece.is_key else "text")]
            x = piece.x + len(piece.text)
        self._pieces_shown = pieces
        self.styles.height = len(lines)
        self.show_lines(lines)

    def on_click(self, event: events.Click) -> None:
        """Do what the key under the mouse does."""
        action = action_at(self._pieces_shown, event.x) if event.y == self.size.height - 1 else ""
        if action:
            event.stop()
            self.screen.call_next(self.screen.run_action, action)
