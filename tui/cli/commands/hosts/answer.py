"""`vmtop answer`: the other end of what a vmtop on another host asks, over its SSH connection."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import click
import msgspec

from collectors import __version__
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.process_signals import SignalRequest
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.actions.signalling import BY_NAME, SignalsHere
from collectors.engines.connections import EngineConnections
from collectors.fleet.questions import (
    LONGEST_LINE,
    MOST_LINES,
    SCHEMA,
    Answer,
    Ask,
    Description,
    Problem,
    ProcessAnswer,
    Question,
    problem_of,
)
from collectors.inspection.details import DetailsReader
from collectors.inspection.logs import open_log
from collectors.inspection.processes import ProcessReader
from collectors.inspection.raw_description import read_document
from collectors.model.actions import Outcome, Result
from collectors.model.errors import SourceError
from collectors.model.logs import Log, LogLine
from collectors.model.processes import SignalLook
from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.safety.typed_json import decode
from collectors.sampling.source import SourceSpec
from collectors.sampling.timeout import ANSWER_S
from tui.cli.commands.hosts.limit_answers import LimitAnswers
from tui.cli.configuration import read_config
from tui.cli.options import source_options
from tui.controllers.services import who
from tui.settings.paths import state_folder

log = logging.getLogger(__name__)

_AT_ONCE = 32
"""Questions that are answered side by side."""
_IDLE_S = 60.0
"""It ends after this many seconds without a question; the next one starts it again."""
_REMEMBERS_S = 900.0
"""The same while it knows of limits that may yet be set or taken back: whoever asked may still be at the question."""
_LASTING = frozenset({Ask.SIGNAL, Ask.LIMITS_SET, Ask.LIMITS_UNDO})
"""What goes on to its end, and into the log, when the connection ends before."""
_GATHERED_S = 0.1
"""Seconds for which lines that arrive are gathered into one part of an answer."""


@click.command("answer", hidden=True)
@source_options
def command(specs: list[SourceSpec]) -> int:
    """Answer the questions of a vmtop on another host, which come on standard input, until they end.

    They are JSON documents, one per line, and so are the answers.
    """
    if sys.stdin.isatty():
        raise click.UsageError("a vmtop on another host runs this; people use 'vmtop logs', 'inspect' and 'top'.")
    Answers(EngineConnections(specs)).run()
    return 0


class _Numbered(msgspec.Struct):
    """What every question has, also one of a later version."""

    n: int


class Answers:
    """Answers questions from standard input on standard output.

    Args:
        connections: Access to the engines of this host.
    """

    def __init__(self, connections: EngineConnections) -> None:
        self._connections = connections
        config = read_config()
        runner = Runner(connections.actions, ActionLog(state_folder() / "actions.log"), who())
        runner.is_locked = config.read_only
        protection = Protection(config.actions.allow_protected)
        self._runner, self._looker = runner, Looker(runner, protection)
        self._signals = SignalsHere(runner, protection)
        self._limits = LimitAnswers(connections, runner, self._looker)
        self._details: dict[WorkloadId, DetailsReader] = {}
        self._processes: dict[WorkloadId, ProcessReader] = {}
        self._workloads: dict[WorkloadId, Workload] = {}
        """Those whose processes are read, as they were last described."""
        self._logs: dict[int, Log] = {}
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._turn = threading.BoundedSemaphore(_AT_ONCE)
        self._questions: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._asked = 0
        self._replies: Mapping[Ask, Callable[[Question, Workload], Any]] = {
            Ask.OBSERVE: lambda question, workload: runner.look(workload, ANSWER_S),
            Ask.LOOK: lambda question, workload: self._looker.look(workload, question.workloads, ANSWER_S),
            Ask.DETAILS: self._read_details,
            Ask.DESCRIBE: self._describe,
            Ask.PROCESSES: self._read_processes,
            Ask.LOG_OPEN: lambda question, workload: self._log(question, workload).title,
            Ask.LOG_LAST: lambda question, workload: self._log(question, workload).last(question.count),
            Ask.LOG_FIRST: lambda question, workload: self._log(question, workload).first(question.count),
            Ask.LOG_BEFORE: lambda question, workload: self._log(question, workload).before(
                _line(question), question.count
            ),
            Ask.LOG_AFTER: lambda question, workload: self._log(question, workload).after(
                _line(question), question.count
            ),
            Ask.LOG_UNTIL: lambda question, workload: self._log(question, workload).until(
                question.wall, question.count
            ),
            Ask.LOG_INTERRUPT: self._interrupt,
            **self._limits.replies,
        }

    def run(self) -> None:
        """Answer until there are no more questions for a while, or the input ends."""
        self._write(msgspec.json.encode({"schema": SCHEMA, "program": f"vmtop {__version__}", "wall": time.time()}))
        threading.Thread(target=self._listen, name="questions", daemon=True).start()
        while True:
            try:
                line = self._questions.get(timeout=_REMEMBERS_S if self._limits.are_remembered else _IDLE_S)
            except queue.Empty:
                with self._lock:
                    if not self._asked:
                        return
                continue
            if not line:
                return
            question = self._question(line)
            if question is None:
                continue
            with self._lock:
                self._asked += 1
            is_daemon = question.ask not in _LASTING
            threading.Thread(target=self._answer, args=(question,), name=question.ask, daemon=is_daemon).start()

    def _listen(self) -> None:
        # Not `sys.stdin`: Python would wait for this thread's lock on it when the process ends.
        with open(sys.stdin.fileno(), "rb", closefd=False) as stdin:
            while line := stdin.readline(LONGEST_LINE):
                self._questions.put(line)
        self._questions.put(b"")

    def _question(self, line: bytes) -> Question | None:
        """Return the question on a line; answer at once one that a later version may have asked.

        Raises:
            click.ClickException: It is none of vmtop's.
        """
        try:
            return decode(line, Question)
        except msgspec.ValidationError as error:
            reason = f"the vmtop there does not know this question: {error}"
        except msgspec.DecodeError as error:
            raise click.ClickException("what arrived is no question of vmtop") from error
        try:
            number = decode(line, _Numbered).n
        except msgspec.ValidationError as error:
            raise click.ClickException("what arrived is no question of vmtop") from error
        self._send(Answer(number, problem=Problem("error", reason, "update vmtop there")))
        return None

    def _answer(self, question: Question) -> None:
        try:
            self._send_answer(question)
        except SourceError as error:
            self._send(Answer(question.n, problem=problem_of(error)))
        except Exception as error:
            # The boundary of the question's thread: without it, whoever asked would wait for ever. It is "down", as
            # nobody knows what it had done before.
            log.exception("%s failed", question.ask)
            self._send(Answer(question.n, problem=Problem("down", f"{type(error).__name__}: {error}")))
        finally:
            with self._lock:
                self._asked -= 1

    def _send_answer(self, question: Question) -> None:
        workload = question.workload
        if question.ask in (Ask.SIGNAL, Ask.SIGNAL_LOOK):
            self._send(Answer(question.n, self._signal(question)))
            return
        if workload is None:
            raise SourceError("no workload was named")
        if question.ask in (Ask.LOG_WRITTEN, Ask.LOG_FOLLOW):
            for lines in _in_parts(self._stream(question, workload)):
                self._send(Answer(question.n, lines, has_more=True))
            self._send(Answer(question.n))
            return
        with self._turn:
            value = self._replies[question.ask](question, workload)
        self._send(Answer(question.n, value))

    def _read_details(self, question: Question, workload: Workload) -> Any:
        with self._lock:
            reader = self._details.setdefault(workload.id, DetailsReader(self._connections))
        return reader.read(workload)

    def _describe(self, question: Question, workload: Workload) -> Description:
        return Description(*read_document(workload, self._connections))

    def _read_processes(self, question: Question, workload: Workload) -> ProcessAnswer:
        """Make a pass if it is asked for, and read what is needed of the last one."""
        with self._lock:
            self._workloads[workload.id] = workload
            reader = self._processes.setdefault(workload.id, ProcessReader(self._whose(workload.id)))
        view = reader.read(
            question.is_due, lambda newest: question.processes, lambda newest: (question.subject, question.is_vm)
        )
        return ProcessAnswer(view.newest if question.is_due else None, tuple(view.texts.items()), view.details)

    def _signal(self, question: Question) -> SignalLook | Outcome:
        """Look what a signal would meet; send it if it is asked for, and nothing speaks against it."""
        process, workload = question.subject, question.workload
        if process is None or (question.signal and question.signal not in BY_NAME):
            raise SourceError("no such signal, or no process was named")
        look = self._signals.look(process, question.signal, workload)
        if question.ask is Ask.SIGNAL_LOOK:
            return look
        if look.protected or self._runner.is_locked:
            reason = f"protected: {look.protected}" if look.protected else "read_only is set in the configuration there"
            return Outcome(Result.REFUSED, f"{process.name} ({process.pid}) not done: {reason}")
        request = SignalRequest(BY_NAME[question.signal], process, question.command, workload)
        return self._signals.send(request, WorkloadId("host", "host"))

    def _whose(self, identity: WorkloadId) -> Callable[[], Workload | None]:
        """Return a function that returns the workload as it is now; for the host itself `None`, which is all of it."""

        def now() -> Workload | None:
            workload = self._workloads[identity]
            return None if workload.kind is Kind.HOST else workload

        return now

    def _log(self, question: Question, workload: Workload) -> Log:
        with self._lock:
            opened = self._logs.get(question.log)
        if opened is None:
            opened = open_log(workload, self._connections)
            with self._lock:
                opened = self._logs.setdefault(question.log, opened)
        return opened

    def _interrupt(self, question: Question, workload: Workload) -> bool:
        with self._lock:
            opened = self._logs.get(question.log)
        if opened is not None:
            opened.interrupt()
        return True

    def _stream(self, question: Question, workload: Workload) -> Iterator[LogLine]:
        opened, line = self._log(question, workload), question.line and _line(question)
        return opened.follow(line) if question.ask is Ask.LOG_FOLLOW else opened.written(line)

    def _send(self, answer: Answer) -> None:
        self._write(msgspec.json.encode(answer))

    def _write(self, line: bytes) -> None:
        data = line + b"\n"
        with self._writing, suppress(BrokenPipeError):  # whoever asked has gone, and the questions end too
            while data:
                data = data[os.write(sys.stdout.fileno(), data) :]


def _line(question: Question) -> LogLine:
    """Return the line that a question names, with its position as the log made it."""
    if question.line is None:
        raise SourceError("no line was named")
    position = question.line.position
    return question.line._replace(position=tuple(position) if isinstance(position, list) else position)


def _in_parts(lines: Iterator[LogLine]) -> Iterator[list[LogLine]]:
    """Yield lines in parts: what arrives within a moment goes together."""
    arrived: queue.Queue[LogLine | SourceError | None] = queue.Queue(MOST_LINES)

    def take() -> None:
        try:
            for line in lines:
                arrived.put(line)
        except SourceError as error:
            arrived.put(error)
        arrived.put(None)

    threading.Thread(target=take, name="log", daemon=True).start()
    part: list[LogLine] = []
    while True:
        try:
            line = arrived.get(timeout=_GATHERED_S if part else None)
        except queue.Empty:
            yield part
            part = []
            continue
        if isinstance(line, LogLine):
            part.append(line)
            if len(part) < MOST_LINES and not arrived.empty():
                continue
        if part:
            yield part
            part = []
        if isinstance(line, SourceError):
            raise line
        if line is None:
            return
