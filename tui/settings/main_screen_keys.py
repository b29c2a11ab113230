"""The keys of the main screen, live and in replay: the source of the footer, the help and the README's tables."""

from __future__ import annotations

from typing import NamedTuple


class Key(NamedTuple):
    """One binding."""

    keys: str
    """Textual key names, separated by commas."""
    action: str
    label: str
    """A word for the footer; empty keeps it out of there."""
    help: str
    group: str
    where: str = "both"
    """`live`, `replay`, or both screens."""


MOVE, ORDER, SHOW, WORK = "Move", "Order and filter", "Show", "Workloads"
SESSION, TIME, OTHER = "Session", "Time", "Other"
LIVE, REPLAY = "live", "replay"

_TABLE: tuple[Key, ...] = (
    Key("j,down", "move(1)", "", "next workload", MOVE),
    Key("k,up", "move(-1)", "", "previous workload", MOVE),
    Key("g,home", "edge(-1)", "", "first workload", MOVE, LIVE),
    Key("G,end", "edge(1)", "", "last workload", MOVE, LIVE),
    Key("g", "edge(-1)", "", "first workload", MOVE, REPLAY),
    Key("G", "edge(1)", "", "last workload", MOVE, REPLAY),
    Key("pagedown,ctrl+f", "page(1.0)", "", "next page", MOVE),
    Key("pageup,ctrl+b", "page(-1.0)", "", "previous page", MOVE),
    Key("ctrl+d", "page(0.5)", "", "half a page down", MOVE),
    Key("ctrl+u", "page(-0.5)", "", "half a page up", MOVE),
    Key("F", "follow", "", "follow the workload under the cursor when the order changes", MOVE),
    Key("space,p", "play", "play", "play, or pause", TIME, REPLAY),
    Key("t,right", "step(1)", "step", "next frame", TIME, REPLAY),
    Key("T,left", "step(-1)", "", "previous frame", TIME, REPLAY),
    Key("right_square_bracket", "leap(60)", "", "a minute later", TIME, REPLAY),
    Key("left_square_bracket", "leap(-60)", "", "a minute earlier", TIME, REPLAY),
    Key("right_curly_bracket", "leap(600)", "", "ten minutes later", TIME, REPLAY),
    Key("left_curly_bracket", "leap(-600)", "", "ten minutes earlier", TIME, REPLAY),
    Key("n", "event(1)", "event", "next event or note", TIME, REPLAY),
    Key("N", "event(-1)", "", "previous event or note", TIME, REPLAY),
    Key("b", "go_to", "go to", "go to a time: 14:05, 2pm, yesterday 14:05, 10m ago, +30s", TIME, REPLAY),
    Key("home", "ends(-1)", "", "first frame", TIME, REPLAY),
    Key("end", "ends(1)", "", "last frame; back to now if the session is still running", TIME, REPLAY),
    Key("plus", "speed(1)", "", "twice as fast", TIME, REPLAY),
    Key("minus", "speed(-1)", "", "half as fast", TIME, REPLAY),
    Key("slash,f,f4", "filter", "filter", "filter as you type: kind=vm cpu>50 name~web; Esc clears", ORDER),
    Key("s,f6", "sort_menu", "sort", "choose what to sort by", ORDER),
    Key("P", "sort('cpu_percent')", "", "sort by CPU", ORDER),
    Key("M", "sort('memory_host_bytes')", "", "sort by memory", ORDER),
    Key("N", "sort('name')", "", "sort by name", ORDER, LIVE),
    Key("D", "sort('disk_write_bytes_per_second')", "", "sort by disk writes", ORDER),
    Key("O", "sort('net_tx_bytes_per_second')", "", "sort by network sent", ORDER),
    Key("less_than_sign", "sort_column(-1)", "", "sort by the column to the left", ORDER),
    Key("greater_than_sign", "sort_column(1)", "", "sort by the column to the right", ORDER),
    Key("r,I", "reverse", "", "reverse the order", ORDER),
    Key("1", "only('')", "", "show every kind", SHOW),
    Key("2", "only('vm')", "", "show virtual machines only", SHOW),
    Key("3", "only('container')", "", "show containers only", SHOW),
    Key("4", "only('service')", "", "show services only", SHOW),
    Key("a", "all", "", "show or hide stopped ones", SHOW),
    Key("t", "tree", "tree", "group by compose project, pod or slice", SHOW, LIVE),
    Key("ctrl+t", "tree", "", "group by compose project, pod or slice", SHOW, REPLAY),
    Key("c,f2", "columns", "", "choose columns", SHOW),
    Key("percent_sign", "scale", "", "cycle the CPU scale: per core, whole host, workload limit", SHOW),
    Key("z,Z", "freeze", "", "freeze the view; collection goes on", SHOW, LIVE),
    Key("enter", "look", "look", "look closer: charts, facts, devices, processes, events; on a group: fold it", SHOW),
    Key("o", "enlarge", "", "larger panes for the workload", SHOW),
    Key("w", "why", "", "where each number of this workload comes from, or why it is missing", SHOW),
    Key("exclamation_mark", "sources", "", "what is read, what is not, and how to fix it", SHOW),
    Key("W", "keep", "", "write how the screen is set up to the configuration", SHOW, LIVE),
    Key("plus", "interval(1)", "", "longer interval", SHOW, LIVE),
    Key("minus", "interval(-1)", "", "shorter interval", SHOW, LIVE),
    Key("space", "mark", "mark", "mark the workload", WORK, LIVE),
    Key("v", "mark", "", "mark the workload", WORK, REPLAY),
    Key("asterisk", "mark_shown", "", "mark all that are shown", WORK),
    Key("U", "unmark", "", "unmark all", WORK),
    Key("x", "act", "act", "act on the workload, or on all that are marked: start, stop, pause, kill ...", WORK, LIVE),
    Key("L", "lock", "", "lock or unlock the actions", WORK, LIVE),
    Key("A", "action_log", "", "actions: what was done, by which user, and the result", WORK, LIVE),
    Key("l", "logs", "logs", "logs: the container's, the service's journal, the console of the machine", WORK, LIVE),
    Key("e", "shell", "", "a shell in the container, the console of the machine; Ctrl-] comes back", WORK, LIVE),
    Key("i", "inspect", "", "the engine's full description (JSON, XML), with folding and search", WORK, LIVE),
    Key(
        "equals_sign",
        "compare",
        "compare",
        "marked workloads side by side; without marks bare metal, VMs, containers",
        WORK,
    ),
    Key("y", "copy", "", "copy the name to the clipboard (OSC 52)", WORK),
    Key(
        "T",
        "back_in_time",
        "past",
        "step back in time; End returns to now, nothing pauses",
        SESSION,
        LIVE,
    ),
    Key("S", "snapshot", "", "keep the session so far in a file", SESSION, LIVE),
    Key("R", "record", "", "record into a file from now on; again: stop", SESSION, LIVE),
    Key("question_mark,f1,h", "help", "help", "this page", OTHER),
    Key("colon,ctrl+p", "command_palette", "", "command palette; `mark` and a text notes it on the timeline", OTHER),
    Key("ctrl+l", "repaint", "", "repaint the screen after another program wrote on the terminal", OTHER),
    Key("ctrl+z", "suspend_process", "", "suspend; fg comes back", OTHER),
    Key("escape", "back", "", "clear the filter, close what is open", OTHER),
    Key("q,ctrl+c", "quit", "quit", "quit", OTHER),
)

