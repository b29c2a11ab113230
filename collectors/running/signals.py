"""The signals of a process that waits for a command: taken one at a time, and passed on.

They are blocked, and waited for. A handler would not learn who sent a signal, and there would be a moment without one.
"""

from __future__ import annotations

import os
import select
import signal
import time
from typing import NamedTuple

PASSED_ON = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)
"""What reaches vmtop alone and is meant for the command. What stops and continues comes to the whole job."""
_SI_KERNEL = 0x80
"""`si_code` of what the terminal sends to all processes of the foreground job (sigaction(2))."""


_LOOK_S = 0.03
"""Seconds between two looks for signals: they wait, blocked, until then."""


class Inherited(NamedTuple):
    """How this process got its signals from the one that started it."""

    mask: frozenset[int]
    is_child_ignored: bool
    """Whether SIGCHLD is ignored, which would have the kernel drop the exit code of a child."""
    awaited: frozenset[int]
    """What is blocked here and waited for."""


class Arrived(NamedTuple):
    """A signal that came."""

    number: int
    is_for_all: bool
    """Whether the kernel has sent it to the command, too."""


def take_over() -> Inherited:
    """Block what is passed on, and the end of children, until `give_back`. What is ignored, as by nohup, stays so."""
    is_child_ignored = signal.getsignal(signal.SIGCHLD) == signal.SIG_IGN
    if is_child_ignored:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    wanted = {number for number in PASSED_ON if signal.getsignal(number) != signal.SIG_IGN}
    awaited = frozenset[int]({*wanted, signal.SIGCHLD})
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, awaited)
    return Inherited(frozenset(map(int, mask)), is_child_ignored, awaited)


def give_back(inherited: Inherited) -> None:
    """Undo `take_over`. What arrived and was not waited for is dropped: the command has ended."""
    while signal.sigtimedwait(inherited.awaited, 0) is not None:
        continue
    signal.pthread_sigmask(signal.SIG_SETMASK, inherited.mask)


def restore_for_command(inherited: Inherited) -> None:
    """Give a new process the signals that vmtop was given, just before it becomes the command.

    Python ignores SIGPIPE and SIGXFSZ in every process; whether they were ignored before that is lost.
    """
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    if inherited.is_child_ignored:
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if signal.getsignal(signal.SIGINT) != signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # Python's handler would act before exec resets it
    signal.pthread_sigmask(signal.SIG_SETMASK, inherited.mask)


def next_signal(inherited: Inherited, seconds: float, end: select.poll) -> Arrived | None:
    """Wait for a signal; `None` when none came, or the command has ended or stopped.

    Args:
        inherited: What `take_over` returned.
        seconds: How long, at most.
        end: Becomes ready when the command ends.
    """
    deadline = time.monotonic() + seconds
    # Never with a time: sigtimedwait of Python 3.11, interrupted by a stop and SIGCONT, may return what is no signal.
    while (info := signal.sigtimedwait(inherited.awaited, 0)) is None:
        left_s = deadline - time.monotonic()
        if left_s <= 0 or end.poll(min(left_s, _LOOK_S) * 1000):
            return None
    if info.si_signo == signal.SIGCHLD:
        return None
    is_for_all = info.si_code == _SI_KERNEL
    if info.si_signo == signal.SIGHUP and os.getsid(0) == os.getpid():
        is_for_all = False  # a terminal that goes away tells the leader of its session first, and only that
    return Arrived(info.si_signo, is_for_all)
