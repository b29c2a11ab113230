"""Runs a sampler and posts its frames to a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump

from collectors.model.workloads import Frame
from collectors.sampling.sampler import Sampler

_TURNS = 8
"""Turns of the loop in which a key that the terminal has sent comes to the application, and is taken up: from the
thread that reads, through the application's queue."""
STAGED_FROM = 2000
"""Workloads from which a frame is derived in stages: fewer take no longer than the turns between the stages."""


class FrameReady(Message, bubble=False):
    """A new frame. It replaces an older one that is still waiting to be handled."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame
        self.is_taken = False
        """Whether the screen has taken the frame in."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, FrameReady)


class ShowDue(Message, bubble=False):
    """What was made of a frame is to be shown: the keys that came with it have gone first."""


class JudgeDue(Message, bubble=False):
    """What was made of a frame is to be judged by the rules of alerts: it has been shown."""


@runtime_checkable
class KeysFirst(Protocol):
    """An application in which what a tick starts can let a key go first."""

    def after_key(self, start: Callable[[], object]) -> None:
        """Call back soon: at once, or when the key that has arrived by now has had its effect."""


def after_key(app: App[Any], start: Callable[[], object]) -> None:
    """Start something after the key that is under way in an app, if it knows of keys; else at once."""
    if isinstance(app, KeysFirst):
        app.after_key(start)
    else:
        start()


async def keys_gone(app: App[Any]) -> None:
    """Wait until the keys that have arrived by now have had their effect."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)
    gone = asyncio.Event()
    after_key(app, gone.set)
    await gone.wait()


async def feed(sampler: Sampler, target: MessagePump, stages: Sequence[Callable[[Frame], object]] = ()) -> None:
    """Post every frame of a sampler to a screen until cancelled.

    Args:
        sampler: It takes the frames.
        target: The screen.
        stages: What is done with a frame of many workloads before it is posted, step by step, so that no key waits
            for all of it. Where the frame before has not been taken in yet, it is left to the screen, as frames go in
            order.
    """
    ready: FrameReady | None = None
    async for frame in sampler.frames():
        if ready is None or ready.is_taken:
            for stage in stages if len(frame.workloads) >= STAGED_FROM else ():
                stage(frame)
                await keys_gone(target.app)
        ready = FrameReady(frame)
        target.post_message(ready)
