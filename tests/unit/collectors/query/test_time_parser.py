"""Times as people type them, and whether a session has them."""

from __future__ import annotations

from datetime import datetime

import pytest

from collectors.query.time_parser import TimeError, check_inside, parse_end, parse_time

START = datetime(2026, 11, 28, 22, 0, 0).timestamp()
END = START + 600


@pytest.mark.parametrize(
    ("text", "seconds"), [("start", 0), ("end", 600), ("10m ago", 0), ("22:05", 300), ("+30s", 330), ("-5m", 0)]
)
def test_a_time_is_found_from_the_session_or_from_where_one_is(text: str, seconds: int) -> None:
    wall = parse_time(text, START, END, START + 300)
    assert wall == START + seconds
    check_inside(text, wall, START, END)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("20m ago", "is 2026-11-28 21:50:00, before the session, which begins at 2026-11-28 22:00:00 ('start' goes"),
        ("23:00", "after the session, which ends at 2026-11-28 22:10:00 ('end' goes there)"),
    ],
)
def test_a_time_that_the_session_does_not_have_says_where_it_begins_or_ends(text: str, words: str) -> None:
    typed = "2026-11-28 23:00" if text == "23:00" else text
    with pytest.raises(TimeError) as told:
        check_inside(text, parse_time(typed, START, END, START), START, END)
    assert words in str(told.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("22:08", 480),
        ("22:20", 1200),  # the session ended earlier
        ("2am", 4 * 3600),
        ("22:01", 86400 + 60),
        ("today 22:01", 60),
        ("2026-11-28 22:01", 60),
        ("+1m", 300 + 60),
    ],
)
def test_a_span_ends_at_the_clock_time_that_follows_its_beginning(text: str, seconds: int) -> None:
    assert parse_end(text, START, END, START + 300) == START + seconds


def test_without_a_beginning_a_span_ends_at_the_last_such_time() -> None:
    assert parse_end("22:20", START, END, None) == START + 1200 - 86400
