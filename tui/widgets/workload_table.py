"""The table of workloads: a custom line-API widget, so that only visible lines cost anything.

`show` stores the arranged lines and asks for a repaint of just the cells that changed; `render_line` returns one strip.
Nothing off screen is formatted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from collectors.model.workloads import WorkloadId
from tui.presenters.cells import Cell, Cells
from tui.presenters.columns import Column, lay_out
from tui.presenters.table_state import Line
from tui.terminal.painting import Styled, repaint
from tui.themes.look import look_of
from tui.themes.terminal_colors import hides_alarms

Painted = tuple[list[Cell], str]
"""A line on the screen: its cells, and the role of its ground."""


class WorkloadTable(ScrollView, can_focus=True, inherit_bindings=False):
    """One line per workload under a pinned header."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    WorkloadTable {
        background: $background; overflow-x: hidden; scrollbar-gutter: stable;
        scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0;
    }
    """

    class Chosen(Message):
        """A line was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class HeaderChosen(Message):
        """A column's header was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    def __init__(self, cells: Cells, keys: Sequence[str]) -> None:
        super().__init__()
        self.cells = cells
        self.keys = tuple(keys)
        self.sort_key = ""
        self.is_reversed = False
        self.lines: Sequence[Line] = ()
        self.cursor: WorkloadId | None = None
        self.marks: set[WorkloadId] = set()
        self.formatted = 0
        """Number of lines formatted since the start, for tests."""
        self._columns: list[Column] = []
        self._width = 0
        """Width of a line in cells."""
        self._taken = 0
        """Cells that the columns take up."""
        self._fresh: dict[int, Painted] = {}
        """Lines formatted while checking for changes, by index in `lines`; painting reuses them."""
        self._painted: dict[int, Painted] = {}
        self._empty = ""

    def show(self, lines: Sequence[Line], cursor: WorkloadId | None, marks: set[WorkloadId], empty: str) -> None:
        """Show these lines; `empty` is the text to show when there are none."""
        was_empty, resized = not self.lines, len(lines) != len(self.lines)
        self.lines, self.cursor, self.marks = lines, cursor, marks
        self._fresh.clear()
        is_other = not lines and empty != self._empty
        self._empty = empty
        if resized:
            self._set_height(len(lines) + 1)
        if is_other or was_empty is bool(lines):
            self._painted.clear()
            self.refresh()
        elif lines:
            self._refresh_changes()

    def _set_height(self, height: int) -> None:
        """Set the number of lines. The screen is laid out again only if the scrollbar appears or disappears."""
        page, size = self.scrollable_content_region.height, Size(self.size.width, height)
        if (height > page) != (self.virtual_size.height > page) or self.scroll_offset.y > max(0, height - page):
            self.virtual_size = size
            self.refresh()
            return
        self.set_reactive(WorkloadTable.virtual_size, size)
        if self._thumb(height) != self._thumb(int(self.vertical_scrollbar.window_virtual_size)):
            self.vertical_scrollbar.window_virtual_size = height

    def _thumb(self, height: int) -> tuple[int, int]:
        """Return the size and position of the scrollbar's thumb for `height` lines, in eighths of a cell."""
        page, top = self.scrollable_content_region.height, self.scroll_offset.y
        return round(8 * page * page / max(1, height)), round(8 * page * top / max(1, height))

    def set_columns(self, keys: Sequence[str]) -> None:
        """Show these columns, in this order."""
        self.keys = tuple(keys)
        self._lay_out()

    def set_sort(self, key: str, is_reversed: bool) -> None:
        """Mark the sorted column in the header."""
        if (key, is_reversed) != (self.sort_key, self.is_reversed):
            self.sort_key, self.is_reversed = key, is_reversed
            self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def page(self) -> int:
        """Number of workload lines on a page, at least 1."""
        return max(1, self.scrollable_content_region.height - 1)

    def reveal(self, index: int) -> None:
        """Scroll as little as possible to make a line visible."""
        top = self.scroll_offset.y
        target = index if index < top else index - self.page + 1 if index >= top + self.page else top
        if target != top:
            self.scroll_to(y=target, animate=False, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, len(self.lines) + 1)
        self._lay_out()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget()

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            key = self._column_at(event.x)
            if key:
                self.post_message(self.HeaderChosen(key))
            return
        index = event.y - 1 + self.scroll_offset.y
        if index < len(self.lines):
            self.post_message(self.Chosen(index))

    def render_line(self, y: int) -> Strip:
        """Return one visible line: the header, a workload, a group, or a blank line."""
        if y == 0:
            return self._header(self._width)
        return Strip([Segment(text, style) for text, style in self._pieces(y)], self._width)

    def _lay_out(self) -> None:
        self._width = self.scrollable_content_region.width
        self._columns = lay_out(self.keys, self._width - 1)  # a gap before the scrollbar
        self._taken = 2 + sum(column.width + 1 for column in self._columns)
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        """Discard all formatted lines."""
        self._painted.clear()
        self._fresh.clear()

    def _cells(self, index: int) -> Painted:
        self.formatted += 1
        line = self.lines[index]
        is_marked = line.id in self.marks
        ground = "cursor" if line.id == self.cursor else "marked" if is_marked else ""
        cells = self.cells.line(line, self._columns, is_marked)
        return cells, ground or ("background" if line.reading is not None else "panel")

    def _refresh_changes(self) -> None:
        """Repaint the lines that differ from the screen."""
        top = self.scroll_offset.y
        changed = []
        for y in range(1, self.scrollable_content_region.height):
            index = y - 1 + top
            if index >= len(self.lines):
                if self._painted.pop(y, None) is not None:
                    changed.append(y)
                continue
            fresh = self._cells(index)
            if self._painted.get(y) != fresh:
                self._fresh[index] = fresh
                changed.append(y)
        repaint(self, changed, self._pieces)

    def _header(self, width: int) -> Strip:
        style = look_of(self.app).style
        plain, chosen = style("muted bold", "panel"), style("accent bold", "panel")
        arrow = ("▲" if self.is_reversed else "▼") if not self.cells.ascii_only else "^" if self.is_reversed else "v"
        segments = [Segment(" ", plain)]
        for column in self._columns:
            label = f" {column.label[: column.width]}"  # the gap before a column has room for the arrow
            is_sorted = self.sort_key == column.key
            if is_sorted:
                label = arrow + label[1:]
            text = label.ljust(column.width + 1) if column.is_left else label.rjust(column.width + 1)
            segments.append(Segment(text, chosen if is_sorted else plain))
        return Strip(segments).adjust_cell_length(width, plain)

    def _pieces(self, y: int) -> list[Styled]:
        """Return a line below the header, with one piece per run of equal style."""
        width, index = self._width, y - 1 + self.scroll_offset.y
        if index >= len(self.lines):
            text = self._empty if not self.lines and y == 2 else ""
            return [(("  " + text)[:width].ljust(width), look_of(self.app).style("muted"))]
        fresh = self._fresh.pop(index) if index in self._fresh else self._cells(index)
        cells, ground = self._painted[y] = fresh
        style = look_of(self.app).style
        pieces: list[Styled] = []
        run, tone = "", ""
        for cell in self._signed(cells, ground):
            if cell.tone != tone and run:
                pieces.append((run, style(tone, ground)))
                run = ""
            tone = cell.tone
            run += cell.text
        pieces.append((run, style(tone, ground)))
        left = width - self._taken
        if left < 0:  # a terminal narrower than the narrowest table
            cut = Strip(starmap(Segment, pieces)).crop(0, width)
            return [(text, style or Style.null()) for text, style, _ in cut]
        return [*pieces, (" " * left, style("text", ground))]

    def _signed(self, cells: list[Cell], ground: str) -> list[Cell]:
        """Put `!` before alarming numbers where the terminal shows no tone; the gap before a number has room for it."""
        if not hides_alarms(self.app, ground):
            return cells
        signed = list(cells)
        for index, cell in enumerate(cells):
            number = cell.text.lstrip()
            if cell.tone != "bad" or not number[:1].isdigit():
                continue
            before = signed[index - 1]
            if number != cell.text:
                signed[index] = Cell(("!" + number).rjust(len(cell.text)), "bad")
            elif before.text.endswith(" "):
                signed[index - 1], signed[index] = Cell(before.text[:-1], before.tone), Cell("!" + cell.text, "bad")
        return signed

    def _column_at(self, x: int) -> str | None:
        edge = 2
        for column in self._columns:
            if x < edge + column.width + 1:
                return column.key
            edge += column.width + 1
        return None
