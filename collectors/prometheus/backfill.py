"""A recorded session as the series that its hosts would have exposed, each sample with its time. Streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from collectors.analysis.by_host import by_host
from collectors.analysis.rates import Deriver, Moment
from collectors.exposition.exposer import Choice, Exposer, Own
from collectors.exposition.families import Of, families_of
from collectors.exposition.labels import pairs
from collectors.exposition.text import Dialect
from collectors.model.workloads import Frame
from collectors.session.exporting.rows import Selection, sampled
from collectors.session.format import MOST_WORKLOADS
from collectors.session.frame_sequence import FrameSequence

INSTANCE, JOB = "instance", "job"
"""Labels that a scraper adds: those of the host, and of the job that scrapes it."""
HOST = "{host}"
"""Stands for the hostname in the value of a label."""
_NOT_RECORDED = tuple(family.name for family in families_of(Of.SELF) if not family.name.endswith("_workloads"))
"""What vmtop tells of itself when it is scraped."""


class Piece(NamedTuple):
    """The samples of one instant."""

    wall: float
    text: str
    """A sample a line: series, value, and the time in the unit that was asked for."""
    samples: int


class Backfill:
    """Makes the samples of a session, instant by instant. Memory is bounded by the newest frame.

    Each host is an instance of its own, as if it had been scraped: its hostname is the label `instance`.

    Args:
        session: What was recorded.
        selection: The part of it; its metrics do not count.
        labels: Added to every series, in place of the usual ones of that name; `{host}` in them is the hostname.
        is_in_ms: Whether times are in milliseconds; otherwise in seconds.
    """

    def __init__(
        self, session: FrameSequence, selection: Selection, labels: Mapping[str, str], is_in_ms: bool = True
    ) -> None:
        self._session = session
        self._selection = selection
        self._labels = {INSTANCE: HOST, JOB: "vmtop", **labels}
        self._is_in_ms = is_in_ms
        self._exposers: dict[str, Exposer] = {}

    def pieces(self, report_progress: Callable[[float], None] = lambda wall: None) -> Iterator[Piece]:
        """Yield the samples of each instant, in order of time.

        Args:
            report_progress: Called with the wall time of each frame.
        """
        deriver = Deriver()
        for frame in sampled(self._session, self._selection, deriver, report_progress):
            chosen = self._chosen(deriver.feed(frame))
            time = f" {round(frame.wall * 1000)}\n" if self._is_in_ms else f" {frame.wall:.3f}\n"
            lines = [line for host, alone in chosen for line in self._lines(host, alone, time)]
            if lines:
                yield Piece(frame.wall, "".join(lines), len(lines))

    def _chosen(self, moment: Moment) -> Iterator[tuple[str, Frame]]:
        """Yield the hosts of a moment that are selected, each as a frame of its own, with its name."""
        frame, selection = moment.frame, self._selection
        own_name = frame.facts.get("hostname") or frame.host.name
        if selection.names or selection.query or selection.only:
            kept = {key for key, reading in moment.readings.items() if selection.takes(reading, own_name)}
            kept |= {facts.workload for facts in frame.hosts.values() if facts.workload is not None}
            frame = replace(frame, workloads={key: one for key, one in frame.workloads.items() if key in kept})
        for part in by_host(frame):
            name = part.name or own_name
            if part.frame is not None and selection.takes_host(name):
                yield name, part.frame

    def _lines(self, host: str, frame: Frame, time: str) -> Iterator[str]:
        exposer = self._exposers.setdefault(host, Exposer(Choice(MOST_WORKLOADS)))
        exposer.count(frame.events)
        added = pairs([(name, value.replace(HOST, host)) for name, value in self._labels.items()])
        for line in exposer.text(frame, Dialect.PROMETHEUS, Own("")).splitlines():
            if not line.startswith(("#", *_NOT_RECORDED)):
                yield with_labels(line, added) + time


def with_labels(line: str, added: str) -> str:
    """Return a line of the text format with more labels: `name{a="b"} 1` and `name 1` are both possible."""
    name, space, value = line.partition(" ")
    brace = name.find("{")
    if brace < 0:
        return f"{name}{{{added}}}{space}{value}"
    comma = "" if line[brace + 1] == "}" else ","
    return f"{line[: brace + 1]}{added}{comma}{line[brace + 1 :]}"
