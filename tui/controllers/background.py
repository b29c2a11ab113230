"""Blocking calls from screens, on threads that cannot delay exit."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from collectors.model.errors import SourceError
from collectors.safety.sanitize import sanitize
from collectors.session.format import SessionError

if TYPE_CHECKING:
    from textual.screen import Screen

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")


async def run_blocking(call: Callable[[], Answer]) -> Answer:
    """Run a blocking call on a daemon thread of its own and wait for it.

    The program would wait for asyncio's own pool at exit, even if a daemon never answers.

    Raises:
        SessionError: The call raised one.
        SourceError: The call raised one, or failed unexpectedly; then the log has the traceback.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Answer] = loop.create_future()

    def settle(answer: Answer | None, failure: BaseException | None) -> None:
        if future.done():
            return  # the caller was cancelled
        if failure is not None:
            future.set_exception(failure)
        else:
            future.set_result(answer)  # type: ignore[arg-type]  # None only when the call returned None

    def run() -> None:
        answer: Answer | None = None
        failure: BaseException | None = None
        try:
            answer = call()
        except (SourceError, SessionError) as error:
            failure = error
        except Exception as error:
            # Boundary of on-demand reads: no exception from a library may end the screen.
            log.exception("unexpected failure on demand")
            failure = SourceError(
                f"unexpected error: {type(error).__name__}: {sanitize(str(error))}", "see the log for details"
            )
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, answer, failure)

    threading.Thread(target=run, name="on-demand", daemon=True).start()
    return await future


def is_up(screen: Screen[Any]) -> bool:
    """Return whether a screen still has its widgets; it may have been closed during a blocking call."""
    return screen.is_attached and bool(screen.children)
