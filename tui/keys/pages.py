"""The keys of the screens that open over the table: details, logs, descriptions, comparisons."""

from __future__ import annotations

from tui.keys.key import MOVE, OTHER, PAGES, SHOW, Key
from tui.keys.shared import (
    APP,
    BACK,
    COPY,
    HELP,
    INTO_PAST,
    LINES,
    NEXT,
    NEXT_HIT,
    ON_ONE,
    PREVIOUS,
    PREVIOUS_HIT,
    REWIND,
    SEARCH,
    TIME_KEYS,
)

_TURNS = (
    Key("next_page", "tab", "turn(1)", "next page", PAGES, "next page", 1),
    Key("previous_page", "shift+tab", "turn(-1)", "previous page", PAGES),
    *(Key(f"page_{number}", str(number), f"turn_to({number})", f"page {number}", PAGES) for number in range(1, 7)),
)
_END = (HELP, *APP, BACK)
_CHARTS = (
    Key("longer_span", "plus", "span(1)", "longer span of the chart: 1 min, 10 min, 1 h, all", SHOW, "span", 2),
    Key("shorter_span", "minus", "span(-1)", "shorter span of the chart", SHOW, "span", 2),
    Key("overlay", "o", "overlay", "lines of related metrics over each other, or one metric", SHOW, "overlay", 8),
)
_METRICS = (
    NEXT._replace(keys="down,j", word="metric", rank=5),
    PREVIOUS._replace(keys="up,k", word="metric", rank=5),
)
_PAST_METRICS = tuple(row._replace(rank=9) for row in _METRICS)
CHART_ROWS = frozenset(row.name for row in (*_CHARTS, *_METRICS))
"""Names of the rows that the footer has on the page of charts only."""
_OTHER_LINES = tuple(row for row in LINES if row.name not in CHART_ROWS)
_SPEEDS = {"play_faster", "play_slower"}
"""On the page of a past moment their keys change the span of the chart, as they do live."""

_INTO_PAST = (REWIND._replace(help="this workload in the past; Esc returns to now", rank=6), *INTO_PAST)
DETAIL_KEYS = (*_TURNS, *_CHARTS, *_METRICS, *_OTHER_LINES, *ON_ONE, *_INTO_PAST, COPY, *_END)
_FLEET_SPAN = _CHARTS[0]._replace(help="longer span of the chart: 1 h, 6 h, 1 d, 1 w, all")
FLEET_DETAIL_KEYS = (_FLEET_SPAN, *_CHARTS[1:], *_METRICS, *_OTHER_LINES, COPY, *_END)
PAST_DETAIL_KEYS = (
    *(row for row in TIME_KEYS if row.name not in _SPEEDS),
    *_TURNS,
    *_CHARTS,
    *_PAST_METRICS,
    *(row for row in _OTHER_LINES if row.name not in ("first", "last")),
    COPY,
    *_END,
)

_LOG_TIMES = {"minute_back", "minute_on", "ten_minutes_back", "ten_minutes_on", "go_to"}
LOG_KEYS = (
    SEARCH._replace(rank=1),
    NEXT_HIT,
    PREVIOUS_HIT,
    Key(
        "only", "ampersand", "only", "show only the lines with a text; after !, all other lines", SHOW, "only", 2, True
    ),
    Key("invert", "exclamation_mark", "invert", "show the other lines instead", SHOW, has_priority=True),
    Key("follow_log", "f", "follow", "follow the end, or stop following", SHOW, "follow", 3),
    *(row._replace(rank=4 if row.name.startswith("minute") else 0) for row in TIME_KEYS if row.name in _LOG_TIMES),
    Key("wrap", "w", "wrap", "wrap long lines, or cut them", SHOW, "wrap", 5),
    Key("save_log", "S", "save", "save what is shown, from the first line to the last, in a file", OTHER, "save", 6),
    Key("times", "t", "stamps", "times: none, local, UTC", SHOW, "times", 7),
    Key("scroll_left", "left", "sideways(-1)", "scroll lines to the left", MOVE),
    Key("scroll_right", "right", "sideways(1)", "scroll lines to the right", MOVE),
    Key("first", "g,home", "first", "start of the log", SHOW, has_priority=True),
    Key("last", "G,end", "last", "end of the log", SHOW, has_priority=True),
    *(row for row in LINES if row.name not in ("first", "last")),
    COPY._replace(help="copy the line"),
    HELP,
    *APP,
    BACK._replace(action="back"),
)

