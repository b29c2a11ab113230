"""The keys of dialogs. They say at the lower edge what works there; Esc always closes one."""

from __future__ import annotations

from tui.keys.key import MOVE, OTHER, Key

MENU, SIGNALS, CONFIRM, PROMPT, TEXT, COLUMNS, COMMAND_LINE, LIMITS = (
    "action menu", "signals", "confirmation", "question", "text", "columns", "palette", "limits",
)  # fmt: skip

_DOWN, _UP = Key("menu_down", "j", "down", "down", MOVE), Key("menu_up", "k", "up", "up", MOVE)

MENU_KEYS = (Key("close_menu", "escape,q,x", "cancel", "close", OTHER), _DOWN, _UP)
SIGNAL_KEYS = (Key("close_signals", "escape,x", "cancel", "close", OTHER), _DOWN, _UP)
CONFIRM_KEYS = (
    Key("cancel", "escape,q", "cancel", "cancel", OTHER),
    Key("button_left", "left,h", "app.focus_previous", "the button to the left", MOVE),
    Key("button_right", "right,l", "app.focus_next", "the button to the right", MOVE),
    Key("question_down", "down,pagedown", "scroll(5)", "further down", MOVE),
    Key("question_up", "up,pageup", "scroll(-5)", "further up", MOVE),
)
TIMEOUT_KEYS = (
    Key("after_timeout", "f", "after", "after the time-out: force it, or leave it as it is", OTHER),
    Key("longer_timeout", "plus", "timeout(1)", "longer time-out", OTHER),
    Key("shorter_timeout", "minus", "timeout(-1)", "shorter time-out", OTHER),
)
PROMPT_KEYS = (Key("close_prompt", "escape", "cancel", "close", OTHER),)
TEXT_KEYS = (
    Key("close_text", "escape,q,enter,question_mark,w,exclamation_mark", "close", "close", OTHER),
    Key("text_down", "j", "scroll(1)", "down", MOVE),
    Key("text_up", "k", "scroll(-1)", "up", MOVE),
)
LIMIT_KEYS = (
    Key("next_field", "down", "field(1)", "next limit", MOVE),
    Key("previous_field", "up", "field(-1)", "previous limit", MOVE),
    Key("plan_down", "pagedown", "scroll(1)", "further down in what would happen", MOVE),
    Key("plan_up", "pageup", "scroll(-1)", "further up in what would happen", MOVE),
    Key("keep_limits", "f2", "keep", "keep what is set for the next start, or not", OTHER),
    Key("close_limits", "escape", "cancel", "close", OTHER),
)
COLUMN_PICKER_KEYS = (
    Key("tick", "space", "tick", "show or hide the column, or take the set", OTHER, has_priority=True),
    Key("column_down", "down", "move(1)", "next column", MOVE),
    Key("column_up", "up", "move(-1)", "previous column", MOVE),
    Key("column_page_down", "pagedown", "page(1.0)", "next page", MOVE),
    Key("column_page_up", "pageup", "page(-1.0)", "previous page", MOVE),
    Key("column_right", "J", "shift(1)", "move the column to the right", MOVE, has_priority=True),
    Key("column_left", "K", "shift(-1)", "move the column to the left", MOVE, has_priority=True),
    Key("close_columns", "escape", "close", "leave the columns as they were", OTHER),
)
COMMAND_LINE_KEYS = (
    Key("complete", "tab", "complete", "complete the text", OTHER),
    Key("command_down", "down", "move(1)", "next command", MOVE),
    Key("command_up", "up", "move(-1)", "previous command", MOVE),
    Key("command_page_down", "pagedown", "page(1.0)", "next page", MOVE),
    Key("command_page_up", "pageup", "page(-1.0)", "previous page", MOVE),
    Key("close_command", "escape", "close", "close", OTHER),
)

DIALOGS: dict[str, tuple[Key, ...]] = {
    MENU: MENU_KEYS,
    SIGNALS: SIGNAL_KEYS,
    CONFIRM: (*CONFIRM_KEYS, *TIMEOUT_KEYS),
    PROMPT: PROMPT_KEYS,
    TEXT: TEXT_KEYS,
    COLUMNS: COLUMN_PICKER_KEYS,
    COMMAND_LINE: COMMAND_LINE_KEYS,
    LIMITS: LIMIT_KEYS,
}
"""The rows by dialog."""
CLOSING = frozenset(row.name for rows in DIALOGS.values() for row in rows if "escape" in row.keys.split(","))
"""Names of the rows that close a dialog."""
