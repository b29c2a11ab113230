"""The keys of the table of workloads: live, at a past moment of the current session, and in a replay."""

from __future__ import annotations

from collections.abc import Iterable

from tui.keys.key import MOVE, ORDER, OTHER, SESSION, SHOW, WORK, Key
from tui.keys.shared import (
    APP,
    COPY,
    FIRST,
    HELP,
    INTO_PAST,
    LAST,
    LOGS,
    NEXT,
    ON_ONE,
    PAGING,
    PREVIOUS,
    QUIT,
    REWIND,
    TIME_KEYS,
)

_OPEN = Key(
    "look", "enter", "look", "open: charts, facts, devices, processes, events; on a group: fold it", SHOW, "open", 2
)
_MOVE = (
    NEXT._replace(help="next workload"),
    PREVIOUS._replace(help="previous workload"),
    FIRST._replace(help="first workload"),
    LAST._replace(help="last workload"),
    *PAGING,
    Key("jump", "apostrophe,f3", "jump", "go to a name as you type it; nothing is hidden", MOVE),
    Key("follow", "F", "follow", "follow the workload under the cursor when the order changes", MOVE),
)
_ORDER = (
    Key(
        "filter", "slash,f,f4", "filter", "filter as you type: kind=vm cpu>50 name~web; Tab completes, Esc clears",
        ORDER, "filter", 1, has_priority=True,
    ),
    Key("sort_menu", "s,f6", "sort_menu", "choose what to sort by", ORDER, "sort", 9),
    Key("sort_cpu", "P", "sort('cpu_percent')", "sort by CPU", ORDER),
    Key("sort_memory", "M", "sort('memory_host_bytes')", "sort by memory", ORDER),
    Key("sort_disk", "D", "sort('disk_bytes_per_second')", "sort by disk, read and written", ORDER),
    Key("sort_net", "O", "sort('net_bytes_per_second')", "sort by network, received and sent", ORDER),
    Key("sort_left", "less_than_sign,left", "sort_column(-1)", "sort by the column to the left", ORDER),
    Key("sort_right", "greater_than_sign,right", "sort_column(1)", "sort by the column to the right", ORDER),
    Key("reverse", "r,I", "reverse", "reverse the order", ORDER),
    Key("order_span", "full_stop", "smoothing", "order by the mean of 10 s, of 1 min, or by the values of now", ORDER),
)  # fmt: skip
_HOST = Key("host", "5", "host", "the host: cores, memory, disks, interfaces, sensors, sources", SHOW)
_SHOW = (
    _OPEN,
    Key("all_kinds", "1", "only('')", "show every kind", SHOW),
    Key("only_vms", "2", "only('vm')", "show virtual machines only", SHOW),
    Key("only_containers", "3", "only('container')", "show containers only", SHOW),
    Key("only_services", "4", "only('service')", "show services only", SHOW),
    _HOST,
    Key("one_host", "H", "one_host", "with several hosts: look at that of the row alone, and at all again", SHOW),
    Key("stopped", "a", "all", "show or hide stopped ones", SHOW),
    Key("tree", "t", "tree", "group by compose project, pod or slice; several hosts: by host", SHOW, "tree", 10),
    Key("columns", "c,f2", "columns", "choose columns and their order", SHOW, "columns", 11),
    Key("next_columns", "tab", "preset(1)", "next set of columns: overview, cpu, memory, disk, net, identity", SHOW),
    Key("previous_columns", "shift+tab", "preset(-1)", "previous set of columns", SHOW),
    Key("scale", "percent_sign", "scale", "cycle the CPU scale: per core, whole host, workload limit", SHOW),
    Key("enlarge", "o", "enlarge", "larger panes for the workload", SHOW),
    Key("alerts", "B", "alerts", "alerts: what is wrong by the rules, for how long, and what was", SHOW),
    Key("sizes", "X", "sizes", "what each workload has, what it used, and what would fit", SHOW),
    Key("why", "w", "why", "where each number of this workload comes from, or why it is missing", SHOW),
    Key("sources", "exclamation_mark", "sources", "what is read, what is not, and how to fix it", SHOW),
)
_LIVE_SHOW = (
    Key("processes", "p", "processes", "all processes of this host, each with its workload; signals", SHOW),
    Key("freeze", "z,Z", "freeze", "freeze the view; collection goes on", SHOW),
    Key("keep", "W", "app.keep", "write sort, columns, interval and the rest into the configuration", SHOW),
    Key("longer_interval", "plus", "interval(1)", "longer interval", SHOW),
    Key("shorter_interval", "minus", "interval(-1)", "shorter interval", SHOW),
)
_MARK = Key("mark", "space,v", "mark", "mark the workload", WORK, "mark", 6)
_MARKS = (
    Key("mark_shown", "asterisk", "mark_shown", "mark all that are shown", WORK),
    Key("unmark", "U", "unmark", "unmark all", WORK),
    Key(
        "compare", "equals_sign", "compare",
        "marked workloads side by side; without marks bare metal, VMs, containers", WORK, "compare", 8,
    ),
    COPY,
)  # fmt: skip
_SESSION = (
    REWIND,
    Key("snapshot", "S", "snapshot", "keep the session so far in a file", SESSION),
    Key("record", "R", "record", "record into a file from now on; again: stop", SESSION),
)
_OTHER = (
    HELP,
    *APP,
    Key("clear", "escape", "back", "clear the filter, close what is open", OTHER),
)
_PAST_RANKS = {"look": 8, "filter": 9, "compare": 10, "sort_menu": 11, "columns": 12, "tree": 13}