APP_ACTIONS = frozenset({"keep", "quit", "command_palette", "repaint", "suspend_process"})
"""Actions of the application, not of a screen."""


def keys_of(where: str) -> tuple[Key, ...]:
    """Return the keys of the live screen or of the replay."""
    return tuple(key for key in _TABLE if key.where in (where, "both"))


_KEY_NAMES = {
    "slash": "/", "less_than_sign": "<", "greater_than_sign": ">", "percent_sign": "%", "exclamation_mark": "!",
    "plus": "+", "equals_sign": "=", "minus": "-", "asterisk": "*", "question_mark": "?", "colon": ":",
    "space": "Space", "escape": "Esc", "enter": "Enter", "pagedown": "PgDn", "pageup": "PgUp", "down": "Down",
    "up": "Up", "home": "Home", "end": "End", "left": "Left", "right": "Right",
    "left_square_bracket": "[", "right_square_bracket": "]", "left_curly_bracket": "{", "right_curly_bracket": "}",
}  # fmt: skip


def key_names(keys: str) -> str:
    """Return the keys as users know them: `/ f F4`."""
    return " ".join(_key_name(key) for key in keys.split(","))


def _key_name(key: str) -> str:
    if key.startswith("ctrl+"):
        return "Ctrl-" + key[5:].upper()
    if len(key) > 1 and key[0] == "f" and key[1:].isdigit():
        return key.upper()
    return _KEY_NAMES.get(key, key)
