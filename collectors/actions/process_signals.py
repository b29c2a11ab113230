"""Signals to single processes of this host: which there are, who may not get one, and what became of it.

A process is addressed by a descriptor (pidfd) that is opened before its start time is compared with the confirmed one:
a signal never reaches another process that was given the same pid.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from collectors.actions.log import ActionLog, Entry
from collectors.kernel.processes.texts import status_values
from collectors.kernel.procfs import read_bytes, read_process_stat, stat_fields
from collectors.model.actions import Outcome, Result
from collectors.model.processes import Process
from collectors.model.workloads import Event, Kind, Workload, WorkloadId
from collectors.safety.permissions import as_root

_OBSERVED_S = 5.0
"""Seconds in which the effect of a signal has to show."""
_POLL_S = 0.05


class SignalSpec(NamedTuple):
    """A signal that can be sent."""

    name: str
    key: str
    """The key in the menu."""
    number: signal.Signals
    label: str
    """What it is for, in a few words."""
    ends: bool
    """Whether a process is expected to end."""
    wanted_state: str = ""
    """Letters of the states that it leads to; empty if it does not change the state."""


SIGNALS: tuple[SignalSpec, ...] = (
    SignalSpec("TERM", "t", signal.SIGTERM, "asks it to end", True),
    SignalSpec("KILL", "k", signal.SIGKILL, "ends it at once; unsaved data is lost", True),
    SignalSpec("INT", "i", signal.SIGINT, "interrupts it, as Ctrl-C does", True),
    SignalSpec("QUIT", "Q", signal.SIGQUIT, "ends it with a core dump; some programs print their state", True),
    SignalSpec("HUP", "h", signal.SIGHUP, "many daemons read their configuration again, others end", False),
    SignalSpec("STOP", "s", signal.SIGSTOP, "stops it until CONT; what waits for it hangs", False, "Tt"),
    SignalSpec("CONT", "c", signal.SIGCONT, "lets a stopped process go on", False, "RSDI"),
    SignalSpec("USR1", "1", signal.SIGUSR1, "whatever the program does with it", False),
    SignalSpec("USR2", "2", signal.SIGUSR2, "whatever the program does with it", False),
)


class SignalRequest(NamedTuple):
    """A signal to a process, as it is confirmed."""

    spec: SignalSpec
    process: Process
    command: str
    """The process's command line, sanitized, secrets masked."""
    workload: Workload | None = None
    """What the process belongs to."""
    login: str = ""
    """The command that logs in on the process's host; empty for this one."""

    @property
    def by_hand(self) -> str:
        """The equivalent command line. Shown and logged, never run."""
        return f"{self.login} kill -{self.spec.name} {self.process.pid}".strip()


class Signaller:
    """Sends confirmed signals and finds out what became of them.

    Args:
        action_log: Records every signal.
        who: The user's name, for the log.
        tell: Called with an event when a signal was sent.
        proc: Where procfs is mounted.
    """

    def __init__(self, action_log: ActionLog, who: str, tell: Callable[[Event], None], proc: str = "/proc") -> None:
        self._log = action_log
        self._who = who
        self._tell = tell
        self._proc = proc

    def send(self, request: SignalRequest, host: WorkloadId, is_locked: bool = False) -> Outcome:
        """Send a signal and watch what happens. Blocks for up to five seconds; never raises.

        Args:
            request: The confirmed signal.
            host: Whose event it is if the process belongs to no workload.
            is_locked: Whether actions are locked: nothing is sent then.
        """
        began, began_wall = time.monotonic(), time.time()
        if is_locked:
            result, words, remedy = Result.REFUSED, "not done: actions are locked", "L unlocks them"
        else:
            result, words, remedy = self._send(request)
        process, seconds = request.process, time.monotonic() - began
        outcome = Outcome(result, f"{process.name} ({process.pid}) {words}", remedy, seconds)
        self.record(request, host, outcome, began_wall)
        return outcome

    def record(self, request: SignalRequest, host: WorkloadId, outcome: Outcome, began_wall: float) -> None:
        """Log a signal, and announce it as an event.

        Args:
            request: What was sent.
            host: The host of the process.
            outcome: What became of it.
            began_wall: When it began, in seconds since 1970.
        """
        process = request.process
        self._log.write(
            Entry(
                time=began_wall,
                who=self._who,
                verb=f"signal {request.spec.name}",
                kind="process",
                name=process.name,
                engine="kernel",
                id=f"{process.pid}@{process.id.start_ticks}",
                command=request.by_hand,
                result=outcome.result,
                sentence=outcome.sentence,
                seconds=round(outcome.seconds, 3),
                host=host.host,
            )
        )
        subject = request.workload.id if request.workload is not None else host
        detail = f"{request.spec.name} to {process.name} ({process.pid}) by {self._who}: {outcome.result}"
        self._tell(Event(time.time(), subject, "signal", detail, request.workload.name if request.workload else ""))

    def _send(self, request: SignalRequest) -> tuple[Result, str, str]:
        try:
            descriptor = os.pidfd_open(request.process.pid)
        except ProcessLookupError:
            return Result.GONE, "has ended: nothing was sent", ""
        except OSError as error:  # before Linux 5.3, or a sandbox forbids it
            return Result.FAILED, f"not done: this kernel gives no process descriptor ({error.strerror})", ""
        try:
            return self._send_to(descriptor, request)
        finally:
            os.close(descriptor)

    def _send_to(self, descriptor: int, request: SignalRequest) -> tuple[Result, str, str]:
        process, spec = request.process, request.spec
        stat = read_process_stat(self._proc, process.pid)
        if stat is None or stat.start_ticks != process.id.start_ticks:
            return Result.GONE, "has ended, and its pid is another process's now: nothing was sent", ""
        if stat.is_zombie:
            return Result.ALREADY, "has already ended; its entry goes when its parent asks for it", ""
        try:
            signal.pidfd_send_signal(descriptor, spec.number)
        except ProcessLookupError:
            return Result.GONE, "has ended: nothing was sent", ""
        except PermissionError:
            return Result.DENIED, f"not done: you may not send {spec.name} to it", as_root()
        except OSError as error:
            return Result.FAILED, f"not done: {error.strerror}", ""
        return self._watch(descriptor, process, spec)

    def _watch(self, descriptor: int, process: Process, spec: SignalSpec) -> tuple[Result, str, str]:
        """Wait until the effect shows."""
        ended = select.poll()
        ended.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + (_OBSERVED_S if spec.ends or spec.wanted_state else 0.0)
        while True:
            if ended.poll(_POLL_S * 1000):
                return Result.DONE, f"ended after {spec.name}", ""
            fields = stat_fields(read_bytes(f"{self._proc}/{process.pid}/stat"))
            if spec.wanted_state and fields and fields[0].decode("ascii", "replace") in spec.wanted_state:
                return Result.DONE, "is stopped" if spec.name == "STOP" else "goes on", ""
            if time.monotonic() >= deadline:
                break
        if spec.ends:
            return Result.TIMED_OUT, f"got {spec.name} and has not ended within {_OBSERVED_S:g} s", ""
        if spec.wanted_state:
            return Result.TIMED_OUT, f"got {spec.name}, without effect within {_OBSERVED_S:g} s", ""
        return Result.DONE, f"got {spec.name}", ""


