"""The confirmation of a user's own command: its name, the workload, the command line. Cancel is preselected."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Button, Static

from collectors.actions.confirmation import describe
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from tui.dialogs.base import Dialog
from tui.dialogs.confirm_action import ARMED_AFTER_S, Confirm
from tui.keys.bindings import bound
from tui.keys.dialogs import CONFIRM_KEYS
from tui.terminal.painting import PaintingApp

_LONGEST_LINE = 1000


class ConfirmCommand(Dialog[bool]):
    """Asks whether a command is to be run.

    Args:
        label: Its name.
        workload: The workload it is run with.
        line: The command line.
    """

    DEFAULT_CSS = Confirm.DEFAULT_CSS.replace("Confirm ", "ConfirmCommand ")
    BINDINGS: ClassVar[list[BindingType]] = [*bound(CONFIRM_KEYS)]

    def __init__(self, label: str, workload: Workload, line: str) -> None:
        super().__init__()
        self._label, self._workload, self._line = sanitize(label), workload, sanitize(line, _LONGEST_LINE)

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            page = Text(f"{describe(self._workload)}\n", style="bold")
            page.append("runs on this host, as the user that vmtop runs as:\n", style="not bold dim")
            page.append(f"  {self._line}", style="not bold")
            yield Static(page)
            with Horizontal():
                yield Button("Cancel", id="cancel", compact=True)
                yield Button(Text("Run"), id="confirm", compact=True, disabled=True)

    def on_mount(self) -> None:
        box = self.query_one(VerticalScroll)
        box.border_title = Text(f" {self._label}? ")
        box.border_subtitle = Text(" Esc cancels ")
        self.query_one("#cancel").focus()
        self.call_after_refresh(self._painted)

    def _painted(self) -> None:
        """Wait until the user can see it: keys typed ahead must not confirm what has not been seen."""
        app: object = self.app
        arm = partial(self.set_timer, ARMED_AFTER_S, self._arm)
        app.when_shown(arm) if isinstance(app, PaintingApp) else arm()

    def _arm(self) -> None:
        if self.is_attached:
            self.query_one("#confirm").disabled = False

    @on(Button.Pressed, "#confirm")
    def confirm(self) -> None:
        self.dismiss(True)

    @on(Button.Pressed, "#cancel")
    def action_cancel(self) -> None:
        self.dismiss(False)
