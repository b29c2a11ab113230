"""A `vmtop record` of the lab's daemons, whose events tell which alerts began and ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from collectors.alerts.told import Told, told
from collectors.model.workloads import Availability, Frame
from collectors.session.format import SessionError
from collectors.session.reader import Session
from tests.helpers.lab.process import Daemon, made_anew

_LOOK_S = 0.5
"""Seconds between two looks at the file, which is read from its beginning."""
VMTOP = (sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')")


class AlertRecording:
    """A recording that goes on.

    Args:
        path: The session file.
        recorder: What writes it.
    """

    def __init__(self, path: Path, recorder: Daemon) -> None:
        self.path, self.recorder = path, recorder

    def frames(self) -> list[Frame]:
        """Return the frames so far."""
        if not self.path.exists():
            return []
        try:
            session = Session([self.path])
        except SessionError:  # its first frame is being written
            return []
        with closing(session):
            return [frame for _, frame in session.frames()]

    def alerts(self, name: str = "") -> list[Told]:
        """Return the alerts so far, in the order in which they began; those about a name only, where one is given."""
        every = told(event for frame in self.frames() for event in frame.events)
        return [alert for alert in every if name in ("", alert.name)]

    def of(self, rule: str, name: str) -> list[Told]:
        """Return the alerts of a rule about a name."""
        return [alert for alert in self.alerts(name) if alert.rule == rule]

    def begun(self, rule: str, name: str, timeout_s: float = 60) -> Told:
        """Wait until an alert about a name is active, and return it."""

        def is_active() -> bool:
            time.sleep(_LOOK_S)
            return any(alert.ended_wall is None for alert in self.of(rule, name))

        self.recorder.wait_until(is_active, timeout_s, f"{rule}: {name}")
        return self.of(rule, name)[-1]

    def ended(self, rule: str, name: str, timeout_s: float = 60) -> Told:
        """Wait until every alert of a rule about a name is over, and return the last."""

        def is_over() -> bool:
            time.sleep(_LOOK_S)
            found = self.of(rule, name)
            return bool(found) and all(alert.ended_wall is not None for alert in found)

        self.recorder.wait_until(is_over, timeout_s, f"the end of {rule}: {name}")
        return self.of(rule, name)[-1]

    def answered(self, source: str) -> None:
        """Wait until a source has answered."""

        def is_answered() -> bool:
            time.sleep(_LOOK_S)
            states = [state for frame in self.frames()[-1:] for state in frame.sources]
            return any(state.name == source and state.availability is Availability.OK for state in states)

        self.recorder.wait_until(is_answered, 60, f"an answer of {source}")

    def wait_until(self, is_so: Callable[[], bool], what: str, timeout_s: float = 120) -> None:
        """Wait until something has been recorded."""

        def is_recorded() -> bool:
            time.sleep(_LOOK_S)
            return is_so()

        self.recorder.wait_until(is_recorded, timeout_s, what)

    def go_on(self, count: int) -> None:
        """Wait for some more frames, in which nothing is expected."""
        wanted = len(self.frames()) + count

        def are_there() -> bool:
            time.sleep(_LOOK_S)
            return len(self.frames()) >= wanted

        self.recorder.wait_until(are_there, count + 30, f"{count} frames")


@contextmanager
def alert_recording(folder: Path, sources: Sequence[str], rules: str) -> Iterator[AlertRecording]:
    """Record until the end of the block.

    Args:
        folder: For the session and the configuration; it is made.
        sources: Options of `vmtop record`.
        rules: The configuration, in TOML.
    """
    config = made_anew(folder) / "config" / "vmtop" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(rules)
    environment = {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")}
    path = folder / "alerts.vmtop.gz"
    recorder = Daemon([*VMTOP, "record", str(path), *sources], folder / "record.log", environment)
    recording = AlertRecording(path, recorder)
    try:
        recorder.wait_until(lambda: path.exists() and path.stat().st_size > 2000, 60, "the first frames")
        yield recording
    finally:
        recorder.stop()


def shortened(*rules: tuple[str, str, str]) -> str:
    """Return a configuration in which built-in rules have a shorter time.

    Args:
        rules: The name, the condition, and what ends it; empty for nothing.
    """
    rows = []
    for name, when, until in rules:
        end = f'until = "{until}"\n' if until else ""
        rows.append(f'[[alerts]]\nname = "{name}"\nwhen = "{when}"\n{end}')
    return "\n".join(rows)
