"""Blocking calls from the screen, on threads that cannot hold up its end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


async def in_thread(call: Callable[[], Answer]) -> Answer:
    """Run a blocking call on a daemon thread of its own and wait for it; its exception is raised here.

    asyncio's own pool would be waited for when the program ends, even if a daemon never answers.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Answer | None, failure: BaseException | None) -> None:
        if future.done():
            return  # whoever waited has gone
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(answer)  # type: ignore[arg-type]  # None only when the call returned None

    def run() -> None:
        answer: Answer | None = None
        failure: BaseException | None = None
        try:
            answer = call()
        except BaseException as error:
            failure = error  # it belongs to whoever awaits
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, answer, failure)

    threading.Thread(target=run, name="on-demand", daemon=True).start()
    return await future
