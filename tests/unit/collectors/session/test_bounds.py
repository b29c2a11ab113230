"""Session files that mean harm: bounded memory for every command, bounded work, and a sentence on what was left out."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from collectors.analysis import history
from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Moment
from collectors.comparison import window_statistics
from collectors.comparison.window_statistics import Window
from collectors.model.workloads import Event, Frame, Kind, Workload, WorkloadId
from collectors.session import encode, kept, writer
from collectors.session.cut import cut
from collectors.session.decode import Decoder, LineError
from collectors.session.exporting import writers as export
from collectors.session.exporting.rows import Selection, rows
from collectors.session.format import (
    COLUMNS,
    LARGEST_MEMBER,
    MEMBER_TEXT,
    MOST_FRAMES,
    MOST_KEPT,
    MOST_LINES,
    MOST_MEMBERS,
    MOST_ROWS,
    MOST_SOURCES,
    MOST_VALUES,
    Gap,
    SessionError,
)
from collectors.session.frame_blocks import UnmadeFrame
from collectors.session.gzip_member import SessionFile
from collectors.session.kept import Budget, KeptWorkloads, NewestEvents
from collectors.session.reader import Session
from collectors.session.summary import Summary, survey
from tests.helpers.checkout import ROOT
from tests.helpers.demo_fleet import Fleet
from tests.helpers.hostile_sessions import FILES, WALL, block, frame, line, member, opening, workload
from tests.unit.collectors.session.test_session_file import fleet_frames, read, write

pytestmark = pytest.mark.slow

LARGEST = 200_000_000
"""Bytes of memory that a command may take, the interpreter and its libraries included."""
LARGEST_PLAYED = 240_000_000
"""The same of playing a file back, which holds the past of 5,000 workloads twice while it reads more of it."""
_PEAK = "\nsys.stderr.write('\\nPEAK ' + open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
_COMMAND = "import sys\nfrom tui.cli.main import main\ncode = main.main(sys.argv[1:], standalone_mode=False)"
_REPLAY = """
import sys
from pathlib import Path
import tui.app.replay
from collectors.session.playback import Playback
from collectors.session.reader import Session
playback = Playback(Session([Path(sys.argv[1])]))
for number in (0, playback.total - 1, playback.total // 2):
    playback.go(number)
    while playback.deepen():
        pass
while playback.events.advance():
    pass
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    if not path.exists():
        path.write_bytes(FILES[name]())
    return path


def _peak_bytes(program: str, *words: str) -> tuple[int, str]:
    """Run a program; return the most memory that it held, and what it said."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program + _PEAK, *words],
        stdout=subprocess.PIPE if words[0] == "info" else subprocess.DEVNULL,
        stderr=subprocess.PIPE, text=True, check=False, env=environment, cwd=ROOT, timeout=600,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr[-2000:]
    said, _, peak = done.stderr.rpartition("PEAK ")
    return (int(peak) * 1024 if peak else 0), (done.stdout or "") + said


SAID = {
    "endless_frames": f"it has more than {MOST_FRAMES:,} frames",
    "long_ids": "omitted   only the first 1,9",
    "many_workloads": f"omitted   only the first {MOST_KEPT:,} workloads are listed",
    "wide_frames": "it has more than 20,000 workloads",
    "many_samples": f"it has more than {MOST_ROWS:,} samples",
    "many_values": f"it has more than {MOST_VALUES:,} values",
    "many_sources": f"it has more than {MOST_SOURCES:,} sources",
    "many_members": f"it has more than {MOST_MEMBERS:,} parts; those from here on are not read",
    "bare_headers": f"it has more than {MOST_MEMBERS:,} parts; those from here on are not read",
    "unknown_lines": f"it contains more than {LARGEST_MEMBER >> 20} MiB of text",
    "many_gaps": f"omitted   only the first {MOST_KEPT:,} gaps are listed",
}


@pytest.mark.parametrize("name", FILES)
def test_whatever_is_in_a_file_info_takes_little_memory_and_says_what_it_left_out(name: str, folder: Path) -> None:
    peak, said = _peak_bytes(_COMMAND, "info", str(_file(folder, name)))
    assert peak < LARGEST
    assert SAID.get(name, "") in said


@pytest.mark.parametrize(
    "words",
    [
        ("info", "--json"),
        ("export", "--format", "csv"),
        ("export", "--format", "openmetrics"),
        ("report", "--force", "-o", "page"),
        ("compare", "--past", "--session"),
        ("compare", "w1", "--past", "--session"),
    ],
    ids=" ".join,
)
def test_whatever_is_in_a_file_every_command_takes_little_memory(words: tuple[str, ...], folder: Path) -> None:
    command = [str(folder / word) if word == "page" else word for word in words]
    assert 0 <= _peak_bytes(_COMMAND, *command, str(_file(folder, "many_workloads")))[0] < LARGEST


@pytest.mark.parametrize("name", ["long_ids", "many_samples", "many_workloads"])
def test_whatever_is_in_a_file_playing_it_back_takes_little_memory(name: str, folder: Path) -> None:
    assert 0 < _peak_bytes(_REPLAY, str(_file(folder, name)))[0] < LARGEST_PLAYED


def test_no_memory_is_a_sentence(tmp_path: Path) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(2))
    program = (
        "import sys\nfrom collectors.session import summary\n"
        "def fail(*_):\n    raise MemoryError\n"
        "summary.Deriver.feed = fail\n"
        "from tui.cli.main import main\nsys.exit(main.main(['info', sys.argv[1]], standalone_mode=False))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=False, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "XDG_STATE_HOME": str(tmp_path)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (
        1,
        "vmtop: there is not enough memory for this; 'ulimit -v' shows a limit\n",
    )


# --- work ------------------------------------------------------------------------------------------------------------


def test_unknown_columns_are_not_carried_from_frame_to_frame() -> None:
    decoder = Decoder()
    blocks = [block([], {"pids": [], **{f"x{number}": None for number in range(5000)}}), block([], {})]
    for text in (opening() + b"".join(frame(n, samples=[one]) for n, one in enumerate(blocks))).splitlines():
        decoder.take(text)
    (decoded,) = decoder._previous_blocks.values()
    assert decoded.block.columns == {"pids": []}


def test_a_sample_that_is_repeated_is_one_object_and_counts_once() -> None:
    decoder, made = Decoder(), []
    lines = opening() + b"".join(
        frame(number, samples=[block([0], {"pids": [number // 2]}, at_ns=number // 2)]) for number in range(4)
    )
    for text in lines.splitlines():
        decoded = decoder.take(text)
        if isinstance(decoded, Frame):
            made.append(decoded.samples[decoded.host.id][0])
    assert [made[0] is made[1], made[1] is made[2], made[2] is made[3]] == [True, False, True]
    assert decoder.rows == 2


def test_frames_that_list_the_same_workloads_share_the_list_until_one_is_described_again() -> None:
    decoder, listed = Decoder(), []
    described = line(k="workloads", set=[workload(1, "a")])
    again = line(k="workloads", set=[workload(1, "a", state="running")])
    for text in (opening() + described + frame(0, workloads=[1]) + frame(1, workloads=[1]) + again).splitlines():
        decoded = decoder.take(text)
        listed += [decoded.workloads] if isinstance(decoded, Frame) else []
    last = decoder.take(frame(2, workloads=[1]).rstrip())
    assert isinstance(last, Frame)
    assert listed[0] is listed[1]
    assert [one.state for one in last.workloads.values()] == ["running"]
    assert [one.state for one in listed[0].values()] == ["unknown"]


def test_a_workload_that_is_described_again_keeps_its_place_and_one_that_becomes_another_leaves_it() -> None:
    decoder = Decoder()

    def listed(text: bytes) -> list[tuple[str, str]]:
        (frame_taken,) = [one for one in map(decoder.take, text.splitlines()) if isinstance(one, Frame)]
        return [(one.id.id, one.state) for one in frame_taken.workloads.values()]

    both = [workload(1, "a"), workload(2, "b")]
    first = opening() + line(k="workloads", set=both) + frame(0, workloads=[1, 2])
    assert listed(first) == [("a", "unknown"), ("b", "unknown")]
    again = line(k="workloads", set=[workload(1, "a", state="running"), workload(3, "c")])
    assert listed(again + frame(1, workloads=[1, 2])) == [("a", "running"), ("b", "unknown")]
    another = line(k="workloads", set=[workload(1, "d")])
    assert listed(another + frame(2, workloads=[1, 2])) == [("d", "unknown"), ("b", "unknown")]
    twice = line(k="workloads", set=[workload(2, "d", state="paused")])
    assert listed(twice + frame(3, workloads=[1, 2])) == [("d", "paused")]
    back = line(k="workloads", set=[workload(1, "d", state="running")])
    assert listed(back + frame(4, workloads=[1, 2])) == [("d", "paused")], "the last number that stands for it counts"


def test_no_more_of_a_member_is_inflated_or_decoded_than_its_bounds(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[int] = []
    check = Decoder.check

    def count(decoder: Decoder, text: bytes) -> UnmadeFrame | Gap | None:
        taken.append(len(text))
        return check(decoder, text)

    monkeypatch.setattr(Decoder, "check", count)
    file = SessionFile(_file(folder, "unknown_lines"))
    text = file.text(file.members[0])
    text.exhaust()
    assert text.size <= LARGEST_MEMBER + (1 << 20)
    file.close()
    session = Session([_file(folder, "unknown_lines")])
    assert session.part(0).problem == f"it contains more than {LARGEST_MEMBER >> 20} MiB of text"
    assert len(taken) == MOST_LINES + 1
    session.close()


def test_a_member_of_a_large_fleet_stays_within_the_bounds(tmp_path: Path) -> None:
    """The most that a writer puts into one member: text up to its end, and a frame."""
    fleet = Fleet(2000)
    path = tmp_path / "large.vmtop.gz"
    write(path, [fleet.frame() for _ in range(12)])
    session = Session([path])
    for index in range(len(session.members)):
        assert not session.part(index).problem
        text = session.members[index].file.text(session.members[index].member)
        text.exhaust()
        assert text.size < MEMBER_TEXT + LARGEST_MEMBER // 4
    session.close()


def test_a_cut_does_not_carry_unknown_columns_without_end(folder: Path, tmp_path: Path) -> None:
    session = Session([_file(folder, "unknown_columns")])
    with open(tmp_path / "cut", "wb+") as target, pytest.raises(SessionError, match="no frame lies in this span"):
        list(cut(session, WALL + 500, WALL + 600, target.fileno()))
    session.close()


def test_of_more_workloads_than_readers_take_the_first_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "MOST_WORKLOADS", 4)
    monkeypatch.setattr(encode, "_SET", 3)
    frames = fleet_frames(2, 6)
    (first, second) = read(write(tmp_path / "a.vmtop.gz", frames))
    assert list(first.workloads) == list(second.workloads) == list(frames[0].workloads)[:4]
    assert {*second.samples} <= {second.host.id, *second.workloads}


# --- what is kept ----------------------------------------------------------------------------------------------------


def test_a_budget_is_spent_by_number_and_by_length() -> None:
    by_number, by_length = Budget(2), Budget(100, 2000)
    assert [by_number.takes("a") for _ in range(3)] == [True, True, False]
    assert [by_length.takes("x" * 900) for _ in range(3)] == [True, True, False]
    assert (by_number.is_spent, by_length.is_spent) == (True, True)


def test_workloads_are_kept_as_they_were_last_and_their_room_is_counted_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_KEPT_TEXT", 2100)
    workloads, first = KeptWorkloads(), Workload(WorkloadId("e", "1"), Kind.VM, "one")
    for description in ("x" * 900, "y" * 900, "z" * 900):
        latest = msgspec.structs.replace(first, description=description)
        assert workloads.keep(latest)
        assert workloads[first.id] is latest
    assert not workloads.keep(msgspec.structs.replace(first, id=WorkloadId("e", "2"), labels=(("a", "x" * 900),)))
    assert list(workloads) == [first.id]


def test_of_very_many_events_the_newest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_KEPT", 3)
    newest = NewestEvents()
    newest.extend(Event(float(number), WorkloadId("e", "1"), "start") for number in range(9))
    assert [event.wall for event in newest.all()] == [6.0, 7.0, 8.0]
    monkeypatch.setattr(kept, "MOST_KEPT_TEXT", 2100)
    newest.extend(Event(9.0 + number, WorkloadId("e", "1"), "start", "x" * 700) for number in range(3))
    assert [event.wall for event in newest.all()] == [10.0, 11.0]


def _summary(path: Path) -> Summary:
    session = Session([path])
    try:
        return list(survey(session))[-1].summary
    finally:
        session.close()


def test_kinds_of_events_beyond_a_hundred_are_counted_together(tmp_path: Path) -> None:
    events = [{"wall": WALL, "engine": "e", "id": "1", "what": f"kind-{number}"} for number in range(150)]
    path = tmp_path / "kinds.vmtop.gz"
    path.write_bytes(member(iter([opening(), frame(0, events=events)]), 1, events=150))
    summary = _summary(path)
    assert summary.event_counts["other"] == 50
    assert len(summary.event_counts) == 101
    assert not summary.damage


def test_openmetrics_of_too_many_workloads_is_refused_with_what_to_do(folder: Path) -> None:
    session = Session([_file(folder, "many_workloads")])
    with pytest.raises(SessionError, match="there are more than 10,000: choose some with --workload, or a span"):
        export.write_openmetrics(rows(session, Selection(metrics=("pids",))), ("pids",), open(os.devnull, "w"))  # noqa: SIM115
    session.close()


def test_openmetrics_is_the_same_however_often_rows_go_to_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.vmtop.gz", fleet_frames(12, 5))
    texts = []
    for held in (1, 7, 80_000):
        monkeypatch.setattr(export, "_MOST_HELD", held)
        session = Session([path])
        with open(tmp_path / str(held), "w+") as file:
            export.write_openmetrics(rows(session, Selection()), Selection().metrics, file)
            file.seek(0)
            texts.append(file.read())
        session.close()
    assert texts[0] == texts[1] == texts[2]
    assert texts[0].count("\n") > 500


# --- the past --------------------------------------------------------------------------------------------------------


def _moments(count: int, workloads: int) -> Iterator[Moment]:
    deriver = Deriver()
    for one in fleet_frames(count, workloads):
        yield deriver.feed(one)


def test_no_more_workloads_have_a_past_than_the_bound_and_the_longest_absent_make_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(history, "MOST_WORKLOADS", 4)
    past = History(8)
    for prefix in "abcd":
        for tick in range(2):
            names = [f"{prefix}{number}" for number in range(4)]
            past.push(_moment(names, tick))
    assert {identity.id for identity in past._places} == {"host", "d0", "d1", "d2", "d3"}


def _moment(names: list[str], tick: int) -> Moment:
    decoder, decoded = Decoder(), None
    described = line(k="workloads", set=[workload(n, name) for n, name in enumerate(names, 1)])
    for text in (opening() + described + frame(tick, workloads=list(range(1, len(names) + 1)))).splitlines():
        decoded = decoder.take(text)
    assert isinstance(decoded, Frame)
    return Deriver().feed(decoded)


def test_a_window_of_very_many_values_becomes_a_sample_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_statistics, "MOST_TICKS", 40)
    window, walls = Window(), []
    for moment in _moments(100, 3):
        window.feed(moment)
        walls.append(moment.frame.wall)
    (past, *others) = [window.past(identity) for identity in window.workloads]
    assert past is not None
    assert 5 <= len(past.walls) <= 14
    assert past.walls == sorted(set(past.walls) & set(walls))
    assert past.walls[-1] - past.walls[0] > (walls[-1] - walls[0]) / 2, "it is spread over the whole window"
    assert (window.first_wall, window.last_wall) == (walls[0], walls[-1])
    assert all(other is not None and other.walls == past.walls for other in others)


def test_lines_and_values_beyond_the_bounds_end_a_member() -> None:
    decoder = Decoder()
    with pytest.raises(LineError, match=f"more than {MOST_VALUES:,} values"):
        decoder.take(line(k="later", values=[0] * (MOST_VALUES + 1)).rstrip())
    decoder = Decoder()
    with pytest.raises(LineError, match=f"more than {MOST_LINES:,} lines"):
        _take_many(decoder, MOST_LINES + 1)


def _take_many(decoder: Decoder, count: int) -> None:
    for _ in range(count):
        decoder.take(line(k="later").rstrip())


def test_every_column_of_this_version_is_still_read() -> None:
    decoder, decoded = Decoder(), None
    for text in (opening() + frame(0, samples=[block([0], {name: [7] for name in COLUMNS})])).splitlines():
        decoded = decoder.take(text)
    assert isinstance(decoded, Frame)
    (sample,) = decoded.samples[decoded.host.id]
    assert all(getattr(sample, name) == 7 for name in COLUMNS)