def warnings(request: SignalRequest, proc: str = "/proc") -> list[str]:
    """Return what the user may not know about this signal to this process, as sentences."""
    process, spec = request.process, request.spec
    status = read_bytes(f"{proc}/{process.pid}/status") or b""
    sentences: list[str] = []
    is_init = _is_init(status)
    if _is_vm(request) and request.workload is not None:
        milder = "stands still" if spec.name == "STOP" else "may be hit by this"
        effect = "loses its power" if will_end(request, proc) else milder
        sentences.append(f"It may run the virtual machine {request.workload.name}, which then {effect}.")
    if is_init and spec.ends:
        sentences.append("It is process 1 of its container: the container ends with it.")
    bit = 1 << (spec.number - 1)
    caught, ignored, blocked = (_mask(status, key) for key in (b"SigCgt", b"SigIgn", b"SigBlk"))
    if spec.number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCONT) or None in (caught, ignored, blocked):
        return sentences
    if (ignored or 0) & bit or (is_init and not (caught or 0) & bit):
        sentences.append(f"It ignores {spec.name}: nothing will happen.")
    elif (blocked or 0) & bit:
        sentences.append(f"It holds {spec.name} back at the moment.")
    elif not spec.ends and will_end(request, proc):
        sentences.append(f"It does not handle {spec.name}, so the kernel will end it.")
    return sentences


def must_be_typed(request: SignalRequest, proc: str = "/proc") -> bool:
    """Return whether the name has to be typed: the signal may end a whole workload."""
    status = read_bytes(f"{proc}/{request.process.pid}/status") or b""
    return request.workload is not None and will_end(request, proc) and (_is_vm(request) or _is_init(status))


def will_end(request: SignalRequest, proc: str = "/proc") -> bool:
    """Return whether a signal is expected to end a process: by its meaning, or as the process does not handle it.

    Where the kernel does not tell what the process handles, it is expected to end.
    """
    if request.spec.ends or request.spec.wanted_state:
        return request.spec.ends
    status = read_bytes(f"{proc}/{request.process.pid}/status") or b""
    bit = 1 << (request.spec.number - 1)
    handled = (_mask(status, b"SigCgt") or 0) | (_mask(status, b"SigIgn") or 0)
    is_kept = _is_init(status) and _mask(status, b"SigCgt") is not None
    return not (handled & bit or is_kept)


def _is_vm(request: SignalRequest) -> bool:
    return request.workload is not None and request.workload.kind is Kind.VM


def _is_init(status: bytes) -> bool:
    """Return whether a process is process 1 of a pid namespace below the host's."""
    return status_values(status, b"NSpid")[1:][-1:] == [b"1"]


def _mask(status: bytes, key: bytes) -> int | None:
    words = status_values(status, key)
    with suppress(ValueError):
        return int(words[0], 16) if words else None
    return None
