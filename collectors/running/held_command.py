"""A process that is made first, put where it belongs, and only then becomes the command."""

from __future__ import annotations

import errno
import os
import resource
import select
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

from collectors.kernel.procfs import read_bytes
from collectors.running.signals import Inherited, restore_for_command
from collectors.safety.sanitize import sanitize

NOT_EXECUTABLE = 126
NOT_FOUND = 127
"""Exit codes of shells (POSIX, Shell Command Language, 2.8.2)."""


class CommandNotStarted(Exception):
    """The command could not be started; the message is a sentence."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class HeldCommand:
    """A command that waits to be released. It is made before this process has threads: it is a copy of it.

    It stays in the process group of vmtop, so that it has the terminal as the shell gave it, in a pipeline too.
    """

    def __init__(self, words: Sequence[str], inherited: Inherited) -> None:
        """Make the process.

        Args:
            words: The command and its arguments.
            inherited: The signals, which have been taken over already.
        """
        self.words = tuple(words)
        self.began = self.ended = 0.0
        """`time.monotonic` at the release, and at the end; 0 before."""
        self.status: int | None = None
        """The exit code, or 128 and the number of the signal; `None` until the end."""
        self.resources: resource.struct_rusage | None = None
        """What the kernel counted for it and for the descendants that were waited for; `None` until the end."""
        gate, self._gate = os.pipe()
        self._report, report = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self._gate)
            os.close(self._report)
            _become(self.words, gate, report, inherited)
        self._descriptor = _descriptor(self.pid)
        self.end = select.poll()
        """Becomes ready when the process ends, from Linux 5.3 on."""
        if self._descriptor >= 0:
            self.end.register(self._descriptor, select.POLLIN)
        os.close(gate)
        os.close(report)

    def release(self) -> None:
        """Let it become the command.

        Raises:
            CommandNotStarted: There is no such program, or it cannot be executed. The process has ended.
        """
        self.began = time.monotonic()
        with suppress(BrokenPipeError):  # it was killed while it waited, which `wait` tells
            os.write(self._gate, b"x")
        os.close(self._gate)
        self._gate = -1
        number = os.read(self._report, 16)  # nothing, once the program is executed
        if number:
            os.waitpid(self.pid, 0)
            self.status = NOT_FOUND
            raise _not_started(self.words[0], int(number))

    def has_ended(self) -> bool:
        """Look whether the command has ended, and remember how."""
        if self.status is None:
            pid, status, resources = os.wait4(self.pid, os.WNOHANG)
            if pid:
                self.ended = time.monotonic()
                code = os.waitstatus_to_exitcode(status)
                self.status = 128 - code if code < 0 else code
                self.resources = resources
        return self.status is not None

    def send(self, number: int) -> None:
        """Send a signal to the command, unless it has ended: its pid stays taken until then."""
        if not self.has_ended():
            os.kill(self.pid, number)

    def close(self) -> None:
        """End the process if it still waits to be released; a command that runs is left alone."""
        if self._gate >= 0:
            os.close(self._gate)
            self._gate = -1
            if self.status is None:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        for descriptor in (self._report, self._descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self._report = self._descriptor = -1


def _descriptor(pid: int) -> int:
    try:
        return os.pidfd_open(pid)
    except OSError:  # an older kernel: its end is seen at the next look
        return -1


def _become(words: tuple[str, ...], gate: int, report: int, inherited: Inherited) -> None:
    """Wait, and execute the program. Never returns; vmtop's own exits must not run in the copy."""
    try:
        if not os.read(gate, 1):  # vmtop ended before it came to the command
            os._exit(NOT_FOUND)
        environment = given_environment()
        restore_for_command(inherited)
        os.execvpe(words[0], words, environment)  # noqa: S606  # the user's own command, without a shell
    except OSError as error:
        os.write(report, str(error.errno or errno.EIO).encode())
    except ValueError:  # a zero byte in a word
        os.write(report, str(errno.EINVAL).encode())
    finally:
        os._exit(NOT_FOUND)


def given_environment(proc: str = "/proc") -> dict[bytes, bytes]:
    """Return the environment that vmtop was given.

    Python and Textual set variables of their own in that of this process, such as LC_CTYPE in the locale C (PEP 538).
    """
    text = read_bytes(f"{proc}/self/environ")
    if text is None:
        return dict(os.environb)
    entries = (entry.partition(b"=") for entry in text.split(b"\0"))
    return {name: value for name, separator, value in entries if separator and name}


def _not_started(program: str, number: int) -> CommandNotStarted:
    """Return the sentence and the exit code for an error of exec(3)."""
    name = sanitize(program)
    found = shutil.which(program)
    if number in (errno.ENOENT, errno.ENOTDIR):
        if found:
            return CommandNotStarted(f"{name} cannot be run: the interpreter that it names does not exist", 126)
        where = "there is no such file" if "/" in program else "no folder of PATH has it"
        return CommandNotStarted(f"{name} was not found: {where}", NOT_FOUND)
    if number == errno.ENOEXEC:
        sentence = f"{name} is neither a program nor a script that begins with '#!'; run it as: sh {name}"
        return CommandNotStarted(sentence, NOT_EXECUTABLE)
    reason = os.strerror(number).lower()
    fix = f"; fix: chmod +x {name}" if number == errno.EACCES and os.path.isfile(program) else ""
    return CommandNotStarted(f"{name} cannot be executed: {reason}{fix}", NOT_EXECUTABLE)
