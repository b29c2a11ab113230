"""The frames of several tracks as those of one vmtop that watched all of their hosts."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from collectors.analysis.by_host import OneHost, by_host
from collectors.fleet.labelled import HostLabels
from collectors.fleet.recordings.slots import slot_of
from collectors.fleet.recordings.track import Track
from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    HostFacts,
    Kind,
    Sample,
    SourceState,
    State,
    Workload,
    WorkloadId,
)
from collectors.sampling.source import SourceReading
from collectors.session.format import PAUSE

KEPT_S = 60.0
"""Seconds for which what is known of a host is repeated after its newest frame."""
_NOWHERE = Workload(id=WorkloadId("host", "unknown"), kind=Kind.HOST, name="recordings", state=State.RUNNING)


class TrackFrames(NamedTuple):
    """The frames of a track that a block needs, in order of time."""

    slots: list[int]
    """The slot from which each is shown; no two have the same."""
    frames: list[Frame]


def of_track(frames: Iterable[Frame], interval_s: float) -> TrackFrames:
    """Return a track's frames by slot; of several in one slot the newest, with the events of all."""
    by_slot: dict[int, Frame] = {}
    for frame in sorted(frames, key=attrgetter("wall")):
        slot = slot_of(frame.wall, interval_s)
        earlier = by_slot.get(slot)
        if earlier is not None and earlier.events:
            frame = replace(frame, events=earlier.events + frame.events)
        by_slot[slot] = frame
    return TrackFrames(list(by_slot), list(by_slot.values()))


class _Host(NamedTuple):
    """One host, as of a track's frame."""

    name: str
    facts: HostFacts
    state: SourceState
    reading: SourceReading | None


class Joiner:
    """Makes the frames of one block, in order.

    Args:
        tracks: The hosts.
        frames: Their frames in the block, and in `KEPT_S` before it.
        interval_s: Seconds between slots.
        run: The run of the frames that are made, 16 hexadecimal digits.
    """

    def __init__(self, tracks: Sequence[Track], frames: Sequence[TrackFrames], interval_s: float, run: str) -> None:
        self._tracks = list(zip(tracks, frames, strict=True))
        self._interval_s = interval_s
        self._run = run
        self._labels: dict[str, HostLabels] = {}
        self._newest: dict[str, tuple[Frame, list[_Host]]] = {}
        """The newest frame of each track, by its first host, and what was made of it."""
        self._taken = {name for track in tracks for name in track.hosts}

    def frame(self, slot: int) -> Frame:
        """Return the frame of a slot; slots are asked for in order."""
        wall = slot * self._interval_s
        workloads: dict[WorkloadId, Workload] = {}
        samples: dict[WorkloadId, tuple[Sample, ...]] = {}
        states: list[SourceState] = []
        their_states: list[SourceState] = []
        events: list[Event] = []
        hosts: dict[str, HostFacts] = {}
        for track, frames in self._tracks:
            index = bisect_right(frames.slots, slot) - 1
            newest = frames.frames[index] if index >= 0 else None
            if newest is None or wall - newest.wall > KEPT_S:
                hosts.update(dict.fromkeys(track.hosts, HostFacts()))
                states.extend(_away(track, name, wall) for name in track.hosts)
                continue
            for name, facts, state, reading in self._hosts(track, newest):
                hosts[name] = facts
                states.append(_aged(state, track, newest, wall))
                if reading is not None:
                    workloads.update(reading.workloads)
                    samples.update(reading.samples)
                    their_states.extend(reading.sources)
                    events.extend(reading.events if frames.slots[index] == slot else ())
        at_ns = round(wall * 1e9)
        return Frame(
            at_ns=at_ns,
            wall=wall,
            boot_ns=at_ns,
            host=_NOWHERE,
            workloads=workloads,
            samples=samples,
            sources=(*states, *their_states),
            events=tuple(sorted(events, key=attrgetter("wall"))),
            run=self._run,
            interval_s=self._interval_s,
            hosts=hosts,
        )

    def _hosts(self, track: Track, frame: Frame) -> list[_Host]:
        known = self._newest.get(track.hosts[0])
        if known is None or known[0] is not frame:
            known = self._newest[track.hosts[0]] = frame, [self._host(track, frame, part) for part in by_host(frame)]
        return known[1]

    def _host(self, track: Track, frame: Frame, part: OneHost) -> _Host:
        name = track.name_of(part.name, self._taken)
        state = part.connection or SourceState(name, Availability.OK)
        if part.frame is None:
            return _Host(name, replace(part.facts, workload=None), replace(state, name=name), None)
        offset_ns, steps = track.clock(frame)
        labels = self._labels.setdefault(name, HostLabels(name, part.facts.tags))
        era = zlib.crc32(f"{frame.run}{steps}".encode())  # no rate is made across runs
        reading = labels.reading(part.frame, offset_ns, None, era)
        facts = replace(reading.hosts[name], clock_ahead_s=part.facts.clock_ahead_s)
        read_at_ns = frame.at_ns if state.read_at_ns is None else state.read_at_ns
        detail = state.detail or reading.detail
        return _Host(name, facts, replace(state, name=name, detail=detail, read_at_ns=read_at_ns + offset_ns), reading)


def _aged(state: SourceState, track: Track, newest: Frame, wall: float) -> SourceState:
    """Return how a connection was doing; without a frame for some intervals, it is stale."""
    silent_s = wall - newest.wall
    if silent_s <= PAUSE * max(newest.interval_s, track.interval_s):
        return state
    return replace(
        state, availability=Availability.STALE, detail="", reason=f"{state.name} was not recorded for {silent_s:.0f} s"
    )


def _away(track: Track, name: str, wall: float) -> SourceState:
    """Return the state of a host of which there is nothing at an instant."""
    newest_wall = track.newest_before(wall)
    if newest_wall is None:
        return SourceState(name, Availability.WAITING, reason=f"the recording of {name} begins later")
    is_over = all(span.first <= wall for span in track.spans)
    reason = f"the recording of {name} has ended" if is_over else f"{name} was not recorded at this time"
    return SourceState(name, Availability.STALE, reason=reason, read_at_ns=round(newest_wall * 1e9))
