"""Decodes the lines of a session file into frames. Pure; `format` has the contract.

Texts are sanitized, numbers are checked for type and range, and a line with a wrong check sum is refused: the result is
as safe to show as what a source supplies.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import msgspec

from collectors.model.workloads import (
    Availability,
    Event,
    Frame,
    HostFacts,
    Kind,
    SourceState,
    State,
    Unmeasured,
    Workload,
    WorkloadId,
)
from collectors.safety.sanitize import sanitize
from collectors.session.format import (
    FORMAT,
    LONGEST_LINE,
    MOST_DESCRIBED,
    MOST_FRAME_ROWS,
    MOST_FRAMES,
    MOST_HOSTS,
    MOST_LINES,
    MOST_ROWS,
    MOST_SOURCES,
    MOST_VALUES,
    MOST_WORKLOADS,
    VERSION,
    AnyLine,
    Block,
    EventLine,
    FrameLine,
    Gap,
    GapLine,
    HostEntry,
    HostLine,
    HostsLine,
    MetaLine,
    SourceLine,
    WorkloadLine,
    WorkloadsLine,
)
from collectors.session.frame_blocks import CheckedBlock, UnmadeFrame, completed, problem_of

_SEAL = b',"crc":'
_SEAL_LONGEST = len(_SEAL) + len("4294967295}")
_KINDS = frozenset({"meta", "host", "hosts", "workloads", "frame", "gap"})
_LONG_TEXT = 4096
_LONGEST_ID = 1024
_MOST_BLOCKS = 256


class _Any(msgspec.Struct):
    k: str


_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)
_decode_any = msgspec.json.Decoder(_Any).decode


class LineError(Exception):
    """A line that is incomplete or breaks the contract; the message is safe to show."""

    def __init__(self, message: str) -> None:
        super().__init__(sanitize(message))


class NewerFormat(LineError):
    """A line of a format that this version does not know."""


class Decoder:
    """Decodes the lines of one member, in order."""

    def __init__(self) -> None:
        self.meta: MetaLine | None = None
        self._host: HostLine | None = None
        self._host_workload: Workload | None = None
        self._hosts: dict[str, HostFacts] = {}
        self._workloads: dict[int, Workload] = {}
        self._listed: _Listed | None = None
        """The workloads of the previous frame; `None` once one of them is described again."""
        self._changed: dict[WorkloadId, Workload] = {}
        """The workloads of the previous frame that were described again since."""
        self._previous_blocks: dict[tuple[int, str], CheckedBlock] = {}
        """The previous frame's blocks, by rank and source."""
        self._lines = self._frames = 0
        self.values = self.rows = 0
        """Values in the lines so far, and samples made of them: what their frames take in memory."""

    def take(self, line: bytes) -> Frame | Gap | None:
        """Return the frame or the gap of a line; `None` for other lines.

        Raises:
            LineError: The line is damaged or breaks the contract; what follows it in this member cannot be read.
        """
        checked = self.check(line)
        return checked.make() if isinstance(checked, UnmadeFrame) else checked

    def check(self, line: bytes) -> UnmadeFrame | Gap | None:
        """Take a line like `take`, and leave the samples of a frame to whoever asks for them: all else is checked."""
        self._lines += 1
        _check_bound(self._lines, MOST_LINES, "lines")
        self.values += line.count(b",")
        _check_bound(self.values, MOST_VALUES, "values")
        decoded = parse(line)
        match decoded:
            case FrameLine():
                return self._frame(decoded)
            case GapLine():
                return Gap(decoded.since, decoded.until, decoded.frames, sanitize(decoded.why))
            case MetaLine():
                if decoded.format != FORMAT or decoded.version > VERSION:
                    raise NewerFormat(
                        f"its format is {sanitize(decoded.format)} {decoded.version}, which this vmtop cannot read"
                    )
                self.meta = decoded
            case HostLine():
                self._take_host(decoded)
            case HostsLine():
                _check_bound(len(decoded.hosts), MOST_HOSTS, "hosts")
                self._hosts = dict(map(_other_host, decoded.hosts))
            case WorkloadsLine():
                self._take_workloads(decoded)
        return None

    def _take_host(self, line: HostLine) -> None:
        line.facts = {sanitize(key): sanitize(value, _LONG_TEXT) for key, value in line.facts.items()}
        before = self._host_workload
        self._host, self._host_workload = line, _workload(line.workload, Kind.HOST)
        if before is None or before.id != self._host_workload.id:
            self._forget_list()

    def _forget_list(self) -> None:
        self._listed = None
        self._changed.clear()

    def _take_workloads(self, line: WorkloadsLine) -> None:
        for workload_line in line.set:
            workload, before = _workload(workload_line), self._workloads.get(workload_line.n)
            self._workloads[workload_line.n] = workload
            if before is None or before.id != workload.id:
                self._forget_list()
            elif self._listed is not None and workload.id in self._listed.workloads:
                self._changed[workload.id] = workload
        _check_bound(len(self._workloads), MOST_DESCRIBED, "workloads")

    def _frame(self, line: FrameLine) -> UnmadeFrame:
        if self.meta is None or self._host is None or self._host_workload is None:
            raise LineError("a frame comes before its meta or host line")
        self._frames += 1
        _check_bound(self._frames, MOST_FRAMES, "frames")
        _check_bound(len(line.sources), MOST_SOURCES, "sources")
        self._listed = listed = self._list(line.workloads, self._host_workload)
        without_samples = Frame(
            at_ns=line.at_ns,
            wall=line.wall,
            boot_ns=line.boot_ns,
            host=self._host_workload,
            workloads=listed.workloads,
            samples={},
            sources=tuple(_source(source_line) for source_line in line.sources),
            events=tuple(_event(event_line) for event_line in line.events),
            cpus=self._host.cpus,
            memory_bytes=self._host.memory_bytes,
            facts=self._host.facts,
            run=self.meta.run,
            interval_s=float(line.interval_s),
            hosts=self._hosts,
        )
        return UnmadeFrame(without_samples, self._blocks(line.samples, listed.identities), listed.identities)

    def _list(self, numbers: list[int], host: Workload) -> _Listed:
        """Return the workloads of a frame: those of the previous one, as they are now, or made anew."""
        changed, self._changed = self._changed, {}
        listed = self._listed
        if listed is not None and listed.numbers == numbers and (not changed or listed.is_one_to_one):
            return listed._replace(workloads=listed.workloads | changed) if changed else listed
        if len(numbers) > MOST_WORKLOADS:
            raise LineError(f"a frame has more than {MOST_WORKLOADS:,} workloads")
        identities, workloads = {0: host.id}, {}
        for number in numbers:
            workload = self._workloads.get(number)
            if workload is None or not number:
                raise LineError(f"a frame refers to workload {number}, which no line before it describes")
            workloads[workload.id] = workload
            identities[number] = workload.id
        return _Listed(numbers, workloads, identities)

    def _blocks(self, blocks: list[Block], identities: dict[int, WorkloadId]) -> list[CheckedBlock]:
        previous_blocks, self._previous_blocks = self._previous_blocks, {}
        if len(blocks) > _MOST_BLOCKS or sum(len(block.rows) for block in blocks) > MOST_FRAME_ROWS:
            raise LineError(f"a frame has more than {_MOST_BLOCKS} readers or {MOST_FRAME_ROWS:,} samples")
        checked_blocks = []
        for block in blocks:
            key = block.rank, block.source
            checked = self._check(block, previous_blocks.get(key))
            self._previous_blocks[key] = checked
            checked_blocks.append(checked)
            unlisted = next((number for number in block.rows if number not in identities), None)
            if unlisted is not None:
                raise LineError(f"a sample belongs to workload {unlisted}, which the frame does not list")
        return checked_blocks

    def _check(self, block: Block, previous: CheckedBlock | None) -> CheckedBlock:
        """Complete a block; one that repeats the previous frame's has the same samples."""
        block = completed(block, previous.block if previous is not None else None)
        if problem := problem_of(block):
            raise LineError(problem)
        if previous is not None and block.at_ns == previous.block.at_ns and block == previous.block:
            return previous
        self.rows += len(block.rows)
        _check_bound(self.rows, MOST_ROWS, "samples")
        return CheckedBlock(block)


