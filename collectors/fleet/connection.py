"""One run of `vmtop record -` on another host: the client that runs it, and the frames that it sends."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from collectors.engines.child_process import ChildStream
from collectors.fleet.budget import FLOOD_S, CpuBudget
from collectors.fleet.hosts import HostSpec
from collectors.fleet.ssh import client_environment, no_client, ssh_words, why_ended
from collectors.fleet.stream import Stream, StreamError
from collectors.model.errors import SourceDown, SourceError
from collectors.model.workloads import Frame

log = logging.getLogger(__name__)

_KEPT_MESSAGES = 4096
"""Bytes of what client and shell print as errors: the newest."""
_MOST_MESSAGES = 1 << 20
SHORTEST_S, LONGEST_S = 0.2, 60.0
"""Seconds between frames, as `vmtop record` takes them."""
_PATIENCE_S = 1.0
"""Seconds for the thread to end after the client was ended."""


class Connection:
    """Runs the client, and reads on a thread of its own.

    Args:
        host: The host.
        interval_s: Seconds between its frames.
        on_frame: Called on that thread with each frame and the monotonic instant, in ns, of its arrival.
        on_end: Called on that thread when there will be no more; `failure` says why.

    Raises:
        SourceError: The client cannot be started.
    """

    def __init__(
        self, host: HostSpec, interval_s: float, on_frame: Callable[[Frame, int], None], on_end: Callable[[], None]
    ) -> None:
        self._host = host
        self._on_frame = on_frame
        self._on_end = on_end
        self._interval_s = _allowed(interval_s)
        words = ["record", "-", "--control", "--host", "local", "--interval", f"{self._interval_s:g}"]
        try:
            self._child = ChildStream(ssh_words(host, words), client_environment())
        except SourceError as error:
            raise no_client(error) from error
        self._stream = Stream()
        self._messages = b""
        self._message_bytes = 0
        self.failure: SourceError | None = None
        """Why it ended; `None` while it runs."""
        self.ended = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"host-{host.name}", daemon=True)
        self._thread.start()

    @property
    def program(self) -> str:
        """Name and version of the program there; empty before its first frame."""
        return self._stream.program

    @property
    def is_logged_in(self) -> bool:
        """Whether the client has said so. A shared connection says nothing."""
        return b"Authenticated to " in self._messages

    def pace(self, interval_s: float) -> None:
        """Ask for another interval."""
        interval_s = _allowed(interval_s)
        if interval_s != self._interval_s and self._child.send(f"interval {interval_s:g}"):
            self._interval_s = interval_s

    def end(self) -> None:
        """Ask the client to end, without waiting; the program there ends with its input."""
        self._closing.set()
        self._child.terminate()

    def close(self) -> None:
        """End the client, and release what it took."""
        self.end()
        self._thread.join(_PATIENCE_S)
        self._child.close()

    def _run(self) -> None:
        try:
            self._read()
            self.failure = self._ended()
        except StreamError as error:
            self.failure = self._unreadable(error)
        except Exception as error:
            # The guard around the thread: without it the host would stay as it is for ever.
            log.exception("%s: unexpected failure", self._host.name)
            self.failure = SourceDown(f"{self._host.name}: {type(error).__name__}: {error}")
        self.ended.set()
        self._on_end()

    def _read(self) -> None:
        """Read until the client ends.

        Raises:
            StreamError: What arrives cannot be used.
        """
        budget = CpuBudget(time.monotonic())
        for is_error, block in self._child.output():
            began = time.thread_time()
            if is_error:
                self._keep_message(block)
            else:
                for frame in self._stream.feed(block):
                    if not self._closing.is_set():
                        self._on_frame(frame, time.monotonic_ns())
            wait_s = budget.spend(time.thread_time() - began, time.monotonic())
            if budget.is_flooded(time.monotonic()):
                raise StreamError(f"it has sent more than can be read for {FLOOD_S:.0f} s")
            if self._closing.wait(wait_s):
                return

    def _keep_message(self, block: bytes) -> None:
        self._messages = (self._messages + block)[-_KEPT_MESSAGES:]
        self._message_bytes += len(block)
        if self._message_bytes > _MOST_MESSAGES:
            raise StreamError("it prints errors without end")

    def _ended(self) -> SourceError:
        messages = self._messages or self._stream.passed_over
        return why_ended(self._host, self._child.exit_code(), messages.decode("utf-8", "replace"))

    def _unreadable(self, error: StreamError) -> SourceError:
        name = self._host.name
        if error.is_newer:
            return SourceDown(f"the vmtop on {name} is newer than this one, which cannot read what it sends: {error}",
                              "update vmtop here")  # fmt: skip
        return SourceDown(
            f"what {name} sends cannot be used: {error}", f"{self._host.target.command} {self._host.command} doctor"
        )


def _allowed(interval_s: float) -> float:
    return min(LONGEST_S, max(SHORTEST_S, interval_s))
