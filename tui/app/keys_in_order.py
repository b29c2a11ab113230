"""Keys take effect one after the other, as fast as they may arrive.

Textual hands a key to the widget that has the focus at once, but starts what the key is bound to only when the key has
bubbled up to the application. Of keys that arrive together (over a slow line, or while the host is busy), those meant
for a dialogue would reach the screen below it, and letters would overtake a Backspace.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from textual import events
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from tui.app.themed import ThemedApp

Typed = events.Key | events.Paste
_TURN_S, _TURNS = 0.1, 10
"""A key is given up after so many turns of the loop, at least so many seconds apart, while others wait: a widget that
is removed meanwhile may lose the message that tells of its end. Turns, because on a busy host seconds pass in which
nothing here can go on."""


class KeysInOrder(ThemedApp):
    """An application that takes up a key when everything that the key before it started is done."""

    def __init__(self, theme: str, ascii_only: bool) -> None:
        super().__init__(theme, ascii_only)
        self._waiting: deque[Typed] = deque()
        self._is_begun = False
        """Whether the first screen is there, so that keys mean something."""
        self._number = 0
        """Counts the keys that were taken up."""
        self._current: Typed | None = None
        """The key that was taken up last."""
        self._screen_before: Screen[Any] | None = None
        """The screen that was on top when it was."""
        self._is_busy = False
        """Whether a key is under way."""
        self._watch: asyncio.Task[None] | None = None
        """Gives up the key that is under way; `None` while no other one waits for it."""
        self._after_key: list[Callable[[], object]] = []
        """What lets the key that is under way go first."""

    async def take_up(self, event: Typed) -> None:
        """Handle a key or a paste, or keep it until the first screen is there and the one before it is done."""
        self._waiting.append(event)
        if not self._is_begun:
            return
        if not self._is_busy:
            await self._take_next()
        elif self._watch is None or self._watch.done():
            self._watch = asyncio.create_task(self._give_up_in_time())

    async def _give_up_in_time(self) -> None:
        """Take up the next key if the one under way does not come to an end, although the loop goes round."""
        number, turns = self._number, 0
        while self._is_busy and self._waiting:
            await asyncio.sleep(_TURN_S)
            number, turns = (number, turns + 1) if number == self._number else (self._number, 0)
            if turns >= _TURNS:
                self.call_later(self._go_on, number)
                turns = 0

    def after_key(self, start: Callable[[], object]) -> None:
        """Call back soon: at once, or when the key that has arrived by now has had its effect.

        What takes long and is nobody's wish starts here, so that it does not come between a key and its effect. A key
        that does not come to an end is waited for no longer than `_TURN_S`.
        """
        self._after_key.append(start)
        asyncio.get_running_loop().call_soon(self._look_for_keys)  # in this turn of the loop, keys come in

    def _look_for_keys(self) -> None:
        if self._is_busy:
            asyncio.get_running_loop().call_later(_TURN_S, self._start_kept)
        else:
            self._start_kept()

    def _start_kept(self) -> None:
        kept, self._after_key = self._after_key, []
        for start in kept:
            start()

    async def begin_with_keys(self) -> None:
        """Take up the keys that were typed before the first screen was there, and all that follow."""
        self._is_begun = True
        if self._waiting:
            await self._take_next()

    async def handle_typed(self, event: Typed) -> None:
        """Hand a key or a paste to Textual, if it is still meant for something."""
        raise NotImplementedError

    async def bubbled(self, event: Typed) -> None:
        """Note that a key has come up to the application and was handled there: it is done."""
        if event is self._current:
            await self._done(self._number)

    async def _take_next(self) -> None:
        self._is_busy = True
        self._number += 1
        self._current = event = self._waiting.popleft()
        self._screen_before = self.screen
        target: DOMNode = self.focused or self.screen
        await self.handle_typed(event)
        if not event.is_forwarded:
            self.call_later(self._done, self._number)
        elif isinstance(target, Input) or isinstance(self._screen_before, ModalScreen):
            # It may be handled on the way, and never come up. What follows it has to be behind it from the start.
            is_alive = target.call_later(self._follow, target, self._number)
            if not is_alive:
                self._follow(target, self._number)

    def _follow(self, node: DOMNode, number: int) -> None:
        """Go the way on which a key bubbles: each widget calls back when it has handled the key."""
        parent = node.parent
        if isinstance(parent, DOMNode) and node is not self and parent.call_later(self._follow, parent, number):
            return
        self.call_later(self._done, number)

    async def _done(self, number: int) -> None:
        """Take up the next key; what the last one opened comes before it."""
        is_same = self.screen is self._screen_before
        if is_same or not self.screen.call_later(self.call_later, self._go_on, number):
            await self._go_on(number)

    async def _go_on(self, number: int) -> None:
        """Take up the next key, unless this one was given up."""
        if number != self._number:
            return
        self._is_busy = False
        self._start_kept()
        if self._waiting:
            await self._take_next()
