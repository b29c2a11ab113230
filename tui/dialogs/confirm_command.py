"""The confirmation of a user's own command: its name, the workload, the command line. Cancel is preselected."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from collectors.actions.confirmation import describe
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize
from tui.dialogs.confirm_action import Confirm

_LONGEST_LINE = 1000


class ConfirmCommand(Confirm[bool]):
    """Asks whether a command is to be run.

    Args:
        label: Its name.
        workload: The workload it is run with.
        line: The command line.
    """

    def __init__(self, label: str, workload: Workload, line: str) -> None:
        super().__init__(f"{sanitize(label)}?", "Run")
        self._workload, self._line = workload, sanitize(line, _LONGEST_LINE)

    def page(self) -> Group:
        about = [Text(describe(self._workload))]
        sentences = [Text("It runs on this host, as the user that vmtop runs as.")]
        return self.laid_out(about, sentences, [self._line])

    def answer(self) -> bool:
        return True
