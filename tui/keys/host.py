"""The keys of the page of the host, and of the tables of processes."""

from __future__ import annotations

from tui.keys.key import MOVE, ORDER, OTHER, PAGES, SHOW, WORK, Key
from tui.keys.pages import DETAIL_KEYS
from tui.keys.shared import (
    ACT,
    ACTION_LOG,
    APP,
    BACK,
    COPY,
    FIRST,
    HELP,
    LAST,
    LINES,
    LOCK,
    LOGS,
    NEXT,
    PAGING,
    PREVIOUS,
    TIME_KEYS,
)

PANEL = (
    Key("threads", "enter", "panel('threads')", "its threads: state, CPU, time waited for a core", SHOW, "threads", 2),
    Key("signal", "k,f9", "panel('signal')", "send a signal: TERM, KILL, HUP, STOP ...", WORK, "signal", 3),
    Key("filter", "slash,f4", "panel('filter')", "filter by command, user, workload or pid", ORDER, "filter", 1, True),
    Key("sort_cpu", "P", "panel('order', 'cpu')", "sort by CPU", ORDER, "sort", 4),
    Key("sort_memory", "M", "panel('order', 'memory')", "sort by memory", ORDER, "sort", 4),
    Key("sort_time", "T", "panel('order', 'time')", "sort by CPU time since the start", ORDER, "sort", 4),
    Key("sort_name", "N", "panel('order', 'name')", "sort by command", ORDER, "sort", 4),
    Key("sort_left", "less_than_sign,left", "panel('order_column', -1)", "sort by the column to the left", ORDER),
    Key("sort_right", "greater_than_sign,right", "panel('order_column', 1)", "sort by the column to the right", ORDER),
    Key("reverse", "r,I", "panel('reverse')", "reverse the order", ORDER),
    Key("tree", "t,f5", "panel('tree')", "children below their parents", SHOW, "tree", 5),
    Key("follow", "F", "panel('follow')", "follow the process when the order changes", MOVE, "follow", 8),
)
"""What the table of processes does, on every screen that has it. As in htop, `k` sends a signal."""
PROCESS_LINES = (NEXT, PREVIOUS._replace(keys="up"), FIRST, LAST, *PAGING)
_COPY = COPY._replace(help="copy the pid to the clipboard (OSC 52)")
_END = (HELP, *APP)

PROCESS_KEYS = (
    *PANEL,
    *PROCESS_LINES,
    Key("open_owner", "o", "open_owner", "open the workload of the process", SHOW, "open workload", 6),
    ACT._replace(help="act on the workload of the process", rank=7),
    LOGS._replace(rank=9),
    LOCK,
    ACTION_LOG,
    _COPY,
    *_END,
    BACK._replace(keys="escape,q,p"),
)
_TAKEN = {*(row.name for row in LINES), "rewind", "previous_event"}
"""Rows of the other pages whose keys move through the processes, or sort them."""
DETAIL_PROCESS_KEYS = (
    *PANEL,
    *PROCESS_LINES,
    *(row._replace(word="" if row.name == "lock" else row.word, rank=row.rank + 8 if 0 < row.rank < 100 else row.rank)
      for row in DETAIL_KEYS if row.name not in _TAKEN),
)  # fmt: skip

HOST_KEYS = (
    *LINES,
    Key("next_page", "tab", "turn(1)", "next part", PAGES, "next part", 1),
    Key("previous_page", "shift+tab", "turn(-1)", "previous part", PAGES),
    *(Key(f"page_{number}", str(number), f"turn_to({number})", f"part {number}", PAGES) for number in range(1, 10)),
    Key("processes", "p", "processes", "all processes of this host", SHOW, "processes", 2),
    Key("sources", "exclamation_mark", "sources", "what is read, what is not, and how to fix it", SHOW, "sources", 3),
    Key("copy", "y", "copy", "copy the page to the clipboard (OSC 52)", OTHER, "copy", 4),
    *_END,
    BACK,
)
PAST_HOST_KEYS = (*TIME_KEYS, *(row for row in HOST_KEYS if row.name not in ("first", "last")))
