"""The session file's whole contract; `docs/session-format.md` explains it with examples.

A session file is one or more gzip members (RFC 1952), each of which holds JSON lines and can be read alone:

- The gzip header has an extra field `VT` with the member's position in time (`HEADER`). What is known only at the
  member's end (its length, its last instant, the number of frames and events) is filled in then; until then it is 0.
- `meta` is the first line, `host`, `hosts` and `workloads` come before the first frame that needs them and again when
  they change, then there is one `frame` line per tick. A `gap` line records that frames were lost, and why.
- Numbers of a frame are raw: counters as they were read, by column. A column that is not a counter is left out when it
  equals that of the previous frame in the same member; `null` means that it is gone.
- The last key of every line is `crc`: the CRC-32 of all bytes of the line before `,"crc"`.
- After every frame the stream is flushed and followed by an empty last block, CRC and size, so that the file is valid
  gzip at every instant. The next frame overwrites these bytes.

Unknown kinds of lines, keys and columns are ignored by readers and kept by programs that copy lines. The version grows
only when older readers would misread the file; readers refuse a higher one.
"""

from __future__ import annotations

import struct
from typing import Annotated, NamedTuple

import msgspec

from collectors.model.workloads import Sample
from collectors.safety.sanitize import sanitize

FORMAT = "vmtop-session"
VERSION = 2
"""The highest version that is read, and that of members with several hosts."""
OF_ONE_HOST = 1
"""The version of members without other hosts: older programs read them, and would mix up equal ids of several."""
SUFFIX = ".vmtop.gz"

MEMBER_FRAMES = 60
"""Frames after which a member ends."""
MEMBER_TEXT = 4 << 20
"""Bytes of text after which a member ends, so that large fleets are read as quickly as small ones."""
MEMBER_ROWS = 100_000
"""Samples that a member has at most: what readers took before they took `MOST_ROWS`."""

PAUSE = 3.0
"""Frames further apart than this many intervals have a pause between them."""
SHORTEST_S = 0.2
"""No interval is shorter."""

# Bounds of what is read, so that whatever is in a file takes linear time and little memory. A writer ends a member
# before it has more.
LONGEST_LINE = 8 << 20
LARGEST_MEMBER = 16 << 20
"""Text that a reader takes from one member at most: `MEMBER_TEXT` and a frame."""
MOST_LINES = 10_000
"""Lines of one member at most."""
MOST_FRAMES = 1000
"""Frames of one member at most."""
MOST_WORKLOADS = 10_000
"""Workloads in one frame at most."""
MOST_DESCRIBED = 2 * MOST_WORKLOADS
"""Workloads that one member describes at most: they come and go."""
MOST_VALUES = 1_100_000
"""Values in all lines of one member at most, of some 40 bytes each: a reader holds them in memory together."""
MOST_ROWS = 160_000
"""Samples in all frames of one member at most. One that is repeated counts once; they are made when asked for, of some
500 bytes each."""
MOST_FRAME_ROWS = 60_000
"""Samples in one frame at most."""
MOST_HOSTS = 1024
"""Other hosts in one frame at most."""
MOST_SOURCES = 32 * MOST_HOSTS
"""Sources in one frame at most: each host has two dozen."""
MOST_MEMBERS = 100_000
"""Members of one file at most, of some 400 bytes each in the index: 69 days at a frame a second."""
MOST_KEPT = 10_000
"""Workloads, events or gaps of a whole file at most that are kept for a summary."""
MOST_KEPT_TEXT = 8 << 20
"""Bytes of memory at most for the texts of the workloads, or the events, that are kept."""
_LONGEST_MESSAGE = 1000

PREFIX = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff" + struct.pack("<H2sH", 44, b"VT", 40)
"""The first bytes of every member: deflate, an extra field, no time, no operating system. `HEADER` follows."""
HEADER = struct.Struct("<8sIqqIHHI")
"""Run (8 bytes), sequence, wall time in ms of the first and of the last frame, length in bytes, frames, events, and the
CRC-32 of all bytes of the member, with the fields that are filled in at its end as 0."""
HEADER_SIZE = len(PREFIX) + HEADER.size
CLOSING = struct.Struct("<qIHHI")
"""The part of `HEADER` that is filled in when the member ends."""
CLOSING_OFFSET = HEADER_SIZE - CLOSING.size
LAST_BLOCK = b"\x03\x00"
"""An empty last deflate block."""
TRAILER = struct.Struct("<II")
"""CRC-32 and size of the text."""

_FIXED = ("source", "at_ns", "epoch")
COLUMNS: tuple[str, ...] = tuple(name for name in Sample.__struct_fields__ if name not in _FIXED)
"""The fields of a sample that are columns, in the order in which `Sample` takes them after its fixed ones."""


class SessionError(Exception):
    """A session cannot be read or written; the message is one sentence for the user, safe to show."""

    def __init__(self, message: str) -> None:
        super().__init__(sanitize(message, _LONGEST_MESSAGE))


class Gap(msgspec.Struct, frozen=True):
    """Frames that were lost between two that were kept."""

    since: float
    """Wall time at which it starts, in seconds since 1970."""
    until: float
    """Wall time at which it ends."""
    frames: int
    why: str


