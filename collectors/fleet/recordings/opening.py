"""Opens session files, of one host or of several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from collectors.session.frame_sequence import FrameSequence
from collectors.session.reader import Session


def open_recording(paths: Sequence[Path]) -> FrameSequence:
    """Return the frames of files: as they were recorded, or those of several hosts side by side.

    Raises:
        SessionError: A file cannot be read, is not a session, or was written by a newer vmtop.
    """
    if len(paths) == 1:
        return Session(paths)
    from collectors.fleet.recordings.sequence import FleetRecording
    from collectors.fleet.recordings.tracks import tracks_of

    tracks = tracks_of(paths)
    if len(tracks) > 1:
        return FleetRecording(tracks)
    tracks[0].session.close()
    return Session(paths)
