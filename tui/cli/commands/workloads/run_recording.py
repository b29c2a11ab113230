"""The session that `vmtop run --record` keeps while the command runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from collectors.model.workloads import Frame
from collectors.running.runner import RunPlan, RunResult, run
from collectors.session.recorder import ActiveSink, Recorder, Sink
from collectors.session.sinks import file_writer

_KEEPING_S = 10.0
"""Seconds for the disk to take the remaining frames."""


def recorded(plan: RunPlan, path: Path, is_forced: bool) -> tuple[RunResult, str]:
    """Run and record meanwhile; return what of the recording was lost, in a sentence.

    Raises:
        SessionError: The file cannot be created; the command was not run.
        CommandNotStarted: Like `run`.
    """
    sink = file_writer(path, is_forced)
    recording = _Recording(sink)
    try:
        result = run(replace(plan, on_frame=recording.take))
    finally:
        problem = recording.close()
    return result, problem


class _Recording:
    """Begins with the first frame: its thread must not be there when the command is made."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._recorder: Recorder | None = None
        self._keeping: ActiveSink | None = None

    def take(self, frame: Frame) -> None:
        """Keep a frame. Called on the sampler's thread."""
        if self._recorder is None:
            self._recorder = Recorder()
            self._keeping = self._recorder.add(self._sink)
        self._recorder.take(frame)

    def close(self) -> str:
        """Complete the file; return what was lost, in a sentence."""
        if self._recorder is None or self._keeping is None:
            self._sink.close()
            return ""
        is_done = self._recorder.close(_KEEPING_S)
        if self._keeping.lost or not is_done:
            reason = self._keeping.problem or "the disk did not answer in time"
            return f"{self._keeping.lost} frames were not recorded: {reason}"
        return ""
