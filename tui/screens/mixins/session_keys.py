"""Session keys of the live screen: save, record, go back in time, add a note."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.analysis.rates import Moment
from collectors.model.errors import SourceError
from collectors.model.workloads import Event, WorkloadId
from collectors.safety.sanitize import sanitize
from collectors.session.format import SessionError
from tui.controllers.background import run_blocking
from tui.controllers.recording import SessionRecorder, file_summary, now_name
from tui.controllers.services import Services
from tui.dialogs.prompt import ask
from tui.presenters.prompts.commands import Argument, Command
from tui.screens.mixins.playback_keys import IntoPastKeys, PlaybackKeys
from tui.settings.typed_path import path_problem, typed_path

if TYPE_CHECKING:
    from collectors.session.playback import Playback
    from tui.screens.workloads.base import WorkloadListScreen
    from tui.screens.workloads.past import PastScreen

    class Base(IntoPastKeys, WorkloadListScreen):
        """A table of workloads."""

else:
    Base = IntoPastKeys

_LONGEST_NOTE = 200


class SessionKeys(Base):
    """A screen whose frames are saved."""

    session_recorder: SessionRecorder
    services: Services

    @property
    def moment(self) -> Moment | None:
        """The newest moment; `None` before the first frame."""
        raise NotImplementedError

    def arguments(self) -> Iterator[Argument]:
        yield from super().arguments()
        yield Argument("mark", "a note on the timeline", self._note_commands)

    def _note_commands(self, typed: str) -> list[Command]:
        return [Command(typed, "a note on the timeline", partial(self.note, typed))] if typed else []

    def action_snapshot(self) -> None:
        if self.session_recorder.problem:
            self.notify(self.session_recorder.problem, severity="warning", timeout=6, markup=False)
            return
        ask(self, "Save the session so far", self._new_path(), "a new file", _is_free, self._snapshot)

    def action_record(self) -> None:
        if self.session_recorder.recording is not None:
            self.run_worker(self._stop(), group="record", exclusive=True)
        else:
            ask(
                self,
                "Record from now on",
                self._new_path(),
                "a new file; press R again to stop",
                _is_free,
                self._record,
            )

    def enter_past(self, then: Callable[[PlaybackKeys], None]) -> None:
        self._rewind(then)

    def enter_past_of(self, identity: WorkloadId, then: Callable[[PlaybackKeys], None]) -> None:
        """Show the past of one workload on its page, and do something there; closing the page returns to now."""
        self._rewind(lambda past: then(past.open_alone(identity)))

    def _rewind(self, then: Callable[[PastScreen], None]) -> None:
        self.run_worker(self._go_back(then), group="past", exclusive=True)

    def action_note(self) -> None:
        recorder = self.session_recorder
        if recorder.problem and recorder.recording is None:
            sentence = f"Nothing would keep a note: {recorder.problem}. R records into a file."
            self.notify(sentence, severity="warning", timeout=6, markup=False)
            return
        ask(self, "Note on the timeline", "", "what happened, in a few words", lambda text: "", self.note)

    def note(self, text: str) -> None:
        """Add a note to the timeline."""
        if self.moment is not None:
            host = self.moment.frame.host
            event = Event(time.time(), host.id, "note", sanitize(text, _LONGEST_NOTE), host.name)
            self.session_recorder.announce(event)
            self.notify(f"noted: {event.detail}", timeout=3, markup=False)

    def _new_path(self) -> str:
        return str(Path.cwd() / now_name("host" if self.moment is None else _name_of_hosts(self.moment)))

    def _snapshot(self, name: str) -> None:
        self.run_worker(self._keep(typed_path(name)), group="snapshot")

    async def _keep(self, path: Path) -> None:
        self.notify("saving the session ...", timeout=1)
        try:
            snapshot = await run_blocking(partial(self.session_recorder.snapshot, path))
        except (SessionError, SourceError) as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
        else:
            self.notify(
                file_summary(snapshot.path, snapshot.size, snapshot.span_s), title="Saved", timeout=8, markup=False
            )

    def _record(self, name: str) -> None:
        try:
            self.session_recorder.record(typed_path(name))
        except SessionError as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
        self.redraw()

    async def _stop(self) -> None:
        try:
            recording = await run_blocking(self.session_recorder.stop)
        except (SessionError, SourceError) as error:
            self.notify(str(error), severity="error", timeout=10, markup=False)
            return
        if recording is not None:
            message = file_summary(recording.path, recording.writer.size, recording.writer.span_s)
            lost = f"\n{recording.keeping.lost} frames were not saved" if recording.keeping.lost else ""
            self.notify(message + lost, title="Recorded", timeout=8, markup=False)
        self.redraw()

    async def _go_back(self, then: Callable[[PastScreen], None]) -> None:
        try:
            playback = await run_blocking(partial(_open, self.session_recorder))
        except (SessionError, SourceError) as error:
            self.notify(str(error), severity="warning", timeout=6, markup=False)
            return
        from tui.screens.workloads.past import PastScreen

        past = PastScreen(playback, self.present_options(), self.view, self.session_recorder, self.services.connections)
        await self.app.push_screen(past)
        then(past)


def _name_of_hosts(moment: Moment) -> str:
    """Return what a file with all hosts of a moment is named by: the only host, or how many there are."""
    if len(moment.hosts) > 1:
        return f"{len(moment.hosts)}-hosts"
    frame = moment.frame
    return next(filter(None, moment.hosts), "") or frame.facts.get("hostname", frame.host.name)


def _open(session_recorder: SessionRecorder) -> Playback:
    """Open the session so far, one frame before its end."""
    from collectors.session.playback import Playback
    from collectors.session.reader import Session

    paths = session_recorder.paths()
    if not paths:
        raise SessionError("nothing to go back to yet")
    playback = Playback(Session(paths))
    playback.go(playback.total - 2)
    return playback


def _is_free(name: str) -> str:
    if problem := path_problem(name):
        return problem
    path = typed_path(name)
    try:
        if path.exists() or path.is_symlink():
            return f"{path} already exists; choose another name"
        return "" if path.parent.is_dir() else f"{path.parent} is not a folder"
    except OSError as error:  # a name that is too long, or a folder that may not be searched
        return f"{path} cannot be used: {error.strerror}"
