"""Encodes frames as the lines of a session file. Pure; `format` has the contract."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any

import msgspec

from collectors.model.workloads import Event, Frame, HostFacts, Sample, SourceState, Workload, WorkloadId
from collectors.safety.redact import redact_label, redact_text
from collectors.session.format import (
    COLUMN_FACTS,
    COLUMNS,
    FORMAT,
    MEMBER_ROWS,
    MOST_DESCRIBED,
    MOST_VALUES,
    OF_ONE_HOST,
    VERSION,
    Block,
    EventLine,
    FrameLine,
    Gap,
    GapLine,
    HostEntry,
    HostLine,
    HostsLine,
    Line,
    MetaLine,
    SourceLine,
    WorkloadLine,
    WorkloadsLine,
    is_counter,
)

_FIRST_COLUMN = len(Sample.__struct_fields__) - len(COLUMNS)
_OWN = ("id", "image", "labels", "parent", "description", "unmeasured", "addresses")
_FACTS = tuple(name for name in Workload.__struct_fields__ if name not in _OWN)
_NOT_CARRIED = frozenset(name for name in COLUMNS if is_counter(name))
_LARGEST = 2**63 - 1
_SET = 1000
"""Workloads in one line at most, so that no line is longer than readers take."""
_encode = msgspec.json.Encoder().encode


class Encoder:
    """Encodes the frames of one member: what they refer to is described before them, and again when it changes.

    Args:
        run: Which run of a sampler the frames belong to, 16 hexadecimal digits.
        sequence: The member's number in its file.
        program: Name and version of the program that writes.
    """

    def __init__(self, run: str, sequence: int, program: str) -> None:
        self._meta = (run, sequence, program)
        self._version = 0
        self._host: tuple[object, ...] | None = None
        self._hosts: dict[str, HostFacts] = {}
        self._numbers: dict[WorkloadId, int] = {}
        self._described: dict[WorkloadId, Workload] = {}
        self._previous: dict[tuple[int, str], _PreviousBlock] = {}
        self._values = self._rows = 0

    @property
    def is_readable(self) -> bool:
        """Whether all lines so far are no more than readers take of a member."""
        return self._values <= MOST_VALUES and self._rows <= MEMBER_ROWS and len(self._numbers) <= MOST_DESCRIBED

    def lines(self, frame: Frame, gap: Gap | None = None) -> bytes:
        """Return the lines of one frame, each with its line end, preceded by the lines that the frame needs."""
        lines = [*self._opening(frame)]
        if gap is not None:
            lines.append(_line(GapLine(gap.since, gap.until, gap.frames, gap.why)))
        lines += self._identities(frame)
        lines.append(
            _line(
                FrameLine(
                    frame.wall,
                    frame.at_ns,
                    frame.boot_ns,
                    frame.interval_s,
                    [self._numbers[identity] for identity in frame.workloads],
                    self._blocks(frame),
                    [_source(state) for state in frame.sources],
                    [_event(event) for event in frame.events],
                )
            )
        )
        text = b"".join(lines)
        self._values += text.count(b",")  # as readers count them
        return text

    def _opening(self, frame: Frame) -> list[bytes]:
        """Return the member's first line, which is repeated if other hosts appear later."""
        version = VERSION if frame.hosts else OF_ONE_HOST
        if version <= self._version:
            return []
        self._version = version
        run, sequence, program = self._meta
        meta = MetaLine(FORMAT, version, run, sequence, program)
        document = msgspec.to_builtins(meta) | {"columns": COLUMN_FACTS, "captured": "counters, names, states, events"}
        return [sealed(_encode(document))]

    def _identities(self, frame: Frame) -> list[bytes]:
        lines = []
        host = (frame.host, frame.cpus, frame.memory_bytes, frame.facts)
        if host != self._host:
            self._host = host
            lines.append(_line(HostLine(_workload(0, frame.host), frame.cpus, frame.memory_bytes, frame.facts)))
        if frame.hosts != self._hosts:
            self._hosts = frame.hosts
            lines.append(_line(HostsLine([_host(name, facts) for name, facts in frame.hosts.items()])))
        changed = []
        for identity, workload in frame.workloads.items():
            if self._described.get(identity) != workload:
                self._described[identity] = workload
                number = self._numbers.setdefault(identity, len(self._numbers) + 1)
                changed.append(_workload(number, workload))
        starts = range(0, len(changed), _SET)
        return [*lines, *(_line(WorkloadsLine(changed[start : start + _SET])) for start in starts)]

    def _blocks(self, frame: Frame) -> list[Block]:
        groups: dict[tuple[int, str], list[tuple[int, Sample]]] = {}
        for identity, samples in frame.samples.items():
            if identity not in frame.workloads and identity != frame.host.id:
                continue  # no source describes it any more
            number = 0 if identity == frame.host.id else self._numbers[identity]
            for rank, sample in enumerate(samples):
                groups.setdefault((rank, sample.source), []).append((number, sample))
        previous, self._previous = self._previous, {}
        blocks = []
        for key in sorted(groups):
            block, self._previous[key] = _block(key, groups[key], previous.get(key))
            blocks.append(block)
            self._rows += len(block.rows)
        return blocks


