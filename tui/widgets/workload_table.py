"""The table of workloads: a custom line-API widget, so that only visible lines cost anything.

Its first two lines are pinned: the column heads, and the host as a row like the others. `show` keeps the arranged lines
and asks for a repaint of just those that changed; `_pieces` makes one. Nothing off screen is formatted.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from collectors.model.metrics import METRICS
from collectors.model.workloads import WorkloadId
from tui.presenters.formatting import fit
from tui.presenters.styled_lines import Line as Runs
from tui.presenters.table.cell import Cell
from tui.presenters.table.cells import Cells
from tui.presenters.table.columns import GUTTER, Column, is_ordered_by, lay_out
from tui.presenters.table.line import Line
from tui.presenters.table.state import HOST_INDEX
from tui.terminal.painting import Styled, repaint
from tui.terminal.textual_private import rendered_anew
from tui.themes.look import look_of
from tui.themes.terminal_colors import hides_alarms

Painted = tuple[list[Cell], str]
"""A line on the screen: its cells, and the role of its ground."""
PINNED = 2
"""Lines that do not scroll: the heads and the host."""


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
        """A line was clicked; -1 is the host's."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    class Opened(Message):
        """A line was clicked twice; it is the one under the cursor."""

    class HeaderChosen(Message):
        """A column's header was clicked."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class MouseMoved(Message):
        """The mouse moved over the table."""

    def __init__(self, cells: Cells, keys: Sequence[str]) -> None:
        super().__init__()
        self.cells = cells
        self.keys = tuple(keys)
        self.sort_key = ""
        self.is_reversed = False
        self.host: Line | None = None
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
        self._empty: Sequence[Runs] = ()
        self._span = ""
        """Over what time the order is a mean; empty: it is not one."""
        self._host_width = 0
        """Width of the column of hosts; 0 where there is none."""
        self._count = ""
        """What stands after NAME: how many workloads there are."""

    def show(
        self,
        lines: Sequence[Line],
        cursor: WorkloadId | None,
        marks: set[WorkloadId],
        host: Line | None = None,
        empty: Sequence[Runs] = (),
    ) -> None:
        """Show these lines below the host's; `empty` is what to show when there are none."""
        resized = len(lines) != len(self.lines)
        self.host, self.lines, self.cursor, self.marks = host, lines, cursor, marks
        self._fresh.clear()
        self._empty = empty
        if resized:
            self._set_height(len(lines) + PINNED)
        self._refresh_changes()

    def show_cursor(self, cursor: WorkloadId | None) -> None:
        """Show the cursor on another line; only that one and the one it was on are painted."""
        moved, self.cursor = (self.cursor, cursor), cursor
        indices = {y: self._index_at(y) for y in range(1, self.scrollable_content_region.height)}
        lines = {y: line for y, index in indices.items() if (line := self._line(index)) is not None}
        changed = [y for y, line in lines.items() if line.id in moved]
        for y in changed:
            self._fresh.pop(indices[y], None)
        repaint(self, changed, self._pieces)

    def set_count(self, words: str) -> None:
        """Show after NAME how many workloads there are, and what is special about their order."""
        if words != self._count:
            self._count = words
            self._refresh_heads()

    def _set_height(self, height: int) -> None:
        """Set the number of lines. The screen is laid out again only if the scrollbar appears or disappears."""
        page, size = self.scrollable_content_region.height, Size(self.size.width, height)
        if (height > page) != (self.virtual_size.height > page) or self.scroll_offset.y > max(0, height - page):
            self.virtual_size = size
            self.refresh()
            return
        self.set_reactive(WorkloadTable.virtual_size, size)
        if self._thumb(height) != self._thumb(int(self.vertical_scrollbar.window_virtual_size)):
            self._show_thumb(height)

    def _show_thumb(self, height: int) -> None:
        """Paint the scrollbar for another number of lines: a refresh of it renders every widget beside it anew."""
        bar = self.vertical_scrollbar
        bar.set_reactive(ScrollBar.window_virtual_size, height)
        if rows := bar.size.height:  # else all rows are in sight
            lines = rendered_anew(bar)
            repaint(bar, range(rows), lambda y: [(text, style or Style.null()) for text, style, _ in lines[y]])

    def _thumb(self, height: int) -> tuple[int, int]:
        """Return the size and position of the scrollbar's thumb for `height` lines, in eighths of a cell."""
        page, top = self.scrollable_content_region.height, self.scroll_offset.y
        return round(8 * page * page / max(1, height)), round(8 * page * top / max(1, height))

    def set_columns(self, keys: Sequence[str]) -> None:
        """Show these columns, in this order."""
        self.keys = tuple(keys)
        self._lay_out()

    def set_host_width(self, width: int) -> None:
        """Set the width of the column of hosts; 0 to have none."""
        if width != self._host_width:
            self._host_width = width
            self._lay_out()

    @property
    def shown_keys(self) -> tuple[str, ...]:
        """The keys of the columns that the width leaves room for, from left to right."""
        return tuple(column.key for column in self._columns)

    def set_sort(self, key: str, is_reversed: bool, span: str = "") -> None:
        """Mark the sorted column in the heads; `span` is the time over which the order is a mean, empty for none."""
        if (key, is_reversed, span) != (self.sort_key, self.is_reversed, self._span):
            self.sort_key, self.is_reversed, self._span = key, is_reversed, span
            self._refresh_heads()

    def _refresh_heads(self) -> None:
        repaint(self, [0], lambda y: self._heads())

    @property
    def page(self) -> int:
        """Number of workload lines on a page, at least 1."""
        return max(1, self.scrollable_content_region.height - PINNED)

    def reveal(self, index: int) -> None:
        """Scroll as little as possible to make a line visible; the host's always is."""
        if index == HOST_INDEX:
            return
        top = self.scroll_offset.y
        target = index if index < top else index - self.page + 1 if index >= top + self.page else top
        if target != top:
            self.scroll_to(y=target, animate=False, immediate=True)

    def on_resize(self, event: events.Resize) -> None:
        self.virtual_size = Size(event.size.width, len(self.lines) + PINNED)
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
        index = self._index_at(event.y)
        if index < len(self.lines) and self._line(index) is not None:
            self.post_message(self.Chosen(index))
            if event.chain == 2:
                self.post_message(self.Opened())

    def on_mouse_move(self) -> None:
        self.post_message(self.MouseMoved())

    def render_line(self, y: int) -> Strip:
        """Return one visible line: the heads, the host, a workload, a group, or a blank line."""
        return Strip([Segment(text, style) for text, style in (self._pieces(y) if y else self._heads())], self._width)

    def _lay_out(self) -> None:
        self._width = self.scrollable_content_region.width
        self._columns = lay_out(self.keys, self.size.width, self._host_width)  # the last cell is the scrollbar's
        self._taken = GUTTER + sum(column.gap + column.width for column in self._columns)
        self._forget()
        self.refresh()

    def _forget(self) -> None:
        """Discard all formatted lines."""
        self._painted.clear()
        self._fresh.clear()

    def _index_at(self, y: int) -> int:
        """Return the index of the line at a row of the widget below the heads."""
        return HOST_INDEX if y == PINNED - 1 else y - PINNED + self.scroll_offset.y

    def _line(self, index: int) -> Line | None:
        """Return a line by its index; `None` below the last one, and for the host before the first moment."""
        if index == HOST_INDEX:
            return self.host
        return self.lines[index] if index < len(self.lines) else None

    def _cells(self, index: int, line: Line) -> Painted:
        self.formatted += 1
        is_marked = line.id in self.marks
        is_plain = index != HOST_INDEX and line.reading is not None
        ground = (
            "cursor" if line.id == self.cursor else "marked" if is_marked else "background" if is_plain else "panel"
        )
        return self.cells.line(line, self._columns, is_marked), ground

    def _refresh_changes(self) -> None:
        """Repaint the lines that differ from the screen."""
        changed, top = [], self.scroll_offset.y
        for y in range(1, self.scrollable_content_region.height):
            index = HOST_INDEX if y == PINNED - 1 else y - PINNED + top
            line = self._line(index)
            fresh = self._cells(index, line) if line is not None else self._blank(y)
            if self._painted.get(y) != fresh:
                self._fresh[index] = fresh
                changed.append(y)
        repaint(self, changed, self._pieces)

    def _blank(self, y: int) -> Painted:
        """Return a line without a workload: blank, or one of those that stand there when there are none."""
        index = y - PINNED - 1
        runs = self._empty[index] if not self.lines and 0 <= index < len(self._empty) else ()
        return [Cell(*run) for run in runs], "background"

    def _heads(self) -> list[Styled]:
        style = look_of(self.app).style
        plain, chosen = style("muted", "panel"), style("accent bold", "panel")
        arrow = ("▲" if self.is_reversed else "▼") if not self.cells.ascii_only else "^" if self.is_reversed else "v"
        heads: list[Styled] = [(" " * GUTTER, plain)]
        for column in self._columns:
            is_sorted = is_ordered_by(column, self.sort_key)
            label = arrow + column.label if is_sorted else column.label
            label += f" {self._span}" if is_sorted and self._has_room_for_span(column) else ""
            if not column.is_left:
                heads.append((label.rjust(column.gap + column.width), chosen if is_sorted else plain))
                continue
            if is_sorted:  # the cell before the heading has room for the arrow
                before, style_before = heads.pop() if not column.gap else (" " * column.gap, plain)
                heads.append((before[:-1], style_before))
            else:
                heads.append((" " * column.gap, plain))
            room = column.width + is_sorted - len(label)
            count = self._count_words(room) if column.key == "name" else ""
            heads += [(label, chosen if is_sorted else plain), (fit(count, room), plain)]
        return self._fitted([head for head in heads if head[0]], plain)

    def _count_words(self, room: int) -> str:
        """Return how many workloads there are, with the span of the order's mean if the sorted column has no room."""
        words = f"  {self._count}"
        sorted_column = next((column for column in self._columns if column.key == self.sort_key), None)
        if not self._span or (sorted_column is not None and self._has_room_for_span(sorted_column)):
            return words
        span = f"  {self._span} mean" if sorted_column is not None else f"  {METRICS[self.sort_key].label} {self._span}"
        return words + span if len(words + span) <= room else words

    def _has_room_for_span(self, column: Column) -> bool:
        return bool(self._span) and len(column.label) + 2 + len(self._span) <= column.width + 1

    def _fitted(self, pieces: list[Styled], rest: Style) -> list[Styled]:
        """Cut or pad pieces that fill the columns to the width of a line."""
        left = self._width - self._taken
        if left >= 0:
            return [*pieces, (" " * left, rest)]
        cut = Strip(starmap(Segment, pieces)).crop(0, self._width)  # a terminal narrower than the narrowest table
        return [(text, style or Style.null()) for text, style, _ in cut]

    def _pieces(self, y: int) -> list[Styled]:
        """Return a line below the heads, with one piece per run of equal style."""
        index = self._index_at(y)
        line = self._line(index)
        fresh = self._fresh.pop(index, None) or (self._cells(index, line) if line is not None else self._blank(y))
        cells, ground = self._painted[y] = fresh
        style = look_of(self.app).style
        if line is None:
            strip = Strip([Segment(text, style(tone, ground)) for text, tone in cells])
            return [
                (text, piece_style or Style.null())
                for text, piece_style, _ in strip.adjust_cell_length(self._width, style("text", ground))
            ]
        text_tone = "title" if ground in ("panel", "cursor") else "text"
        signed = self._signed(cells, ground)
        pieces = [(text, style(text_tone if tone == "text" else tone, ground)) for text, tone in signed]
        return self._fitted(pieces, style("text", ground))

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
        edge = GUTTER
        for column in self._columns:
            edge += column.gap + column.width
            if x < edge:
                return column.key
        return None
