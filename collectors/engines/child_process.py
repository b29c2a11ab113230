"""A program of this host as a console, or as a command: for what only a program can do, and no API."""

from __future__ import annotations

import fcntl
import os
import select
import selectors
import signal
import struct
import subprocess  # noqa: TID251  # see docs/decisions/0034-pods-without-an-api.md
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from collectors.model.errors import SourceAbsent, SourceError

_BLOCK = 64 * 1024
_PATIENCE_S = 1.0
"""For a program to end after its terminal was hung up."""
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment() -> dict[str, str]:
    """Return the environment of this process, with the folders of system programs in its path."""
    return {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{_SYSTEM_PATH}"}


class ChildConsole:
    """A program on a terminal of its own, which is the controlling one of its session.

    Args:
        title: What is shown; sanitized.
        program: What it is called when it has ended: `shell`.
        argv: The words of the program.
        environ: Its environment; that of `environment` unless given.
    """

    def __init__(self, title: str, program: str, argv: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        self.title = title
        self.exit_code: int | None = None
        self._program = program
        self._terminal, inner = os.openpty()
        self._wake, self._waker = os.pipe()
        try:
            self._child = _start(["setsid", "--ctty", *argv], environ, inner, inner, inner)
        finally:
            os.close(inner)
        os.set_blocking(self._terminal, False)

    def read(self) -> bytes:
        while self._wait_until(select.POLLIN):
            try:
                return os.read(self._terminal, _BLOCK)
            except BlockingIOError:
                continue
            except OSError:  # EIO: nothing has the other end any more
                break
        return b""

    def write(self, data: bytes) -> None:
        while data and self._wait_until(select.POLLOUT):
            with suppress(BlockingIOError):
                data = data[os.write(self._terminal, data) :]

    def resize(self, columns: int, lines: int) -> None:
        with suppress(OSError):
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def ending(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self.exit_code = _code(self._child.wait(_PATIENCE_S))
        code = self.exit_code
        return f"the {self._program} ended" + (f" with exit code {code}" if code else "")

    def close(self) -> None:
        """End the program. It leads its session: what still runs on the terminal gets SIGHUP from the kernel."""
        os.write(self._waker, b"x")
        with suppress(OSError):
            self._child.send_signal(signal.SIGHUP)
        _end(self._child)

    def __del__(self) -> None:
        for descriptor in (self._terminal, self._wake, self._waker):
            os.close(descriptor)

    def _wait_until(self, event: int) -> bool:
        """Wait until the terminal can be read, or written to. Return false once the console was closed."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        poll.register(self._terminal, event)
        return self._wake not in dict(poll.poll())


class ChildCommand:
    """A program without a terminal, by default without input."""

    def __init__(
        self, argv: Sequence[str], environ: Mapping[str, str] | None = None, stdin: int = subprocess.DEVNULL
    ) -> None:
        self._child = _start(argv, environ, stdin, subprocess.PIPE, subprocess.PIPE, apart=True)

    def output(self) -> Iterator[tuple[bool, bytes]]:
        with selectors.DefaultSelector() as selector:
            for pipe, is_error in ((self._child.stdout, False), (self._child.stderr, True)):
                if pipe is not None:
                    selector.register(pipe, selectors.EVENT_READ, is_error)
            while selector.get_map():
                for key, _ in selector.select():
                    block = os.read(key.fd, _BLOCK)
                    if block:
                        yield bool(key.data), block
                    else:
                        selector.unregister(key.fileobj)

    def exit_code(self) -> int:
        return _code(self._child.wait())

    def close(self) -> None:
        with suppress(OSError):
            os.killpg(self._child.pid, signal.SIGTERM)
        _end(self._child)
        for pipe in (self._child.stdout, self._child.stderr):
            if pipe is not None:
                pipe.close()


class ChildStream(ChildCommand):
    """A program without a terminal that takes lines as its input until it is closed, or this process ends."""

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str] | None = None) -> None:
        super().__init__(argv, environ, subprocess.PIPE)
        if self._child.stdin is not None:
            os.set_blocking(self._child.stdin.fileno(), False)

    def send(self, line: str, patience_s: float = 0.0) -> bool:
        """Give it a line. Return false if it has ended, or has not read for `patience_s`."""
        if self._child.stdin is None:
            return False
        data, descriptor = f"{line}\n".encode(), self._child.stdin.fileno()
        try:
            while data := data[os.write(descriptor, data) :]:
                if not select.select((), (descriptor,), (), patience_s)[1]:
                    return False
        except OSError:
            return False
        return True

    def terminate(self) -> None:
        """Ask it to end: `output` ends with it."""
        with suppress(OSError):
            os.killpg(self._child.pid, signal.SIGTERM)

    def close(self) -> None:
        super().close()
        if self._child.stdin is not None:
            with suppress(OSError):
                self._child.stdin.close()


def _start(
    argv: Sequence[str],
    environ: Mapping[str, str] | None,
    stdin: int,
    stdout: int,
    stderr: int,
    apart: bool = False,
) -> subprocess.Popen[bytes]:
    env = dict(environ) if environ is not None else environment()
    try:
        return subprocess.Popen(  # noqa: S603  # words without a shell; callers check those from outside
            list(argv), stdin=stdin, stdout=stdout, stderr=stderr, env=env, start_new_session=apart
        )
    except FileNotFoundError:
        raise SourceAbsent(f"there is no program {argv[0]} on this host") from None
    except OSError as error:
        raise SourceError(f"{argv[0]} cannot be started: {error.strerror}") from error


def _end(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _code(status: int) -> int:
    """Return an exit code as a shell shows it: 128 and its number for a signal."""
    return 128 - status if status < 0 else status
