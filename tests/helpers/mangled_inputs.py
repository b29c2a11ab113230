"""Mangled inputs, one after the other, with bounds.

`python -m tests.helpers.mangled_inputs INPUTS FOLDER` prints the tally.

Each input is a session file, a configuration or a filter. It may be refused with a sentence; anything else, more than
`LONGEST_S` for one input, or more memory than `LARGEST` ends the run with a traceback that names the input.
"""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from collectors.analysis.rates import Deriver
from collectors.query.filter import QueryError, parse
from collectors.session.format import SessionError
from collectors.session.reader import Session
from collectors.session.sinks import file_writer
from collectors.session.summary import survey
from tests.helpers.checkout import ROOT
from tests.helpers.demo_fleet import Fleet
from tests.helpers.hostile_text import TEXTS
from tui.configuration.config import ConfigError
from tui.configuration.reading import read

INPUTS = int(os.environ.get("VMTOP_FUZZ", "3000"))
LONGEST_S = 20
LARGEST = 1 << 30
"""Bytes of address space beyond what the program has at its start."""
_CONFIG = b'read_only = true\n[actions]\nallow_protected = ["vm:db"]\n[actions.timeout_s]\nvm = 120\ncontainer = 2.5\n'
_FILTERS = (
    "kind=vm cpu>50 or !name~^web-[0-9]+$", 'label.a.b="two words" mem>=1.5G age>30s', "limit>=90% (", "name~(a|b*)+$"
)  # fmt: skip
_PIECES = [text.encode("utf-8", "replace") for text in TEXTS.values()] + [
    b"\x00" * 50, b"[" * 5000, b"(" * 300, b'"', b"9" * 400, b"1e999", b"NaN", b"\xff", b"=", b"~", b">", b"{1,99999}",
    b"*+?", b"\n", b"\x1f\x8b\x08\x04",
]  # fmt: skip


@dataclass
class Tally:
    """What was tried."""

    inputs: int = 0
    refused: int = 0
    """With a sentence; the others were read, as far as they were whole."""
    bytes_tried: int = 0
    peak_bytes: int = 0
    """Of the whole process."""


def fuzz(inputs: int, folder: Path) -> Tally:
    """Try so many inputs, in a process of its own with bounds on its time and memory."""
    command = [sys.executable, "-m", "tests.helpers.mangled_inputs", str(inputs), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-3000:]
    return Tally(**json.loads(done.stdout))


def mangled(whole: bytes, chance: random.Random) -> bytes:
    """Flip, cut, repeat, move or replace parts."""
    data = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        start = chance.randrange(len(data) + 1)
        end = min(len(data), start + chance.choice((1, 8, 100, 3000)))
        piece = chance.choice(_PIECES)
        kind = chance.randrange(6)
        if kind == 0 and start < len(data):
            data[start] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[start:end]
        elif kind == 2:
            data[start:start] = data[start:end] * chance.choice((1, 3))
        elif kind == 3:
            data[start:end] = piece
        elif kind == 4:
            data[start:start] = piece
        else:
            del data[start:]
    return bytes(data)


def _try_session(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    session = Session([path])
    try:
        deriver = Deriver()
        for _, frame in session.frames():
            deriver.feed(frame)
        for _ in survey(session):
            pass
        session.at(1.75e9)
        session.frame(session.last())
    finally:
        session.close()


def _try_config(data: bytes, path: Path) -> None:
    path.write_bytes(data)
    read(path).config()


def _filter_trial(folder: Path) -> Callable[[bytes, Path], None]:
    fleet = Fleet(20)
    deriver = Deriver()
    deriver.feed(fleet.frame())
    readings = list(deriver.feed(fleet.frame()).readings.values())

    def attempt(data: bytes, _: Path) -> None:
        query = parse(data.decode("utf-8", "surrogateescape"))
        for reading in readings:
            query.matches(reading)

    return attempt


def _session(folder: Path) -> bytes:
    fleet, path = Fleet(4), folder / "whole.vmtop.gz"
    writer = file_writer(path)
    for number in range(12):
        if number in (4, 8):
            writer.end_member()
        writer.write(fleet.frame())
    writer.close()
    return path.read_bytes()


def _fuzz(inputs: int, folder: Path) -> Tally:
    tally, chance = Tally(), random.Random(5)  # noqa: S311  # repeatable, not secret
    whole, attempt_filter = _session(folder), _filter_trial(folder)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + LARGEST
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    for number in range(inputs):
        start, attempt = (
            (whole, _try_session), (_CONFIG, _try_config), (chance.choice(_FILTERS).encode(), attempt_filter)
        )[number % 3]  # fmt: skip
        data = mangled(start, chance)
        signal.alarm(LONGEST_S)
        try:
            attempt(data, folder / "mangled")
        except (SessionError, ConfigError, QueryError) as error:
            if not str(error).isprintable():
                raise ValueError(f"{data!r} is refused with {str(error)!r}") from error
            tally.refused += 1
        except BaseException:
            sys.stderr.write(f"input {number} of {attempt.__name__}: {data[:2000]!r}\n")
            raise
        tally.inputs += 1
        tally.bytes_tried += len(data)
    signal.alarm(0)
    tally.peak_bytes = _peak_bytes()
    return tally


def _peak_bytes() -> int:
    """Return the most memory that this program held. getrusage(2) counts what forked it too, before exec."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _too_long(*_: object) -> None:
    raise TimeoutError(f"one input took more than {LONGEST_S} s")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _too_long)
    sys.stdout.write(json.dumps(asdict(_fuzz(int(sys.argv[1]), Path(sys.argv[2])))))