class _PreviousBlock(msgspec.Struct, gc=False):
    """One block of the previous frame."""

    rows: list[int]
    offsets: list[int]
    epochs: list[str]
    columns: dict[str, tuple[Any, ...]]


def _block(
    key: tuple[int, str], group: Sequence[tuple[int, Sample]], previous: _PreviousBlock | None
) -> tuple[Block, _PreviousBlock]:
    rows = [number for number, _ in group]
    if previous is not None and previous.rows != rows:
        previous = None
    base = group[0][1].at_ns
    fields = list(zip(*(msgspec.structs.astuple(sample) for _, sample in group), strict=True))
    offsets = [at_ns - base for at_ns in fields[1]]
    epochs = list(fields[2])
    present = {
        name: values
        for name, values in zip(COLUMNS, fields[_FIRST_COLUMN:], strict=True)
        if values.count(None) != len(values)
    }
    for name in [name for name, values in present.items() if not _fits(values)]:
        present[name] = tuple(value if value is None or 0 <= value <= _LARGEST else None for value in present[name])
    columns: dict[str, Any] = present
    if previous is not None:
        carried = previous.columns
        columns = {
            name: values for name, values in present.items() if name in _NOT_CARRIED or carried.get(name) != values
        }
        columns.update({name: None for name in carried if name not in present and name not in _NOT_CARRIED})
    block = Block(
        source=key[1],
        rank=key[0],
        rows=rows,
        at_ns=base,
        columns=columns,
        offset_ns=None if previous is not None and previous.offsets == offsets else offsets,
        epoch=None if previous is not None and previous.epochs == epochs else epochs,
    )
    return block, _PreviousBlock(rows, offsets, epochs, present)


def _fits(values: Sequence[Any]) -> bool:
    """Return whether readers accept all values: they refuse negative and very large numbers."""
    numbers = [value for value in values if value is not None]
    return bool(min(numbers) >= 0 and max(numbers) <= _LARGEST)


def _workload(number: int, workload: Workload) -> WorkloadLine:
    """Describe a workload; what looks like a secret in labels, description or image (a domain's title) is masked."""
    facts = {name: getattr(workload, name) for name in _FACTS}
    return WorkloadLine(
        n=number,
        engine=workload.id.engine,
        id=workload.id.id,
        parent=None if workload.parent is None else workload.parent[:2],
        host=workload.id.host,
        description=None if workload.description is None else redact_text(workload.description),
        image=None if workload.image is None else redact_text(workload.image),
        labels={name: redact_label(name, value) for name, value in workload.labels},
        unmeasured=list(workload.unmeasured),
        addresses=list(workload.addresses),
        **facts,
    )


def _source(state: SourceState) -> SourceLine:
    return SourceLine(
        state.name,
        state.availability,
        state.detail,
        state.reason,
        state.remedy,
        state.read_at_ns,
        state.cost_ns,
        state.host,
    )


def _host(name: str, facts: HostFacts) -> HostEntry:
    return HostEntry(
        name,
        None if facts.workload is None else facts.workload[:2],
        facts.cpus,
        facts.memory_bytes,
        facts.facts,
        facts.clock_ahead_s,
        facts.run,
        facts.interval_s,
        list(facts.tags),
    )


def _event(event: Event) -> EventLine:
    engine, identity, host = event.workload
    return EventLine(event.wall, engine, identity, event.what, event.detail, event.name, host)


def _line(line: Line) -> bytes:
    try:
        return sealed(_encode(line))
    except UnicodeEncodeError:  # the name of a file or a cgroup that is not UTF-8
        return sealed(_encode(_readable(msgspec.to_builtins(line))))


def _readable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_readable(key): _readable(inner) for key, inner in value.items()}
    return [_readable(inner) for inner in value] if isinstance(value, list) else value


def sealed(text: bytes) -> bytes:
    """Return a JSON object as a line, with its `crc` and its line end."""
    body = text[:-1]
    return b'%s,"crc":%d}\n' % (body, zlib.crc32(body))
