"""The time keys, for every screen of a replay."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from collectors.query.time_parser import EXAMPLES
from tui.controllers.playback import PlaybackController
from tui.dialogs.prompt import ask

if TYPE_CHECKING:
    from textual.screen import Screen

    Base = Screen[None]
else:
    Base = object


class PlaybackKeys(Base):
    """A screen whose keys move through a session."""

    traveler: PlaybackController

    def action_play(self) -> None:
        self.traveler.play()

    def action_step(self, frames: int) -> None:
        self.traveler.step(frames)

    def action_leap(self, seconds: int) -> None:
        self.traveler.leap(seconds)

    def action_event(self, step: int) -> None:
        self.traveler.to_event(step)

    def action_ends(self, side: int) -> None:
        self.traveler.to_end(side)

    def action_speed(self, step: int) -> None:
        self.traveler.faster(step)

    def action_go_to(self) -> None:
        ask(self, "Go to", "", EXAMPLES, self.traveler.to_time, lambda text: None)


class IntoPastKeys(Base):
    """A live screen with keys that lead to a past moment of the session: there they mean the same."""

    def enter_past(self, then: Callable[[PlaybackKeys], None]) -> None:
        """Show the session one frame before now, on a screen like this one, and do something there."""
        raise NotImplementedError

    def action_back_in_time(self) -> None:
        self.enter_past(lambda past: None)

    def action_leap(self, seconds: int) -> None:
        self.enter_past(lambda past: past.action_leap(seconds))

    def action_event(self, step: int) -> None:
        self.enter_past(lambda past: past.action_event(step))

    def action_go_to(self) -> None:
        self.enter_past(lambda past: past.action_go_to())
