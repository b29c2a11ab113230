"""Runs a sampler and posts its frames to a screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from textual.app import App
from textual.message import Message
from textual.message_pump import MessagePump

from collectors.model.workloads import Frame
from collectors.sampling.sampler import Sampler


class FrameReady(Message):
    """A new frame. It replaces an older one that is still waiting to be handled."""

    def __init__(self, frame: Frame) -> None:
        super().__init__()
        self.frame = frame

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


async def feed(sampler: Sampler, target: MessagePump) -> None:
    """Post every frame of a sampler to a screen until cancelled."""
    async for frame in sampler.frames():
        target.post_message(FrameReady(frame))
