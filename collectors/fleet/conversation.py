"""Questions to the vmtop of another host: one `ssh HOST vmtop answer`, started when first needed, for all of them."""

from __future__ import annotations

import itertools
import logging
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import msgspec

from collectors.engines.child_process import ChildStream
from collectors.fleet.hosts import HostSpec
from collectors.fleet.questions import LONGEST_LINE, SCHEMA, Answer, Ask, Question, parsed, value_of
from collectors.fleet.ssh import CONNECT_S, client_environment, no_client, ssh_words, why_ended
from collectors.model.errors import NotInTime, SourceDown, SourceError
from collectors.sampling.timeout import ANSWER_S

log = logging.getLogger(__name__)

Value = TypeVar("Value")
WORDS = ("answer", "--host", "local")
"""The arguments of the vmtop there."""
_Parts = queue.Queue["Answer | SourceError"]
_BANNER = 64 << 10
"""Bytes that a login may print before the first answer."""
_MESSAGES = 4096
"""Bytes of what the client prints as errors that are kept: the last ones."""
_LOGIN_S = CONNECT_S + 22.0
"""Seconds that a login and the start of vmtop there may take."""
_LEAST_AHEAD_S = 5.0
"""A difference between clocks that cannot be the time that the first line took."""
_WAITING = 100
"""Parts of an answer that may wait to be taken; the connection waits when there are more."""


class Conversation:
    """Asks the vmtop of a host. Any thread may ask; questions do not wait for each other.

    Args:
        host: The host.
    """

    def __init__(self, host: HostSpec) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._line: _Line | None = None

    def ask(self, kind: type[Value], ask: Ask, timeout_s: float = ANSWER_S, **arguments: Any) -> Value:
        """Return the answer to a question. Blocks.

        Args:
            kind: The type of the answer.
            ask: What is asked.
            timeout_s: Seconds for the answer, in addition to those for a login that has to come before.
            arguments: Those of `Question`.

        Raises:
            SourceError: The host cannot be reached or cannot answer.
        """
        for value in self._parts(kind, ask, timeout_s + _LOGIN_S, arguments):
            return value
        raise SourceError(f"the vmtop on {self._host.name} gave no answer")

    def send_once(self, kind: type[Value], ask: Ask, timeout_s: float = ANSWER_S, **arguments: Any) -> Value:
        """Ask for what must not be done twice: as `ask`, but never again after a connection that has ended."""
        for answer in self._answers(ask, timeout_s + _LOGIN_S, arguments):
            return value_of(answer, kind)
        raise SourceDown(f"the vmtop on {self._host.name} gave no answer")

    def parts(self, kind: type[Value], ask: Ask, **arguments: Any) -> Iterator[Value]:
        """Yield the parts of an answer as they come, without a time limit. Raises as `ask`."""
        return self._parts(kind, ask, None, arguments)

    def _parts(
        self, kind: type[Value], ask: Ask, timeout_s: float | None, arguments: dict[str, Any]
    ) -> Iterator[Value]:
        has_begun = False
        try:
            for answer in self._answers(ask, timeout_s, arguments):
                has_begun = True
                yield value_of(answer, kind)
        except _Ended:
            if has_begun:
                raise
            # It had nothing to do for a while, and left just when it was asked.
            for answer in self._answers(ask, timeout_s, arguments):
                yield value_of(answer, kind)

    def _answers(self, ask: Ask, timeout_s: float | None, arguments: dict[str, Any]) -> Iterator[Answer]:
        with self._open().asking(ask, arguments) as parts:
            has_more = True
            while has_more:
                try:
                    answer = parts.get(timeout=timeout_s)
                except queue.Empty:
                    raise NotInTime(f"{self._host.name} has not answered for {timeout_s:.0f} s") from None
                if isinstance(answer, SourceError):
                    raise answer
                has_more = answer.has_more
                if has_more or answer.value is not None or answer.problem is not None:
                    yield answer

    @property
    def ahead_s(self) -> float:
        """By how many seconds the host's clock is ahead of this one's; 0 where that is not much, or not known yet."""
        line = self._line
        return 0.0 if line is None else line.ahead_s

    def close(self) -> None:
        """End the connection; the next question opens another one. Never raises."""
        with self._lock:
            line, self._line = self._line, None
        if line is not None:
            line.close()

    def _open(self) -> _Line:
        with self._lock:
            if self._line is None or self._line.has_ended:
                self._line = _Line(self._host)
            return self._line


