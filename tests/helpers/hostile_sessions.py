"""Session files that are within the format and mean harm: each exhausts one thing that a reader could hold or repeat.

`python -m tests.helpers.hostile_sessions NAME FILE` writes one of `FILES`.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from collectors.session.encode import sealed
from collectors.session.format import CLOSING_OFFSET, COLUMNS, FORMAT, PREFIX, VERSION
from collectors.session.writer import MemberMaker

RUN = "0123456789abcdef"
WALL = 1_750_000_000.0
Lines = Iterator[bytes]


def line(**keys: Any) -> bytes:
    """Return a sealed line, with its line end."""
    return sealed(msgspec.json.encode(keys))


def workload(number: int, identity: str, **facts: Any) -> dict[str, Any]:
    """Return a workload as in a `workloads` line."""
    return {"n": number, "engine": "cgroup", "id": identity, "kind": "service", "name": f"w{number}", **facts}


def opening(facts: dict[str, str] | None = None) -> bytes:
    """Return the first two lines of a member."""
    host = {"n": 0, "engine": "host", "id": "host", "kind": "host", "name": "host"}
    meta = line(k="meta", format=FORMAT, version=VERSION, run=RUN, sequence=0)
    return meta + line(k="host", workload=host, cpus=2, memory_bytes=1 << 30, facts=facts or {})


def frame(number: int, **keys: Any) -> bytes:
    """Return a frame line, one second after the frame before it."""
    whole = {
        "wall": WALL + number, "at_ns": number * 10**9, "boot_ns": number * 10**9, "interval_s": 1, "workloads": [],
        "samples": [], "sources": [],
    }  # fmt: skip
    return line(k="frame", **{**whole, **keys})


def block(rows: list[int], columns: dict[str, Any], source: str = "cgroup", **keys: Any) -> dict[str, Any]:
    """Return a complete block of samples."""
    whole = {"source": source, "rank": 0, "rows": rows, "at_ns": 1, "offset_ns": [0] * len(rows)}
    return {**whole, "epoch": [""] * len(rows), "columns": columns, **keys}


def member(lines: Lines, frames: int, wall: float = WALL, last_wall: float | None = None, events: int = 0) -> bytes:
    """Return a closed member of some lines; the header claims so many frames."""
    maker = MemberMaker(RUN, 0, wall)
    data = b"".join(maker.add(text, wall, 0) for text in _joined(lines))
    maker.frames, maker.events = min(frames, 0xFFFF), events
    maker._last_ms = round((wall if last_wall is None else last_wall) * 1000)
    end = maker.end()
    closing = maker.closing(len(data) + len(end))
    return data[:CLOSING_OFFSET] + closing + data[CLOSING_OFFSET + len(closing) :] + end


def _joined(lines: Lines) -> Iterator[bytes]:
    """Yield lines in pieces of about a megabyte: each piece costs a flush."""
    pieces: list[bytes] = []
    for text in lines:
        pieces.append(text)
        if sum(map(len, pieces)) > 1 << 20 or len(pieces) > 4000:
            yield b"".join(pieces)
            pieces = []
    yield b"".join(pieces)


def _frames(count: int, **keys: Any) -> Lines:
    yield opening()
    for number in range(count):
        yield frame(number, **keys)


def unknown_columns() -> bytes:
    """200,000 unknown columns in a block without rows, which the frames after it would carry on."""

    def lines() -> Lines:
        yield opening()
        yield frame(0, samples=[block([], {f"x{number}": None for number in range(200_000)})])
        for number in range(1, 900):
            yield frame(number, samples=[block([], {})])

    return member(lines(), 900, last_wall=WALL + 899)


def endless_frames() -> bytes:
    """60,000 frames in one member, of nothing."""
    return member(_frames(60_000), 60_000, last_wall=WALL + 59_999)


def long_ids() -> bytes:
    """Ten members with 1,900 workloads each, with ids of 4,000 characters, of which one is wide."""
    data = b""
    for part in range(10):

        def lines(part: int = part) -> Lines:
            yield opening()
            for start in range(1, 1901, 100):
                numbers = range(start, start + 100)
                yield line(k="workloads", set=[workload(n, f"\U0001f40b{part}-{n}".ljust(4000, "x")) for n in numbers])
            yield frame(part, workloads=list(range(1, 1901)))

        data += member(lines(), 1, WALL + part)
    return data


def many_workloads() -> bytes:
    """Six members with 9,900 workloads each, all of them others, each in ten frames."""
    data = b""
    for part in range(6):

        def lines(part: int = part) -> Lines:
            yield opening()
            yield line(k="workloads", set=[workload(n, f"{part}-{n}") for n in range(1, 9901)])
            for number in range(10):
                yield frame(part * 10 + number, workloads=list(range(1, 9901)))

        data += member(lines(), 10, WALL + part * 10, WALL + part * 10 + 9)
    return data


def wide_frames() -> bytes:
    """A frame with 50,000 workloads."""

    def lines() -> Lines:
        yield opening()
        yield line(k="workloads", set=[workload(n, f"{n}") for n in range(1, 50_001)])
        yield frame(0, workloads=list(range(1, 50_001)))

    return member(lines(), 1)


def many_samples() -> bytes:
    """Two members of 17 frames with 9,900 samples each, of which the first frame says most."""
    data = b""
    rows = list(range(1, 9901))
    for part in range(2):

        def lines(part: int = part) -> Lines:
            yield opening()
            yield line(k="workloads", set=[workload(n, f"{n}") for n in rows])
            for number in range(17):
                at = part * 17 + number
                columns = {name: [300 + at] * 9900 for name in COLUMNS[:8]} if not number else {}
                counters = {"cpu_total_ns": [(n + at) * 1000 for n in rows]}
                carried: dict[str, Any] = {} if not number else {"offset_ns": None, "epoch": None}
                samples = block(rows, {**columns, **counters}, at_ns=at * 10**9, **carried)
                yield frame(at, workloads=rows, samples=[samples])

        data += member(lines(), 17, WALL + part * 17, WALL + part * 17 + 16)
    return data


def many_values() -> bytes:
    """Two members with as many numbers as fit."""
    data = b""
    rows = list(range(1, 9001))
    for part in range(2):

        def lines(part: int = part) -> Lines:
            yield opening()
            yield line(k="workloads", set=[workload(n, f"{n}") for n in rows])
            for number in range(4):
                at = part * 4 + number
                columns = {name: [1000 + at + n for n in rows] for name in COLUMNS[:28]}
                yield frame(at, workloads=rows, samples=[block(rows, columns, at_ns=at * 10**9)])

        data += member(lines(), 4, WALL + part * 4, WALL + part * 4 + 3)
    return data


def many_events() -> bytes:
    """Ten members of 40,000 events each, whose texts are long and all different."""
    data = b""
    for part in range(10):

        def lines(part: int = part) -> Lines:
            yield opening()
            for number in range(20):
                at = part * 20 + number
                events = [
                    {
                        "wall": WALL + at,
                        "engine": "e",
                        "id": f"\U0001f40b{part}-{n}".ljust(300, "x"),
                        "what": f"what{part}-{n}",
                    }
                    for n in range(2000)
                ]
                yield frame(at, events=events)

        data += member(lines(), 20, WALL + part * 20, WALL + part * 20 + 19, 40_000)
    return data


def many_sources() -> bytes:
    """A frame with 250,000 sources."""
    return member(_frames(1, sources=[{"name": "", "availability": ""}] * 250_000), 1)


def many_members() -> bytes:
    """120,000 members of a frame each."""
    one = member(_frames(1), 1)
    return one * 120_000


def bare_headers() -> bytes:
    """120,000 headers with nothing behind them."""
    return (PREFIX + bytes(CLOSING_OFFSET + 24 - len(PREFIX)))[: CLOSING_OFFSET + 20] * 120_000


def unknown_lines() -> bytes:
    """Ten members of 60 MiB of lines of a kind that nobody knows."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = line(k="x") * 40_000
    body = b"".join(deflate.compress(piece) for _ in range(60)) + deflate.flush()
    head = member(iter([opening()]), 1)[:CLOSING_OFFSET] + bytes(20)
    return (head + body) * 10


def many_gaps() -> bytes:
    """Forty members of 9,000 gaps each."""
    gaps = b"".join(line(k="gap", since=WALL + n, until=WALL + n, frames=1, why=f"{n}" * 40) for n in range(9000))
    return member(iter([opening(), gaps, frame(0)]), 1) * 40


def long_labels() -> bytes:
    """Five members whose workloads have 15 MiB of labels, with a wide character in each."""
    data = b""
    for part in range(5):

        def lines(part: int = part) -> Lines:
            yield opening()
            for number in range(1, 60):
                labels = {f"{part}-{n}": "\U0001f40b" + f"{n}".ljust(240, "y") for n in range(960)}
                yield line(k="workloads", set=[workload(number, f"{part}-{number}", labels=labels)])
            yield frame(part, workloads=list(range(1, 60)))

        data += member(lines(), 1, WALL + part)
    return data


FILES: dict[str, Callable[[], bytes]] = {
    make.__name__: make
    for make in (
        unknown_columns, endless_frames, long_ids, many_workloads, wide_frames, many_samples, many_values, many_events,
        many_sources, many_members, bare_headers, unknown_lines, many_gaps, long_labels,
    )
}  # fmt: skip

if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(FILES[sys.argv[1]]())
