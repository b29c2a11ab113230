"""The log: what the screen could not say. Tracebacks, lost connections, what libraries print to standard error.

It is a file of its owner alone and of bounded size (`collectors.safety.private_file`). Each line is made inert and
secrets in it are masked, so that it can be read on a terminal and shown to others.

Imports no library: it stands before every command, and help has to be quick.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tui.settings.paths import state_folder

log = logging.getLogger(__name__)

_LONGEST_LINE = 2000
_CHUNK = 65536


class LogFile(logging.Handler):
    """Writes records to the log file. A file that cannot be written is told in `problem` and stops nothing."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.setFormatter(logging.Formatter("%(asctime)s %(process)d %(levelname)s %(name)s %(message)s"))
        self.chosen: Path | None = None
        """From the command line."""
        self.problem = ""

    @property
    def path(self) -> Path:
        """Where the log is."""
        return self.chosen or state_folder() / "vmtop.log"

    @property
    def reference(self) -> str:
        """Where a person finds more, or why there is no more, to go after a sentence."""
        return f"; {self.problem}" if self.problem else f"; {self.path} has more"

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record."""
        from collectors.safety import private_file

        lines = [_fit_to_show(line) for line in self.format(record).splitlines()]
        try:
            text = "".join(f"{line}\n" for line in lines)
            private_file.append(self.path, text.encode("utf-8", "replace"), makes_folder=self.chosen is None)
        except OSError as error:
            self.problem = f"the log {self.path} cannot be written: {error.strerror}"


FILE = LogFile()
"""The log of this process."""


def _fit_to_show(line: str) -> str:
    from collectors.safety.redact import redact_line
    from collectors.safety.sanitize import sanitize

    return redact_line(sanitize(line.expandtabs(), _LONGEST_LINE))


@contextmanager
def taking() -> Iterator[None]:
    """Let the log have what goes wrong: errors of every part, and what threads and callbacks raise.

    A command that prints and ends writes nothing else there; `keep_all` is for those that go on.
    """
    root = logging.getLogger()
    before = threading.excepthook, sys.unraisablehook, root.level
    FILE.chosen, FILE.problem = None, ""
    FILE.setLevel(logging.ERROR)
    root.addHandler(FILE)
    root.setLevel(logging.INFO)
    threading.excepthook, sys.unraisablehook = _thread_failed, _callback_failed
    try:
        yield
    finally:
        root.removeHandler(FILE)
        threading.excepthook, sys.unraisablehook = before[:2]
        root.setLevel(before[2])


def keep_all(chosen: Path | None = None) -> None:
    """Log warnings and what is worth knowing too: for a screen, a recording, and whoever names a file."""
    FILE.chosen = chosen or FILE.chosen
    FILE.setLevel(logging.INFO)


@contextmanager
def stderr_in_log() -> Iterator[int]:
    """While the screen is up, send what libraries write to descriptor 2 to the log; yield the terminal's descriptor.

    The terminal is standard error or, where that was redirected, standard output.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)  # a flood is cut: no library may wait for the log
    original = os.dup(2)
    terminal = original if os.isatty(original) else os.dup(1)
    os.dup2(writing, 2)
    os.close(writing)
    reader = threading.Thread(target=_drain, args=(reading,), name="stderr", daemon=True)
    reader.start()
    try:
        yield terminal
    finally:
        os.dup2(original, 2)
        reader.join(1.0)  # it ends when no one else holds the pipe; a child of a library may


def _drain(reading: int) -> None:
    while chunk := os.read(reading, _CHUNK):
        log.warning("on standard error: %s", chunk.decode("utf-8", "replace").rstrip())
    os.close(reading)


def _thread_failed(about: threading.ExceptHookArgs) -> None:
    if about.exc_value is not None:
        name = about.thread.name if about.thread else "that is gone"
        log.error("the thread %s failed", name, exc_info=about.exc_value)


def _callback_failed(about: Any) -> None:
    log.error("%s: %r", about.err_msg or "in a callback", about.object, exc_info=about.exc_value)