INSPECT_KEYS = (
    Key("fold", "enter,space", "fold", "fold or unfold the block", SHOW, "fold", 1),
    Key("fold_all", "minus", "all(True)", "fold all blocks", SHOW, "all", 3),
    Key("unfold_all", "plus,equals_sign", "all(False)", "unfold all blocks", SHOW, "all", 3),
    SEARCH._replace(keys="slash,f"),
    NEXT_HIT,
    PREVIOUS_HIT,
    *LINES,
    COPY._replace(help="copy the block", word="copy", rank=4),
    Key("read_again", "r", "read", "read it again", OTHER, "read again", 5),
    HELP,
    *APP,
    BACK._replace(action="back"),
)

_ALERT_LINES = (
    Key("open_alert", "enter", "open", "open the workload that it is about", SHOW, "open", 1),
    *LINES,
    COPY._replace(help="copy what the alert says", word="copy", rank=4),
)
ALERT_KEYS = (
    *_ALERT_LINES,
    Key(
        "acknowledge", "a,space", "acknowledge", "seen: out of the count and off the row; again: back", OTHER, "seen", 2
    ),
    Key("silence", "s", "silence", "silence this rule about this workload for an hour", OTHER, "silence", 3),
    HELP,
    *APP,
    BACK._replace(keys="escape,q,B"),
)
PAST_ALERT_KEYS = (*_ALERT_LINES, HELP, *APP, BACK._replace(keys="escape,q,B"))

_SIZE_LINES = (
    Key("open_sized", "o", "open", "open the workload", SHOW, "open", 3),
    *LINES,
    COPY._replace(help="copy the table", word="copy", rank=4),
)
SIZE_KEYS = (
    Key("set_size", "enter", "set", "its limits, with what would fit typed in", OTHER, "set", 1),
    *_SIZE_LINES,
    HELP,
    *APP,
    BACK._replace(keys="escape,q,X"),
)
PAST_SIZE_KEYS = (*_SIZE_LINES, HELP, *APP, BACK._replace(keys="escape,q,X"))

COMPARE_KEYS = (
    *LINES,
    *(
        Key(
            f"reference_{number}",
            str(number),
            f"reference({number})",
            f"differences to workload {number}",
            SHOW,
            "reference",
            5,
        )
        for number in range(1, 9)
    ),
    Key("span", "w", "window", "span: 1 min, 5 min, all", SHOW, "span", 1),
    Key("statistic", "v", "stat", "mean, 95th percentile or highest value", SHOW, "mean, p95, max", 2),
    Key("only_different", "D", "only_different", "only rows that differ, or all", SHOW, "differences", 3),
    Key("own_scales", "o", "scale", "pictures: one scale, a scale each, lines over each other", SHOW, "scales", 4),
    COPY._replace(help="copy the table", word="copy", rank=6),
    HELP,
    *APP,
    BACK._replace(keys="escape,q,equals_sign"),
)

HELP_PAGE_KEYS = (
    Key("scroll_down", "down", "move(1)", "down", MOVE, "scroll", 1),
    Key("scroll_up", "up", "move(-1)", "up", MOVE, "scroll", 1),
    Key("scroll_page_down", "pagedown", "page(1.0)", "next page", MOVE, "page", 2),
    Key("scroll_page_up", "pageup", "page(-1.0)", "previous page", MOVE, "page", 2),
    Key("close_help", "escape,f1", "close", "clear the search, then close", OTHER, "close", 102),
    Key("leave_help", "question_mark,q", "leave", "close, while nothing is typed", OTHER, has_priority=True),
)

CLASSES_KEYS = (
    *LINES,
    Key("row_workloads", "enter", "workloads", "the value of every workload in this row", SHOW, "workloads", 1),
    Key("only_different", "D", "only_different", "only rows that differ, or all", SHOW, "differences", 2),
    COPY._replace(help="copy the table", word="copy", rank=3),
    HELP,
    *APP,
    BACK._replace(keys="escape,q,equals_sign"),
)