class Damage(NamedTuple):
    """A part of a file that cannot be read."""

    path: str
    offset: int
    """Bytes from the file's start."""
    what: str
    """One sentence."""


def unit_of(column: str) -> str:
    """Return the unit of a column, from its name."""
    for suffix, unit in (("_ns", "ns"), ("_bytes", "bytes"), ("_s", "s"), ("_cores", "cores"), ("_1m", "tasks")):
        if column.endswith(suffix):
            return unit
    return "count"


def is_counter(column: str) -> bool:
    """Return whether a column only grows, and so is written with every frame."""
    return "_total" in column


COLUMN_FACTS: dict[str, dict[str, str]] = {
    name: {"unit": unit_of(name), "type": "counter" if is_counter(name) else "gauge"} for name in COLUMNS
}
"""The unit and type of each column, as the `meta` line lists them."""

Number = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Real = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
Wall = Annotated[float, msgspec.Meta(ge=0, le=4_102_444_800)]
"""Seconds since 1970, up to 2100."""
Column = list[Number | Real | None] | None


class Line(msgspec.Struct, tag_field="k"):
    """Any line."""


class MetaLine(Line, tag="meta"):
    """The member's origin: its writer, its contract and its run."""

    format: str
    version: Number
    run: str
    sequence: Number
    program: str = ""


class WorkloadLine(msgspec.Struct, omit_defaults=True):
    """One workload's identity and facts; `n` is its number in this member, 0 the host's."""

    n: Number
    engine: str
    id: str
    kind: str
    name: str
    state: str = "unknown"
    name_is_known: bool = True
    image: str | None = None
    description: str | None = None
    project: str | None = None
    health: str | None = None
    ports: str | None = None
    cgroup: str | None = None
    parent: tuple[str, str] | None = None
    endpoint: str = ""
    started_at: Annotated[float, msgspec.Meta(ge=-1e11, le=1e11)] | None = None
    exit_code: int | None = None
    labels: dict[str, str] = {}
    is_listed: bool | None = None
    state_reason: str | None = None
    unmeasured: list[tuple[str, str, str]] = []
    """Topic, cause and detail of each."""
    addresses: list[str] = []
    restarts: Number | None = None
    is_sandbox: bool = False
    host: str = ""
    """The other host that it is on; `parent` is on the same one."""


class HostLine(Line, tag="host"):
    """The host and its facts."""

    workload: WorkloadLine
    cpus: Annotated[int, msgspec.Meta(ge=1, le=1 << 20)]
    memory_bytes: Number
    facts: dict[str, str] = {}


class HostEntry(msgspec.Struct, omit_defaults=True):
    """Another host."""

    name: str
    workload: tuple[str, str] | None = None
    """Engine and id of the host among the workloads."""
    cpus: Annotated[int, msgspec.Meta(ge=0, le=1 << 20)] = 0
    memory_bytes: Number = 0
    facts: dict[str, str] = {}
    clock_ahead_s: Annotated[float, msgspec.Meta(ge=-1e11, le=1e11)] | None = None
    run: str = ""
    interval_s: Real = 0.0
    tags: list[str] = []


class HostsLine(Line, tag="hosts"):
    """All other hosts; again when one of them has changed."""

    hosts: list[HostEntry]


class WorkloadsLine(Line, tag="workloads"):
    """Workloads that are new or have changed since this member described them."""

    set: list[WorkloadLine]


class Block(msgspec.Struct, omit_defaults=True):
    """The samples of one source: one row per workload."""

    source: str
    rank: Number
    """Position of these samples among those of the same workload, in order of authority, from 0."""
    rows: list[Number]
    """Numbers of the workloads."""
    at_ns: Number
    """Monotonic instant of the first row."""
    columns: dict[str, Column]
    offset_ns: list[Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]] | None = None
    """Nanoseconds to add to `at_ns` for each row; left out when the same as in the previous frame."""
    epoch: list[str] | None = None
    """One per row; left out when the same as in the previous frame."""


class SourceLine(msgspec.Struct, omit_defaults=True):
    """How a source was doing."""

    name: str
    availability: str
    detail: str = ""
    reason: str = ""
    remedy: str = ""
    read_at_ns: Number | None = None
    cost_ns: Number | None = None
    host: str = ""
    """The other host whose vmtop reads it."""


class EventLine(msgspec.Struct, omit_defaults=True):
    """An event; a user's note is an event `note` of the host."""

    wall: Wall
    engine: str
    id: str
    what: str
    detail: str = ""
    name: str = ""
    host: str = ""


class FrameLine(Line, tag="frame", omit_defaults=True):
    """One tick."""

    wall: Wall
    at_ns: Number
    boot_ns: Number
    interval_s: Real
    workloads: list[Number]
    """Numbers of the workloads that exist, in order."""
    samples: list[Block]
    sources: list[SourceLine]
    events: list[EventLine] = []


class GapLine(Line, tag="gap"):
    """Frames lost since the last one."""

    since: Wall
    until: Wall
    frames: Number
    why: str


AnyLine = MetaLine | HostLine | HostsLine | WorkloadsLine | FrameLine | GapLine
