"""Filtered and merged logs give exactly the lines of the whole, in windows from anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.engines.connections import EngineConnections
from collectors.inspection.filtered_log import FilteredLog, LineFilter
from collectors.inspection.logs import open_logs
from collectors.inspection.merged_log import MergedLog
from collectors.model.errors import SourceError
from collectors.model.logs import Log, LogLine
from collectors.model.workloads import Kind, State, Workload, WorkloadId


class ListLog:
    """A log of given lines."""

    title = "list"

    def __init__(self, lines: list[LogLine]) -> None:
        self.lines = lines
        self.is_closed = False

    def first(self, count: int) -> list[LogLine]:
        return self.lines[:count]

    def last(self, count: int) -> list[LogLine]:
        return self.lines[-count:]

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self.lines[max(0, line.position - count) : line.position]

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self.lines[line.position + 1 : line.position + 1 + count]

    def until(self, wall: float, count: int) -> list[LogLine]:
        return [line for line in self.lines if line.at is not None and line.at <= wall][-count:]

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        yield from self.lines[0 if line is None else line.position + 1 :]

    def interrupt(self) -> None:
        """Nothing is read for long."""

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        yield from self.lines[0 if line is None else line.position + 1 :]

    def close(self) -> None:
        self.is_closed = True


TIMES = st.lists(st.integers(0, 30), max_size=25).map(sorted)


def log_of(times: list[int], name: str = "") -> ListLog:
    return ListLog([LogLine(n, float(at), False, f"{name}{n}") for n, at in enumerate(times)])


def texts(lines: list[LogLine]) -> list[str]:
    return [line.text for line in lines]


def backward(log: Log, step: int) -> list[str]:
    lines = log.last(step)
    while older := log.before(lines[0], step) if lines else []:
        lines = older + lines
    return texts(lines)


def forward(log: Log, step: int) -> list[str]:
    lines = log.first(step)
    while newer := log.after(lines[-1], step) if lines else []:
        lines = lines + newer
    return texts(lines)


@settings(max_examples=60)
@given(st.lists(TIMES, min_size=1, max_size=4), st.integers(1, 7))
def test_merged_logs_have_every_line_once_by_time_in_both_directions(logs: list[list[int]], step: int) -> None:
    merged = MergedLog([log_of(times, f"{index}:") for index, times in enumerate(logs)])
    whole = sorted((at, index, n) for index, times in enumerate(logs) for n, at in enumerate(times))
    expected = [f"{index}:{n}" for _, index, n in whole]
    assert backward(merged, step) == expected
    assert forward(merged, step) == expected


@settings(max_examples=60)
@given(st.lists(TIMES, min_size=1, max_size=4), st.integers(0, 60))
def test_what_is_written_after_any_line_comes_in_one_pass(logs: list[list[int]], place: int) -> None:
    merged = MergedLog([log_of(times, f"{index}:") for index, times in enumerate(logs)])
    lines = list(merged.written())
    assert texts(lines) == forward(merged, 7)
    for line in lines[place : place + 1]:
        assert texts(list(merged.written(line))) == texts(lines[place + 1 :])
        assert texts(merged.before(line, 3)) == texts(lines[max(0, place - 3) : place])


@settings(max_examples=60)
@given(st.lists(TIMES, min_size=1, max_size=3), st.integers(0, 30), st.integers(1, 5))
def test_from_a_moment_merged_logs_go_on_in_both_directions(logs: list[list[int]], wall: int, step: int) -> None:
    merged = MergedLog([log_of(times, f"{index}:") for index, times in enumerate(logs)])
    whole = sorted((at, index, n) for index, times in enumerate(logs) for n, at in enumerate(times))
    lines = merged.until(wall, step)
    assert texts(lines) == [f"{index}:{n}" for at, index, n in whole if at <= wall][-step:]
    if lines:
        later = [f"{index}:{n}" for at, index, n in whole if at > wall]
        assert texts(merged.after(lines[-1], 1000)) == later


def test_each_merged_line_says_whose_it_is_and_several_logs_are_followed() -> None:
    first, second = log_of([1, 3], "a"), log_of([2], "b")
    merged = MergedLog([first, second])
    lines = merged.last(10)
    assert [(line.workload, line.text) for line in lines] == [(0, "a0"), (1, "b0"), (0, "a1")]
    second.lines.append(LogLine(1, 4.0, False, "b1"))
    new_line = next(iter(merged.follow(lines[-1])))
    assert (new_line.workload, new_line.text) == (1, "b1")
    assert texts(merged.before(new_line, 2)) == ["b0", "a1"]
    merged.close()
    assert first.is_closed
    assert second.is_closed


def test_a_log_that_cannot_be_followed_is_named_and_the_others_go_on() -> None:
    class Broken(ListLog):
        def follow(self, line: LogLine | None) -> Iterator[LogLine]:
            raise SourceError("the engine is down")

    merged = MergedLog([log_of([1], "a"), Broken([])])
    assert next(iter(merged.follow(None))).text == "a0"
    merged.close()
    assert merged.problems == {1: "the engine is down"}


@given(st.lists(st.sampled_from(["error: x", "fine", "ERROR", ""]), max_size=60), st.integers(1, 5), st.booleans())
def test_a_filtered_log_has_the_lines_that_pass_in_both_directions(
    words: list[str], step: int, is_inverted: bool
) -> None:
    lines = [LogLine(n, float(n), False, f"{word} {n}") for n, word in enumerate(words)]
    line_filter = LineFilter("error", is_inverted)
    expected = [line.text for line in lines if ("error" in line.text.lower()) is not is_inverted]
    filtered = FilteredLog(ListLog(lines), line_filter)
    assert backward(filtered, step) == expected
    assert forward(filtered, step) == expected


def test_a_filter_is_typed_as_in_less() -> None:
    assert LineFilter.parse("error") == LineFilter("error")
    assert LineFilter.parse("!health") == LineFilter("health", is_inverted=True)
    assert str(LineFilter.parse("!health")) == 'all but "health"'


def test_a_filtered_read_that_is_interrupted_ends_and_the_next_one_reads_again() -> None:
    passes = iter([True])

    def interrupt_once(count: int) -> None:
        if next(passes, False):
            filtered.interrupt()

    filtered = FilteredLog(log_of(list(range(9999))), LineFilter("9998"), interrupt_once)
    assert texts(filtered.first(10)) == []
    assert not filtered.has_reached_end
    assert texts(filtered.first(10)) == ["9998"]
    assert filtered.has_reached_end


def test_a_rare_line_is_found_in_one_pass_up_to_where_it_is_looked_for() -> None:
    log = log_of(list(range(20_000)))
    filtered = FilteredLog(log, LineFilter("77"))
    expected = [str(n) for n in range(20_000) if "77" in str(n)]
    assert texts(filtered.last(9999)) == expected
    anchor = log.lines[15_000]
    assert texts(filtered.before(anchor, 9999)) == [text for text in expected if int(text) < 15_000]
    assert texts(filtered.until(12_345.0, 9999)) == [text for text in expected if int(text) <= 12_345]


def test_more_logs_than_are_merged_are_refused_before_any_is_opened() -> None:
    workloads = [Workload(WorkloadId("docker", str(n)), Kind.CONTAINER, str(n), State.RUNNING) for n in range(17)]
    with pytest.raises(SourceError, match="at most 16 logs are merged: 17 workloads are selected"):
        open_logs(workloads, EngineConnections([]))
