"""Which files hold which hosts: one track per host, with its name and its clock.

A host is known by its hostname. Files of one hostname that cover the same time, but whose hosts were not started at the
same instant, are of different hosts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collectors.fleet.recordings.track import Track, frames_of
from collectors.model.workloads import Frame
from collectors.session.format import SessionError
from collectors.session.reader import Session

MOST_TRACKS = 256
_SAME_START_S = 30.0
"""Seconds by which the start of one host may differ between two recordings: clocks are corrected meanwhile."""


def tracks_of(paths: Sequence[Path]) -> list[Track]:
    """Open files and sort them by host, in the order in which they were given.

    Raises:
        SessionError: A file cannot be read, is not a session, or was written by a newer vmtop.
    """
    groups: list[list[_File]] = []
    for path in dict.fromkeys(paths):
        file = _File(path)
        fitting = next((group for group in groups if all(file.is_same_host(other) for other in group)), None)
        if fitting is None:
            groups.append([file])
        else:
            fitting.append(file)
    if len(groups) > MOST_TRACKS:
        raise SessionError(f"{len(groups)} hosts are more than the {MOST_TRACKS} that are shown at once")
    tracks: list[Track] = []
    try:
        for group in groups:
            session = Session([file.path for file in group], kept=1)
            tracks.append(Track(session, *_first_frame(group)))
    except SessionError:
        for track in tracks:
            track.session.close()
        raise
    taken: set[str] = set()
    for track in tracks:
        track.take_names(taken)
    return tracks


def _first_frame(files: Sequence[_File]) -> tuple[Frame | None, str]:
    """Return the first frame of a host's files, and the host's name; none if all of them are damaged."""
    readable = [file for file in files if file.frame is not None]
    first = min(readable, key=lambda file: file.span[0], default=None)
    return (None, "damaged") if first is None else (first.frame, first.hostname)


class _File:
    """What a file says of its host. One without a readable frame may be of any host."""

    def __init__(self, path: Path) -> None:
        self.path = path
        session = Session([path])
        try:
            self.span = session.span()
            frame = next((frame for index in range(len(session.outline)) for frame in frames_of(session, index)), None)
        finally:
            session.close()
        self.frame = frame
        self.hostname = "" if frame is None else frame.facts.get("hostname") or frame.host.name

    def is_same_host(self, other: _File) -> bool:
        """Return whether two files may be of one host: of one name, and started at one instant if they overlap."""
        frame, other_frame = self.frame, other.frame
        if frame is None or other_frame is None:
            return True
        if self.hostname != other.hostname or frame.hosts.keys() != other_frame.hosts.keys():
            return False
        is_apart = self.span[1] < other.span[0] or other.span[1] < self.span[0]
        return is_apart or frame.run == other_frame.run or abs(_started(frame) - _started(other_frame)) < _SAME_START_S


def _started(frame: Frame) -> float:
    """Return the wall time at which the host was started."""
    return frame.wall - frame.boot_ns / 1e9