class _Listed(NamedTuple):
    """The workloads of a frame; frames that list the same ones share it."""

    numbers: list[int]
    workloads: dict[WorkloadId, Workload]
    identities: dict[int, WorkloadId]

    @property
    def is_one_to_one(self) -> bool:
        """Whether no two numbers stand for one workload."""
        return len(self.workloads) == len(self.numbers)


def _check_bound(count: int, most: int, what: str) -> None:
    if count > most:
        raise LineError(f"it has more than {most:,} {what}")


def parse(line: bytes) -> AnyLine | None:
    """Return a checked line; `None` if this version does not know its kind.

    Raises:
        LineError: The line is damaged or breaks the contract.
    """
    check_seal(line)
    try:
        return _decoder.decode(line)
    except msgspec.ValidationError as error:
        if _kind(line) not in _KINDS:
            return None
        raise LineError(f"a line breaks the contract: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise LineError(f"a line is not a JSON object: {error}") from error


def _kind(line: bytes) -> str:
    try:
        return _decode_any(line).k
    except (msgspec.MsgspecError, RecursionError):
        return "frame"  # later versions may add kinds of lines, but no lines without a kind


def check_seal(line: bytes) -> None:
    """Check a line's length and its check sum.

    Raises:
        LineError: The check sum is missing or wrong, or the line is too long.
    """
    if len(line) > LONGEST_LINE:
        raise LineError("a line is too long")
    start = line.rfind(_SEAL, -_SEAL_LONGEST)
    seal = line[start + len(_SEAL) : -1]
    if start < 0 or line[-1:] != b"}" or not seal.isdigit() or int(seal) != zlib.crc32(memoryview(line)[:start]):
        raise LineError("a line's check sum is wrong")


def _workload(line: WorkloadLine, kind: Kind = Kind.SERVICE) -> Workload:
    return Workload(
        id=WorkloadId(sanitize(line.engine), _id(line.id), host := sanitize(line.host)),
        kind=Kind(line.kind) if line.kind in _KIND_WORDS else kind,
        name=sanitize(line.name),
        state=State(line.state) if line.state in _STATE_WORDS else State.UNKNOWN,
        name_is_known=line.name_is_known,
        image=_text(line.image),
        description=_text(line.description),
        project=_text(line.project),
        health=_text(line.health),
        ports=_text(line.ports),
        cgroup=_text(line.cgroup, _LONG_TEXT),
        parent=None if line.parent is None else WorkloadId(sanitize(line.parent[0]), _id(line.parent[1]), host),
        endpoint=sanitize(line.endpoint),
        started_at=line.started_at,
        exit_code=line.exit_code,
        labels=tuple((sanitize(key), sanitize(value)) for key, value in line.labels.items()),
        is_listed=line.is_listed,
        state_reason=_text(line.state_reason),
        unmeasured=tuple(Unmeasured(*map(_id, note)) for note in line.unmeasured[:_MOST_NOTES]),
        addresses=tuple(sanitize(address, _LONGEST_ADDRESS) for address in line.addresses[:_MOST_ADDRESSES]),
        restarts=line.restarts,
        is_sandbox=line.is_sandbox,
    )


_MOST_NOTES = 32
"""Entries of `Workload.unmeasured` that are read at most."""
_MOST_ADDRESSES, _LONGEST_ADDRESS = 8, 45
_KIND_WORDS, _STATE_WORDS, _AVAILABILITIES = (frozenset(words) for words in (Kind, State, Availability))


def _id(text: str) -> str:
    return sanitize(text, _LONGEST_ID)


def _text(text: str | None, longest: int = 256) -> str | None:
    return None if text is None else sanitize(text, longest)


def _source(line: SourceLine) -> SourceState:
    is_known = line.availability in _AVAILABILITIES
    return SourceState(
        sanitize(line.name),
        Availability(line.availability) if is_known else Availability.DOWN,
        sanitize(line.detail),
        sanitize(line.reason, _LONG_TEXT),
        sanitize(line.remedy, _LONG_TEXT),
        line.read_at_ns,
        line.cost_ns,
        host=sanitize(line.host),
    )


def _other_host(entry: HostEntry) -> tuple[str, HostFacts]:
    name, own = sanitize(entry.name), entry.workload
    return name, HostFacts(
        None if own is None else WorkloadId(sanitize(own[0]), _id(own[1]), name),
        entry.cpus,
        entry.memory_bytes,
        {sanitize(key): sanitize(value, _LONG_TEXT) for key, value in entry.facts.items()},
        entry.clock_ahead_s,
        sanitize(entry.run),
        float(entry.interval_s),
        tuple(map(sanitize, entry.tags)),
    )


def _event(line: EventLine) -> Event:
    return Event(
        line.wall,
        WorkloadId(sanitize(line.engine), _id(line.id), sanitize(line.host)),
        sanitize(line.what),
        sanitize(line.detail),
        sanitize(line.name),
    )
