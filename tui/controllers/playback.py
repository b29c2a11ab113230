"""Carries out the time keys: moves the playback on a thread, plays at a given speed, reads ahead when idle."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial

from collectors.model.errors import SourceError
from collectors.query.time_parser import TimeError, check_inside, parse_time
from collectors.session.format import SessionError
from collectors.session.playback import Playback
from collectors.session.storage import is_written
from tui.controllers.background import run_blocking

SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
_PAINT_S = 0.1
"""Minimum seconds between repaints; at higher speeds frames are skipped."""
_LOOK_S = 1.0
"""Seconds between checks for new frames in a growing file."""
_LONGEST_WAIT_S = 2.0
"""Longest wait in seconds between two frames; longer gaps are shortened to this."""

Move = Callable[[int], int | None]
"""Maps the current frame number to the target number; `None` stays on the current frame."""


class PlaybackController:
    """Moves a playback on command.

    Args:
        playback: The playback to move.
        changed: Called on the event loop when there is something new to show.
        notify: Called with a message for the user.
        speed: Initial speed, as a multiple of real time.
    """

    def __init__(
        self, playback: Playback, changed: Callable[[], None], notify: Callable[[str], None], speed: float = 1.0
    ) -> None:
        self.playback = playback
        self.speed = speed
        self.is_playing = False
        self._changed = changed
        self._notify = notify
        self._moves: list[Move] = []
        self._is_moving = False
        self._is_following = False
        self._wake = asyncio.Event()

    def step(self, frames: int) -> None:
        """Move by a number of frames and pause; negative moves back."""
        self.is_playing = False
        self._post(lambda number: number + frames)

    def leap(self, seconds: float) -> None:
        """Move by a number of seconds; negative moves back."""

        def move(number: int) -> int:
            wall = self._wall(number) + seconds
            if seconds < 0 and wall < self.playback.span[0]:
                say("start of the session")
            target = self.playback.number_at(wall)
            return target if target != number else number + (1 if seconds > 0 else -1)

        say = self._from_threads()
        self._post(move)

    def to_event(self, step: int) -> None:
        """Go to the next or the previous event."""
        self.is_playing = False
        say = self._from_threads()
        word = "after" if step > 0 else "before"

        def move(number: int) -> int | None:
            target = self.playback.number_of_event(number, step)
            if target is None:
                say(f"no event {word} this one")
            return target

        self._post(move)

    def _from_threads(self) -> Callable[[str], object]:
        """Return a function that notifies from any thread, in the context of this call.

        A notice has timers, and those of Textual fail, and end the application, in a context without it.
        """
        loop, context = asyncio.get_running_loop(), copy_context()
        return lambda message: loop.call_soon_threadsafe(self._notify, message, context=context)

    def to_end(self, side: int) -> None:
        """Go to the first frame, or to the last; then follow the end of a growing session."""
        if side < 0:
            self._post(lambda number: 0)
        else:
            self._post(self._end)
            self._is_following = True

    def _end(self, number: int) -> int:
        self.playback.refresh()
        return self.playback.total - 1

    def to_wall(self, wall: float) -> None:
        """Go to a wall time in seconds since the epoch."""
        self._post(lambda number: self.playback.number_at(wall))

    def to_time(self, text: str) -> str:
        """Go to a time as the user typed it; return an error message, empty on success."""
        moment = self.playback.moment
        first, last = self.playback.span
        try:
            wall = parse_time(text, first, last, moment.frame.wall if moment is not None else first)
            if text.strip()[:1] not in ("+", "-"):
                check_inside(text, wall, first, last)
        except TimeError as error:
            return str(error)
        self.to_wall(wall)
        return ""

    def play(self) -> None:
        """Toggle between play and pause."""
        self.is_playing = not self.is_playing
        if self.is_playing and self.playback.number >= self.playback.total - 1 and not self._is_growing():
            self.to_end(-1)
        self._wake.set()
        self._changed()

    def faster(self, step: int) -> None:
        """Move the speed by a number of steps in `SPEEDS`; each step doubles or halves it."""
        nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - self.speed))
        self.speed = SPEEDS[max(0, min(nearest + step, len(SPEEDS) - 1))]
        self._wake.set()
        self._changed()

    def has_work(self) -> bool:
        """Return whether moves are pending or the charts are incomplete."""
        return bool(self._moves) or self._is_moving or self.playback.is_shallow

    def look_deeper(self) -> None:
        """Read the past again: the history keeps another metric now."""
        self.playback.reread_history()
        self._wake.set()

    def _post(self, move: Move) -> None:
        self._is_following = False
        self._moves.append(move)
        self._wake.set()

    def _wall(self, number: int) -> float:
        moment = self.playback.moment
        if moment is not None and number == self.playback.number:
            return moment.frame.wall
        frame = self.playback.session.frame(self.playback.session.position(number))
        return frame.wall if frame is not None else 0.0

    def _is_growing(self) -> bool:
        return any(is_written(file.path) for file in self.playback.session.last_files)

    async def run(self) -> None:
        """Carry out commands until cancelled. Read errors are reported and do not end it."""
        failure = ""
        while True:
            self._wake.clear()
            try:
                await self._turn()
                failure = ""
            except (SourceError, SessionError) as error:
                if (
                    self._is_moving or self.is_playing or str(error) != failure
                ):  # do not repeat it for every attempt to read ahead
                    self._notify(str(error))
                failure = str(error)
                self._is_moving = self.is_playing = False
                self._changed()
                await self._pause(_LOOK_S)

    async def _turn(self) -> None:
        if self._moves:
            moves, self._moves, self._is_moving = self._moves, [], True
            await run_blocking(partial(self._move, moves))
            self._is_moving = False
            self._changed()
        elif self.is_playing:
            await self._play_on()
        elif not await run_blocking(self._read_ahead):
            await self._pause(_LOOK_S)
            if await run_blocking(self.playback.refresh):
                if self._is_following:
                    await run_blocking(partial(self.playback.go, self.playback.total - 1))
                self._changed()
        else:
            self._changed()

    def _move(self, moves: list[Move]) -> None:
        number = self.playback.number
        for move in moves:
            target = move(number)
            number = number if target is None else max(0, min(target, self.playback.total - 1))
        self.playback.go(number)

    def _read_ahead(self) -> bool:
        """Complete the charts, then find the events; return whether something was read."""
        if self.playback.is_shallow:
            self.playback.deepen()
            return True
        return self.playback.events.advance()

    async def _play_on(self) -> None:
        start = time.monotonic()
        number = self.playback.number
        if number >= self.playback.total - 1:
            await self._wait_for_more()
            return
        pace = await run_blocking(partial(self._pace, number))
        frames = max(1, round(_PAINT_S * self.speed / max(pace, 1e-3)))
        spent = time.monotonic() - start
        await self._pause(max(0.0, min(frames * pace / self.speed, _LONGEST_WAIT_S) - spent))
        if self.is_playing and not self._moves:
            await run_blocking(partial(self.playback.go, number + frames))
            self._changed()

    def _pace(self, number: int) -> float:
        """Return the seconds from a frame to the next."""
        return max(0.0, self._wall(number + 1) - self._wall(number))

    async def _wait_for_more(self) -> None:
        """At the end: follow a file that is being written, else pause."""
        if await run_blocking(self.playback.refresh):
            return
        if await run_blocking(self._is_growing):
            await self._pause(_LOOK_S / 2)
        else:
            self.is_playing = False
            self._changed()

    async def _pause(self, seconds: float) -> None:
        """Wait for some seconds, or until the next key."""
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
        except TimeoutError:
            return
