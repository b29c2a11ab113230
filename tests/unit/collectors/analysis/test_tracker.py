"""A frame of which some is done before it is fed makes the same moment and the same past."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.analysis.rates import Moment
from collectors.analysis.tracker import MomentTracker
from collectors.model.metrics import CHARTED, METRICS
from collectors.model.workloads import Frame
from tests.helpers.demo_fleet import Fleet


def told(moment: Moment) -> dict[str, dict[str, float | None]]:
    """Every value of every workload."""
    return {
        str(identity): {key: reading.value(key) for key in METRICS} for identity, reading in moment.readings.items()
    }


def frames(count: int) -> list[Frame]:
    """Frames of a fleet, the fourth of a run of its own."""
    fleet = Fleet(12)
    made = [fleet.frame() for _ in range(count)]
    return [*made[:3], replace(made[3], run="00ff" * 4), *made[4:]]


def test_stages_before_a_frame_change_nothing_of_what_follows_from_it() -> None:
    plain, staged = MomentTracker(), MomentTracker()
    for number, frame in enumerate(frames(12)):
        for stage in staged.stages()[: number % 5]:
            stage(frame)
        expected, moment = plain.feed(frame), staged.feed(frame)
        assert told(moment) == told(expected)
        assert moment.ledger == expected.ledger
    identity = next(iter(moment.readings))
    pasts = [track.history.last_known(identity, "cpu_percent", 12) for track in (plain, staged)]
    assert pasts[0] == pasts[1] != []


def test_a_stage_is_not_done_twice() -> None:
    track, frame = MomentTracker(), Fleet(12).frame()
    for stage in track.stages():
        stage(frame)
    pairs, readings = track._deriver._pairs, track._deriver._readings
    made = track._deriver.feed(frame)
    past = dict(made.columns._made)
    moment = track.feed(frame)
    assert track._deriver._pairs is pairs
    assert track._deriver._readings is readings
    assert moment is made
    assert all(moment.columns.of(key) is past[key] for key in CHARTED)
