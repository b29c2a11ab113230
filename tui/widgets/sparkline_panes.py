"""The panes of the row under the cursor: a rule with its name, its numbers, and a graph of each."""

from __future__ import annotations

from collections.abc import Sequence

from collectors.analysis.rates import Moment
from collectors.model.workloads import WorkloadId
from tui.presenters.main_screen.alarms import worst_alarm, worst_of_group
from tui.presenters.main_screen.pane_title import title_line
from tui.presenters.main_screen.panes import AXIS_FROM, Source, pane_lines, panes_of
from tui.presenters.main_screen.signs import OLD
from tui.presenters.styled_lines import Run
from tui.presenters.table.cells import Cells
from tui.presenters.table.host_rows import silence_words
from tui.presenters.table.line import Line
from tui.widgets.text_lines import TextLines

_LEAST_WIDTH = 40
_TITLE_LINES = 2
_MOST_SEARCHED = 256
"""Members of a group among which the worst alarm is looked for."""
_ALL_PANES_FROM = 72
"""Width below which there are only the panes of CPU and memory."""


class Panes(TextLines):
    """Four panes side by side under a rule that names the row."""

    DEFAULT_CSS = "Panes { height: 2; background: $background; }"

    def __init__(self, cells: Cells, ascii_only: bool) -> None:
        super().__init__()
        self._cells = cells
        self._ascii = ascii_only
        self._rows = 0
        self._tops: dict[str, float] = {}
        """The tops of the scales of the row that is shown."""
        self._shown: tuple[WorkloadId, object] | None = None

    def set_rows(self, rows: int) -> None:
        """Set the height of the graphs; 0 for numbers only."""
        self._rows = rows
        self.styles.height = _TITLE_LINES + rows + (rows >= AXIS_FROM)

    def show(self, line: Line | None, moment: Moment) -> None:
        """Show the row under the cursor: a workload, a group or the host."""
        width = self.size.width
        if width < _LEAST_WIDTH or line is None:
            self.show_lines([])
            return
        if self._shown != (line.id, self._cells.scale):
            self._shown = line.id, self._cells.scale
            self._tops.clear()
        source = Source(line.measured, moment, self._cells.history, self._cells.minute, self._cells.scale)
        title = title_line(line, moment, self._alarm(line, moment), self._opens(line), width, self._ascii)
        self.show_lines(
            [
                title,
                *pane_lines(
                    panes_of(source)[: 4 if width >= _ALL_PANES_FROM else 2],
                    source,
                    width,
                    self._rows,
                    self._tops,
                    self._ascii,
                ),
            ]
        )

    def _alarm(self, line: Line, moment: Moment) -> Sequence[Run]:
        if line.is_fleet:
            return ()
        if line.contact is not None and (silence := silence_words(line.contact)):
            return [(f"{OLD.text(self._ascii)} {silence}", OLD.tone)]
        if line.reading is None:
            alarm = worst_of_group(line.members[:_MOST_SEARCHED], moment, self._cells.history, self._ascii)
        elif line.reading.workload.is_host:
            return ()
        elif not line.reading.workload.state.is_active:
            sign = self._cells.sign(line.reading)
            return [(f"{sign.text(self._ascii)} ", sign.tone), *self._cells.ending(line.reading)]
        else:
            alarm = worst_alarm(line.reading, moment, self._cells.history, self._ascii)
        return (alarm,) if alarm is not None else ()

    def _opens(self, line: Line) -> str:
        if line.reading is not None:
            return "Enter opens"
        if line.is_fleet:
            return "Enter shows each"
        return "Enter unfolds" if self._cells.is_folded(line) else "Enter folds"
