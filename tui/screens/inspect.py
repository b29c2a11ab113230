"""The engine's own description of a workload, with folding and search."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen
from textual.widgets import Input, Static

from collectors.inspection.raw_description import Document
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from tui.controllers.background import is_up, run_blocking
from tui.dialogs.base import AnsweredOnce
from tui.keys.bindings import bindings
from tui.keys.tables import INSPECT, TABLES
from tui.presenters.folding import Folds, folded_line
from tui.presenters.formatting import fit
from tui.screens.mixins.page_keys import PageKeys
from tui.screens.mixins.search_prompt import SearchPrompt
from tui.widgets.footer import Footer
from tui.widgets.line_view import LineView


class InspectScreen(SearchPrompt, PageKeys, AnsweredOnce, Screen[None]):
    """Shows a document.

    Args:
        workload: The workload that the document describes.
        read: Reads the document; blocking, called on a thread.
        ascii_only: Draw with ASCII only.
    """

    DEFAULT_CSS = """
    InspectScreen > Static { height: 1; background: $panel; }
    InspectScreen #title { text-style: bold; }
    InspectScreen Input { height: 1; border: none; padding: 0; display: none; background: $panel;
        &:focus { border: none; } }
    """
    key_table = INSPECT
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(INSPECT)]

    def __init__(self, workload: Workload, read: Callable[[], Document], ascii_only: bool = False) -> None:
        super().__init__()
        self._workload = workload
        self._read = read
        self._ascii = ascii_only
        self._folds = Folds(())
        self._visible: list[int] = []

    def compose(self) -> ComposeResult:
        yield Static(id="title")
        yield LineView(has_cursor=True)
        yield Input()
        yield Footer(TABLES[INSPECT])

    def on_mount(self) -> None:
        self.query_one(LineView).focus()
        self.action_read()

    def action_read(self) -> None:
        self._say("reading ...")
        self.run_worker(self._load(), exclusive=True)

    async def _load(self) -> None:
        document: Document | SourceError
        try:
            document = await run_blocking(self._read)
        except SourceError as error:
            document = error
        if not is_up(self):
            return
        if isinstance(document, SourceError):
            remedy = f"  Fix: {document.remedy}" if document.remedy else ""
            self._folds = Folds((f"{document.reason}.{remedy}",))
            self._say("cannot be read")
        else:
            self._folds = Folds(document.lines)
            self._say(f"{document.title}, {len(document.lines)} lines")
        self._show()

    def _say(self, status: str) -> None:
        title = f" {self._workload.name}  ·  {self._workload.kind} by {self._workload.id.engine}  ·  {status}"
        self.query_one("#title", Static).update(Text(fit(title, max(1, self.size.width)), no_wrap=True))

    def _show(self) -> None:
        self._visible = self._folds.visible()
        lines = [folded_line(self._folds, index, self._ascii) for index in self._visible]
        self.query_one(LineView).show(lines)

    def _index(self) -> int | None:
        cursor = self.query_one(LineView).cursor
        return self._visible[cursor] if cursor < len(self._visible) else None

    def _go(self, index: int) -> None:
        """Put the cursor on a line of the document, unfolding the blocks that hide it."""
        self._folds.reveal(index)
        self._show()
        self.query_one(LineView).go(self._visible.index(index))

    def action_fold(self) -> None:
        index = self._index()
        if index is None:
            return
        self._folds.toggle(index)
        owner = index if self._folds.opens(index) else self._folds.parent(index)
        self._show()
        if owner is not None and owner in self._visible:
            self.query_one(LineView).go(self._visible.index(owner))

    def action_all(self, is_folded: bool) -> None:
        """Fold or unfold every block; the cursor stays on its line, or moves to the block that hides it."""
        index = self._index()
        self._folds.fold_all() if is_folded else self._folds.unfold_all()
        self._show()
        while index is not None and index not in self._visible:
            index = self._folds.parent(index)
        if index is not None:
            self.query_one(LineView).go(self._visible.index(index))

    def needle_changed(self) -> None:
        self._find(1, self._index() or 0)

    @on(Input.Submitted)
    def found(self) -> None:
        self.close_prompt()

    def action_next(self, step: int) -> None:
        index = self._index()
        if index is not None:
            self._find(step, index + step)

    def _find(self, step: int, start: int) -> None:
        needle, count = self.query_one(LineView).needle.lower(), len(self._folds.lines)
        if not needle or not count:
            return
        for offset in range(count):
            index = (start + offset * step) % count
            if needle in self._folds.lines[index].lower():
                self._go(index)
                return
        self._say(f"{needle} not found")

    def action_copy(self) -> None:
        index = self._index()
        if index is not None:
            self.app.copy_to_clipboard(self._folds.block(index))
            self.notify("copied the block, if the terminal allows it", timeout=2)

    def action_back(self) -> None:
        if not self.leave_search():
            self.dismiss(None)
