"""Recordings made by released versions replay for ever: `tests/fixtures/NAME.vmtop.gz`, with what is in them beside it.

Make one for a new release with `python -m tests.unit.collectors.session.test_released_sessions VERSION`; never change
one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from collectors import __version__
from collectors.analysis.rates import Deriver
from collectors.model.workloads import Event, Kind
from collectors.session.playback import Playback
from collectors.session.reader import Session
from tests.helpers.checkout import FIXTURES
from tests.helpers.demo_fleet import Fleet


def content(path: Path) -> dict[str, object]:
    """What has to come out of a file, whatever happens to the code."""
    session, deriver = Session([path]), Deriver()
    frames = [frame for _, frame in session.frames()]
    moments = [deriver.feed(frame) for frame in frames]
    told = {
        "frames": len(frames),
        "problems": [session.part(index).problem for index in range(len(session.members))],
        "span": session.span(),
        "workloads": sorted({one.name for frame in frames for one in frame.workloads.values()}),
        "events": [[event.what, event.name, event.detail] for frame in frames for event in frame.events],
        "sources": [[state.name, str(state.availability)] for state in frames[-1].sources],
        "cpu_seconds": sum(reading.value("cpu_seconds") or 0.0 for reading in moments[-1].readings.values()),
        "cpu_percent": [round(moment.host.value("cpu_percent") or 0.0, 6) for moment in moments],
        "memory_bytes": [moment.host.value("memory_host_bytes") for moment in moments[:3]],
    }
    session.close()
    return told


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.vmtop.gz")), ids=lambda path: path.name)
def test_values_of_a_recording_have_the_meaning_of_now(path: Path) -> None:
    """Of a machine, the share of its limit is what its guest uses, whatever it was when it was recorded."""
    session, deriver = Session([path]), Deriver()
    moments = [deriver.feed(frame) for _, frame in session.frames()]
    session.close()
    machines = [one for one in moments[-1].readings.values() if one.workload.kind is Kind.VM]
    shares = [machine.value("memory_of_limit_percent") for machine in machines]
    used = [machine.value("memory_inside_bytes") for machine in machines]
    assert any(used)
    for machine, share, inside in zip(machines, shares, used, strict=True):
        limit = machine.gauge("memory_limit_bytes")
        assert share == (None if inside is None or not limit else pytest.approx(inside / limit * 100))


@pytest.mark.parametrize("path", sorted(FIXTURES.glob("*.vmtop.gz")), ids=lambda path: path.name)
def test_a_recording_of_a_released_version_replays(path: Path) -> None:
    expected = json.loads(path.with_suffix("").with_suffix(".json").read_text())
    assert json.loads(json.dumps(content(path))) == expected
    playback = Playback(Session([path]))
    playback.go(playback.total - 1)
    assert playback.moment is not None
    assert playback.number == expected["frames"] - 1
    playback.session.close()


@pytest.mark.parametrize("version", ["0.1.0", __version__])
def test_there_is_one_of_every_released_version(version: str) -> None:
    assert (FIXTURES / f"{version}.vmtop.gz").exists()


def _make(version: str) -> None:
    from collectors.session.format import Gap
    from collectors.session.sinks import file_writer

    path = FIXTURES / f"{version}.vmtop.gz"
    fleet, writer, gap = Fleet(6), file_writer(path), None
    for number in range(75):
        frame = fleet.frame(1 if number != 40 else 90)
        if number == 20:
            import msgspec

            note = Event(frame.wall, frame.host.id, "note", "a note with ünïcode", "demo")
            frame = msgspec.structs.replace(frame, events=(*frame.events, note))
        if number == 50:
            gap = Gap(frame.wall, frame.wall, 1, "no space left on device")
            continue
        writer.write(frame, gap)
        gap = None
    path.with_suffix("").with_suffix(".json").write_text(json.dumps(content(path), indent=1, ensure_ascii=False) + "\n")
    # The writer is left as a killed one leaves it: its last member is not closed.


if __name__ == "__main__":
    _make(sys.argv[1])
