"""The current session: the background spool, and the file that the user records to."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from collectors.model.metrics import Unit
from collectors.model.workloads import Event
from collectors.safety.sanitize import sanitize
from collectors.session.format import SessionError
from collectors.session.recorder import ActiveSink, Recorder
from collectors.session.sinks import file_writer
from collectors.session.spool import Snapshot, Spool, save
from collectors.session.writer import Writer
from tui.presenters.formatting import duration, text

Answer = TypeVar("Answer")

_PATIENCE_S = 10.0
"""Seconds to wait for the recorder's thread, which may be waiting for a disk."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording in progress."""

    path: Path
    writer: Writer
    keeping: ActiveSink

    def status(self) -> str:
        """Return its span and size, or why it is paused."""
        if self.keeping.problem:
            return f"REC PAUSED: {self.keeping.problem} ({self.keeping.lost} lost)"
        span = duration(self.writer.span_s, 6).strip()
        return f"REC {span} {text(self.writer.size, Unit.BYTES, 5).strip()}"


class SessionRecorder:
    """Saves the current session. Every method but `notes` may block on the disk: call it on a thread.

    Args:
        base: The folder for spools; `None` disables the spool.
        announce: Adds an event to the next frame.
    """

    def __init__(self, base: Path | None = None, announce: Callable[[Event], None] = lambda event: None) -> None:
        self.announce = announce
        self.recorder = Recorder()
        self.recording: Recording | None = None
        self.problem = "" if base is not None else "no background session: vmtop was started with --no-spool"
        """Why there is no spool; empty when there is one."""
        self._spool: Spool | None = None
        self._spooling: ActiveSink | None = None
        if base is not None:
            try:
                self._spool = Spool(base)
            except OSError as error:
                self.problem = f"no background session: {base}: {error.strerror}"
            else:
                self._spooling = self.recorder.add(self._spool)

    def snapshot(self, path: Path) -> Snapshot:
        """Copy the session so far into a new file.

        Raises:
            SessionError: There is no spool, or the file cannot be written.
        """
        spool = self._spool
        if spool is None:
            raise SessionError(self.problem)
        sealed = _wait_for(self.recorder.between_frames(spool.seal))
        if not sealed.parts:
            raise SessionError("nothing to save yet")
        return Snapshot(path, save(sealed, path), sealed.span_s)

    def paths(self) -> list[Path]:
        """Return the files of the session so far, oldest first.

        Raises:
            SessionError: There is no spool.
        """
        if self._spool is None:
            raise SessionError(self.problem)
        return _wait_for(self.recorder.between_frames(self._spool.paths))

    def record(self, path: Path) -> None:
        """Also write all frames from now on to a new file.

        Raises:
            SessionError: The file cannot be created.
        """
        writer = file_writer(path)
        self.recording = Recording(path, writer, self.recorder.add(writer))

    def stop(self) -> Recording | None:
        """Finish the recording and return it; `None` if nothing is being recorded.

        Raises:
            SessionError: The disk does not answer; the file is finished once it does.
        """
        recording, self.recording = self.recording, None
        if recording is not None:
            _wait_for(self.recorder.remove(recording.keeping))
        return recording

    def notes(self) -> list[str]:
        """Return the notes for the header: recording status, and why the spool fails; empty if neither applies."""
        notes = [self.recording.status()] if self.recording is not None else []
        if self._spooling is not None and self._spooling.problem:
            notes.append(f"not saved: {self._spooling.problem}")
        return notes

    def close(self) -> bool:
        """Finish all files; return whether this was done in time."""
        return self.recorder.close()


def file_summary(path: Path, size: int, span_s: float) -> str:
    """Return the name, span and size of a saved file, and the command that replays it."""
    span = duration(span_s, 8).strip()
    name = sanitize(str(path), 1000)
    return f"{name}: {span}, {text(size, Unit.BYTES, 6).strip()}\nvmtop replay {name}"


def now_name(host: str) -> str:
    """Return the default file name for a session of a host that ends now."""
    from collectors.session.sinks import default_name

    return default_name(host, time.time())


def _wait_for(future: Future[Answer]) -> Answer:
    """Return what the recorder's thread returns.

    Raises:
        SessionError: It did not come to it in time, or failed.
    """
    try:
        return future.result(_PATIENCE_S)
    except TimeoutError:
        raise SessionError(
            f"the session is still being written: its disk has not answered for {_PATIENCE_S:g} s; try again later"
        ) from None