def _in_past(key: Key) -> Key:
    """Return a row as it is at a past moment, where time has the first places of the footer and some keys."""
    keys = {"mark": "v", "sort_left": "less_than_sign", "sort_right": "greater_than_sign", "first": "g", "last": "G"}
    rank = _PAST_RANKS.get(key.name, 0)
    return key._replace(keys=keys.get(key.name, key.keys), rank=rank, word=key.word if rank else "")


_PAST_ROWS = tuple(map(_in_past, (*_MOVE, *_ORDER, *_SHOW, _MARK, *_MARKS)))
_LEAVE = QUIT._replace(keys="q", action="leave")

LIVE_KEYS = (*_MOVE, *_ORDER, *_SHOW, *_LIVE_SHOW, _MARK, *_MARKS, *ON_ONE, *_SESSION, *INTO_PAST, *_OTHER, QUIT)
REPLAY_KEYS = (*TIME_KEYS, *_PAST_ROWS, *_OTHER, _LEAVE)
PAST_KEYS = (
    *(key._replace(help="back to now", word="now", rank=102) if key.name == "last_frame" else key for key in TIME_KEYS),
    *_PAST_ROWS,
    LOGS._replace(help="logs of the workload around this moment", rank=7),
    *_OTHER,
    _LEAVE._replace(help="back to now", word="", rank=0),
)


LIVE_HOST = Key(
    "look", "enter", "live_host", "the live screen of its host, over ssh; without a way there, its charts", SHOW,
    "live host", 2,
)  # fmt: skip
_CHARTS = Key(
    "charts", "d", "look", "charts of the workload over hours, days and weeks; on a group: fold it", SHOW, "charts", 3
)
_FREEZE = next(key for key in _LIVE_SHOW if key.name == "freeze")
FLEET_KEYS = (
    *_MOVE,
    *_ORDER,
    LIVE_HOST,
    _CHARTS,
    *(key for key in _SHOW if key.name not in ("look", "host", "alerts", "sizes")),
    _FREEZE,
    _MARK,
    *_MARKS,
    REWIND._replace(help="step back in time, by hours or weeks; End returns to now"),
    *(key for key in INTO_PAST if key.name != "previous_event"),
    *_OTHER,
    QUIT,
)
_NOT_OF_A_FLEET = {"logs", "host", "alerts", "sizes", "next_event", "previous_event", "compare"}
FLEET_PAST_KEYS = tuple(key for key in PAST_KEYS if key.name not in _NOT_OF_A_FLEET)


def rows_in_tree(rows: Iterable[Key]) -> tuple[Key, ...]:
    """Return the rows of a table that is grouped, with words that fit that."""
    words = {"look": "open, fold", "tree": "flat list"}
    ranks = {"tree": 2}
    return tuple(
        row._replace(word=words.get(row.name, row.word) if row.rank else "", rank=ranks.get(row.name, row.rank))
        for row in rows
    )


def rows_when_empty(rows: Iterable[Key], is_filtered: bool) -> tuple[Key, ...]:
    """Return the rows of a table that shows nothing: what may change that, and the way out."""
    words = {"stopped": "stopped", "sources": "sources", "processes": "processes", "all_kinds": "every kind"}
    words = {"clear": "clear filter", **words} if is_filtered else words
    ranks = {name: rank for rank, name in enumerate((*words, "rewind", "filter", "next_event"), 1)}
    return tuple(
        row._replace(word=words.get(row.name, row.word), rank=ranks[row.name])
        if row.name in ranks
        else row._replace(rank=row.rank if row.rank > 100 else 0)
        for row in rows
    )
