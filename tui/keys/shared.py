"""Rows that several screens share."""

from __future__ import annotations

from tui.keys.key import MOVE, OTHER, SESSION, SHOW, TIME, WORK, Key

NEXT = Key("next", "j,down", "move(1)", "next row", MOVE)
PREVIOUS = Key("previous", "k,up", "move(-1)", "previous row", MOVE)
PAGING = (
    Key("page_down", "pagedown,ctrl+f", "page(1.0)", "next page", MOVE),
    Key("page_up", "pageup,ctrl+b", "page(-1.0)", "previous page", MOVE),
    Key("half_page_down", "ctrl+d", "page(0.5)", "half a page down", MOVE),
    Key("half_page_up", "ctrl+u", "page(-0.5)", "half a page up", MOVE),
)
FIRST = Key("first", "g,home", "edge(-1)", "first row", MOVE)
LAST = Key("last", "G,end", "edge(1)", "last row", MOVE)
LINES = (NEXT, PREVIOUS, FIRST, LAST, *PAGING)
"""Keys of a view of lines; it has bindings of its own, so these rows only appear in the help of its screens."""

HELP = Key("help", "question_mark,f1,h", "help", "the keys, columns and signs of this screen", OTHER, "help", 101)
PALETTE = Key(
    "palette", "colon,ctrl+p", "app.command_palette",
    "type a command: :web goes to web, :stop web, :sort mem, :theme light; mark and a text: a note on the timeline",
    OTHER,
)  # fmt: skip
REPAINT = Key(
    "repaint", "ctrl+l", "app.repaint", "repaint the screen after another program wrote on the terminal", OTHER,
    has_priority=True,
)  # fmt: skip
SUSPEND = Key("suspend", "ctrl+z", "app.suspend_process", "suspend; fg comes back", OTHER, has_priority=True)
QUIT = Key("quit", "q,ctrl+c", "app.quit", "quit", OTHER, "quit", 102)
BACK = Key("back", "escape,q", "close", "back", OTHER, "back", 102)
APP = (PALETTE, REPAINT, SUSPEND)
"""What works on every screen; the application has their bindings."""

COPY = Key("copy", "y", "copy", "copy the name to the clipboard (OSC 52)", WORK)
ACT = Key(
    "act", "x", "act", "act on the workload, or on all that are marked: start, stop, pause, kill ...", WORK, "act", 3
)
LOCK = Key("lock", "L", "lock", "lock or unlock the actions", WORK, "lock", 12)
ACTION_LOG = Key("action_log", "A", "action_log", "actions: what runs, what was done, by which user, the result", WORK)
LOGS = Key(
    "logs", "l", "logs", "logs: the container's, the service's journal, the console of the machine", WORK, "logs", 4
)
SHELL = Key(
    "shell", "e", "shell", "a shell in the container, the console of the machine; Ctrl-] comes back", WORK, "shell", 7
)
INSPECT = Key("inspect", "i", "inspect", "the engine's full description (JSON, XML), with folding and search", WORK)
ON_ONE = (ACT, LOCK, ACTION_LOG, LOGS, SHELL, INSPECT)
"""What can be done with one workload, live, on every screen that has one."""

TIME_KEYS = (
    Key("next_event", "n", "event(1)", "next event or note", TIME, "next event", 1),
    Key("previous_event", "N", "event(-1)", "previous event or note", TIME, "previous", 2),
    Key("play", "space", "play", "play, or pause", TIME, "play", 3),
    Key("minute_back", "left_square_bracket", "leap(-60)", "a minute earlier", TIME, "minute", 4),
    Key("minute_on", "right_square_bracket", "leap(60)", "a minute later", TIME, "minute", 4),
    Key("ten_minutes_back", "left_curly_bracket", "leap(-600)", "ten minutes earlier", TIME, "10 min", 5),
    Key("ten_minutes_on", "right_curly_bracket", "leap(600)", "ten minutes later", TIME, "10 min", 5),
    Key("go_to", "b", "go_to", "go to a time: 14:05, 2pm, yesterday 14:05, 10m ago, +30s", TIME, "go to", 6),
    Key("frame_on", "right", "step(1)", "next frame", TIME),
    Key("frame_back", "left,T", "step(-1)", "previous frame", TIME),
    Key("first_frame", "home", "ends(-1)", "first frame", TIME, has_priority=True),
    Key("last_frame", "end", "ends(1)", "last frame", TIME, has_priority=True),
    Key("play_faster", "plus", "speed(1)", "play twice as fast", TIME),
    Key("play_slower", "minus", "speed(-1)", "play half as fast", TIME),
)
"""How the screens of a session move through it."""
REWIND = Key(
    "rewind", "T", "back_in_time", "step back in time; End returns to now, nothing pauses", SESSION, "rewind", 5
)
_ENTERS_PAST = {
    "minute_back": "go back by a minute",
    "ten_minutes_back": "go back by ten minutes",
    "previous_event": "go back to the last event or note",
    "go_to": "go back to a time: 14:05, 2pm, yesterday 14:05, 10m ago",
}
INTO_PAST = tuple(
    key._replace(word="", rank=0, group=SESSION, help=_ENTERS_PAST[key.name])
    for key in TIME_KEYS
    if key.name in _ENTERS_PAST
)
"""Time keys that also work live: they go to that moment of the session so far."""

SEARCH = Key("search", "slash", "search", "search", SHOW, "search", 2, has_priority=True)
NEXT_HIT = Key("next_hit", "n", "next(1)", "next match", SHOW)
PREVIOUS_HIT = Key("previous_hit", "N", "next(-1)", "previous match", SHOW)
