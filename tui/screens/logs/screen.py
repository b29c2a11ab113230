"""The log screen: follow, search and filter logs of any length in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from collectors.inspection.merged_log import MergedLog
from collectors.inspection.saved_log import save_log
from collectors.model.errors import SourceError
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.dialogs.prompt import ask
from tui.keys.bindings import bindings
from tui.keys.tables import LOGS, TABLES
from tui.presenters.formatting import fit, stamp
from tui.screens.logs.search import LogSearch
from tui.screens.mixins.page_keys import PageKeys
from tui.settings.typed_path import path_problem, typed_path
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView

DRAIN_S = 0.2
_NAMES_SHOWN = 3


class LogScreen(LogSearch, PageKeys, AnsweredOnce, Screen[None]):
    """Shows the log of one workload, or those of several merged.

    Args:
        workloads: The workloads whose logs are shown.
        open_it: Opens the log; blocking, called on a thread.
        ascii_only: Draw with ASCII only.
        at: Wall time whose lines are shown first; `None` for the end, which is followed.
    """

    DEFAULT_CSS = """
    LogScreen > Static { height: 1; background: $panel; }
    LogScreen #title { text-style: bold; }
    LogScreen Input { height: 1; border: none; padding: 0; display: none; background: $panel;
        &:focus { border: none; } }
    """
    key_table = LOGS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(LOGS)]

    def __init__(
        self,
        workloads: Sequence[Workload],
        open_it: Callable[[], Log],
        ascii_only: bool = False,
        at: float | None = None,
    ) -> None:
        super().__init__(open_it, at)
        self._workloads = workloads
        self._ascii = ascii_only
        self._status = "opening ..."
        if len(workloads) > 1:
            self.look = self.look._replace(names=tuple(_names(workloads)))

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield Static(id="status")
        yield LineView(has_cursor=True)
        yield Input()
        yield Footer(TABLES[LOGS])

    def on_mount(self) -> None:
        self.query_one(LineView).focus()
        self.say(self._status)
        self.set_interval(DRAIN_S, self.drain)
        self.begin()

    def on_resize(self) -> None:
        self.call_after_refresh(self._resized)

    def _resized(self) -> None:
        self.show_lines()
        self.say(self._status)

    def say(self, status: str) -> None:
        self._status = status
        width = max(1, self.size.width)
        right = f" {self._following_words()} "
        title = f" Log  {_listed(self._workloads)}  {self._whole.title if self._whole else ''}"
        room = max(1, width - len(right))
        self.query_one("#title", Static).update(Text(fit(title, room) + right, no_wrap=True))
        self.query_one("#status", Static).update(Text(fit(f" {self._status_words(status)}", width), no_wrap=True))

    def _following_words(self) -> str:
        if not self._has_begun or self._failure:
            return self._failure
        if self._is_following:
            return "* FOLLOWING" if self._ascii else "● FOLLOWING"
        return (f"{self._unseen:,} new below, " if self._unseen else "") + "f or G to follow"

    def _status_words(self, status: str) -> str:
        parts = [str(self._filter)] if self._filter else []
        count = f"{len(self._window.lines):,} lines read"
        if not self._window.lines:
            count = "no line passes" if self._filter else "nothing logged yet"
        elif not self._window.has_older and not self._window.has_newer:
            count = "1 line" if len(self._window.lines) == 1 else f"all {len(self._window.lines):,} lines"
        parts.append(status or count)
        if isinstance(self._whole, MergedLog):
            parts += self._silent_words(self._whole)
            parts += [f"{self._workloads[index].name}: {why}" for index, why in self._whole.problems.items()]
        return "  ·  ".join(parts)

    def _silent_words(self, merged: MergedLog) -> list[str]:
        """Return which of the logs have no line among those that were read."""
        heard = {line.workload for line in self._window.lines} | merged.problems.keys()
        silent = [workload for index, workload in enumerate(self._workloads) if index not in heard]
        if not silent or not self._window.lines:
            return []
        return [f"{_listed(silent)}: no line among these"]

    @on(LineView.Moved)
    def moved(self) -> None:
        view = self.query_one(LineView)
        is_end = view.cursor >= len(view.lines) - 1
        if self._is_following != (is_end and not self._window.has_newer):
            self._is_following = is_end and not self._window.has_newer
            self.say("")
        if view.cursor == 0 and self._window.has_older:
            self.read_on(self.older)
        elif is_end and self._window.has_newer:
            self.read_on(self.newer)

    def action_follow(self) -> None:
        if self._is_following:
            self._is_following = False
            self.say("")
        else:
            self.action_last()

    def action_first(self) -> None:
        if self._window.has_older:
            self.read_on(self.show_beginning)
        else:
            self._is_following = False
            self.query_one(LineView).go(0)
            self.say("")

    def action_last(self) -> None:
        self._is_following, self._unseen = True, 0
        if self._window.has_newer:
            self.begin()
        else:
            self.query_one(LineView).go_to_end()
            self.say("")

    def action_copy(self) -> None:
        row = self.row_of(self.query_one(LineView).cursor)
        if row < len(self._window.lines):
            self.app.copy_to_clipboard(self._window.lines[row].text)
            self.notify("copied the line, if the terminal allows it", timeout=2)

    def action_save(self) -> None:
        if not self._has_begun:
            return
        name = f"{self._workloads[0].name.replace('/', '_')}-{stamp(time.time(), '%Y%m%d-%H%M%S')}.log"
        what = f"Save the log, {self._filter}" if self._filter else "Save the whole log"
        ask(self, what, str(Path.cwd() / name), "a new file", path_problem, self._save)

    def _save(self, typed: str) -> None:
        self.read_on(partial(self._write, typed_path(typed)))

    async def _write(self, path: Path) -> None:
        log = self._log
        if log is None:
            return
        try:
            count = await run_blocking(partial(save_log, log, path, self.look.names, self._count_read))
        except SourceError as error:
            self.notify(error.reason, severity="error", timeout=8, markup=False)
        else:
            self.notify(f"{count:,} lines in {path}", title="Saved", timeout=6, markup=False)
        if is_up(self):
            self._read_count = 0
            self.say("")

    def action_back(self) -> None:
        self.cancel_read()
        self._read_count = 0
        if self.leave_prompt():
            self.say("")
        else:
            self.dismiss(None)


def _listed(workloads: Sequence[Workload]) -> str:
    names = _names(workloads)
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more


def _names(workloads: Sequence[Workload]) -> list[str]:
    """Return the workloads' names; of several hosts, each with its host."""
    is_of_several = len({workload.id.host for workload in workloads}) > 1
    return [f"{workload.host_name}/{workload.name}" if is_of_several else workload.name for workload in workloads]
