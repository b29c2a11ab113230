"""Runs a sampler and posts its frames to a screen."""

from __future__ import annotations

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


async def feed(sampler: Sampler, target: MessagePump) -> None:
    """Post every frame of a sampler to a screen until cancelled."""
    async for frame in sampler.frames():
        target.post_message(FrameReady(frame))