def _ahead_s(greeting: bytearray, now: float) -> float:
    """Return by how much the clock of a greeting is ahead; what the line takes is less than what counts."""
    try:
        wall = msgspec.json.decode(bytes(greeting)).get("wall")
    except (msgspec.MsgspecError, AttributeError):
        return 0.0
    ahead_s = wall - now if isinstance(wall, int | float) else 0.0
    return ahead_s if abs(ahead_s) >= _LEAST_AHEAD_S else 0.0


class _Ended(SourceDown):
    """The other end left without an answer, and without an error."""


class _Line:
    """One client and what goes over it."""

    def __init__(self, host: HostSpec) -> None:
        self._host = host
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._asked: dict[int, _Parts] = {}
        self._messages = b""
        self._failure: SourceError | None = None
        """Why it is ended from here."""
        self.has_ended = False
        self.ahead_s = 0.0
        try:
            self._child = ChildStream(ssh_words(host, WORDS), client_environment())
        except SourceError as error:
            raise no_client(error) from error
        late = NotInTime(f"no vmtop has answered on {host.name} for {_LOGIN_S:.0f} s", host.target.command)
        self._login = threading.Timer(_LOGIN_S, self._end, [late])
        self._login.daemon = True
        self._login.start()
        threading.Thread(target=self._run, name=f"answers-{host.name}", daemon=True).start()

    @contextmanager
    def asking(self, ask: Ask, arguments: dict[str, Any]) -> Iterator[_Parts]:
        """Send a question; yield where its answers arrive."""
        parts: _Parts = queue.Queue(_WAITING)
        with self._lock:
            if self.has_ended:
                raise _Ended(f"the connection to {self._host.name} has ended")
            number = next(self._numbers)
            self._asked[number] = parts
            question = msgspec.json.encode(Question(number, ask, **arguments)).decode()
            if not self._child.send(question, _LOGIN_S):
                self._child.terminate()  # everyone who waits is told why it ended
        try:
            yield parts
        finally:
            with self._lock:
                self._asked.pop(number, None)

    def close(self) -> None:
        """End the client. Never raises."""
        self._end(SourceDown(f"the connection to {self._host.name} was closed"))

    def _end(self, reason: SourceError) -> None:
        self._failure = self._failure or reason
        self._child.terminate()

    def _run(self) -> None:
        """Hand the answers to those who asked until the client ends, and then its reason to those who still wait."""
        try:
            self._hand_out()
        except SourceError as error:
            self._end(error)
        except Exception as error:
            # The guard around the thread: without it those who have asked would wait for ever.
            log.exception("%s: unexpected failure", self._host.name)
            self._end(SourceDown(f"{self._host.name}: {type(error).__name__}: {error}"))
        self._login.cancel()
        self._child.close()
        failure = self._failure or self._why_ended()
        with self._lock:
            self.has_ended = True
            waiting, self._asked = self._asked, {}
        for parts in waiting.values():
            with suppress(queue.Empty):  # what was not taken yet makes room for the end
                while parts.full():
                    parts.get_nowait()
            parts.put(failure)

    def _why_ended(self) -> SourceError:
        code = self._child.exit_code()
        if code == 0:
            return _Ended(f"the vmtop on {self._host.name} left")
        return why_ended(self._host, code, self._messages.decode("utf-8", "replace"))

    def _hand_out(self) -> None:
        """Hand out answers up to the end.

        Raises:
            SourceDown: Something else arrived.
        """
        rest, has_begun, passed_over = bytearray(), False, 0
        for is_error, block in self._child.output():
            if is_error:
                self._messages = (self._messages + block)[-_MESSAGES:]
                continue
            rest += block
            if b"\n" in block:
                *lines, rest = rest.split(b"\n")
                for line in lines:
                    if has_begun:
                        self._hand(self._parsed(line))
                    elif SCHEMA.encode() in line:
                        self._login.cancel()
                        has_begun = True
                        self.ahead_s = _ahead_s(line, time.time())
                    else:
                        passed_over += len(line)
            if passed_over + len(rest) > (LONGEST_LINE if has_begun else _BANNER):
                raise SourceDown(f"what {self._host.name} sends is no answer of vmtop")

    def _parsed(self, line: bytearray) -> Answer:
        try:
            return parsed(bytes(line))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise SourceDown(f"what {self._host.name} sends is no answer of vmtop") from None

    def _hand(self, answer: Answer) -> None:
        """Put an answer where it is waited for, as soon as there is room; drop it when nobody waits any longer."""
        while self._failure is None:
            with self._lock:
                parts = self._asked.get(answer.n)
            if parts is None:
                return
            with suppress(queue.Full):
                parts.put(answer, timeout=0.5)
                return
