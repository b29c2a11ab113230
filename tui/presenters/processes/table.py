"""The table of processes: columns, order, filter, tree, and lines that are made only when they are seen. No Textual."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, overload

from collectors.inspection.processes import Owners, below
from collectors.model.metrics import Unit
from collectors.model.processes import Process, ProcessId, ProcessPass, ProcessText
from collectors.model.workloads import Workload
from tui.presenters.formatting import duration, fit, text
from tui.presenters.styled_lines import Line, Run

_BUSY_PERCENT, _VERY_BUSY_PERCENT = 50.0, 90.0
_SHORT_KIND = {"container": "ct", "service": "svc"}


class Row(NamedTuple):
    """One line of the table."""

    process: Process
    text: ProcessText | None
    """`None` until it has been looked at."""
    owner: Workload | None
    branch: str = ""
    """The lines of the tree before its command."""

    @property
    def command(self) -> str:
        """Return the command line; the kernel's short name until that is read."""
        return self.text.command if self.text is not None else self.process.name


class Column(NamedTuple):
    """One column."""

    key: str
    label: str
    width: int
    """Cells; 0 takes the rest of the line."""
    cell: Callable[[Row], str]
    order: Callable[[Row], Any]
    """What it sorts by."""
    is_number: bool = False
    """Right aligned, and largest first."""
    from_width: int = 0
    """Narrower screens leave it out."""


def _owner_words(row: Row) -> str:
    return "" if row.owner is None else f"{_SHORT_KIND.get(row.owner.kind, row.owner.kind)} {row.owner.name}"


def _inside(row: Row) -> str:
    return below(row.process, row.owner) if row.owner is not None else ""


def _number(value: float | None) -> float:
    return -1.0 if value is None else value


_PID = Column("pid", "PID", 7, lambda row: str(row.process.pid), lambda row: row.process.pid, True)
_INNER = Column(
    "inner", "INSIDE", 7, lambda row: str(row.text.inner_pid or "-") if row.text else "",
    lambda row: (row.text and row.text.inner_pid) or 0, True, 90,
)  # fmt: skip
_USER = Column(
    "user", "USER", 9, lambda row: row.text.user or "-" if row.text else "",
    lambda row: (row.text and row.text.user) or "", False, 70,
)  # fmt: skip
_STATE = Column("state", "S", 1, lambda row: row.process.state, lambda row: "RDSIT".find(row.process.state) % 9)
_CPU = Column(
    "cpu", "CPU%", 6, lambda row: text(row.process.cpu_percent, Unit.PERCENT, 6),
    lambda row: (_number(row.process.cpu_percent), row.process.memory_bytes), True,
)  # fmt: skip
_MEMORY = Column(
    "memory", "RSS", 5, lambda row: text(row.process.memory_bytes, Unit.BYTES, 5),
    lambda row: row.process.memory_bytes, True,
)  # fmt: skip
_TIME = Column(
    "time", "TIME", 6, lambda row: duration(row.process.cpu_seconds, 6), lambda row: row.process.cpu_seconds, True, 60
)
_THREADS = Column(
    "threads", "THR", 4, lambda row: text(row.process.threads, Unit.COUNT, 4), lambda row: row.process.threads, True, 90
)
_OWNER = Column("owner", "WORKLOAD", 18, _owner_words, lambda row: _owner_words(row) or "\U0010ffff", False, 70)
_GROUP = Column("group", "CGROUP BELOW", 16, lambda row: _inside(row) or "", _inside, False, 110)
_COMMAND = Column("name", "COMMAND", 0, lambda row: row.branch + row.command, lambda row: row.command.lower())

OF_HOST = (_PID, _USER, _STATE, _CPU, _MEMORY, _TIME, _THREADS, _OWNER, _COMMAND)
OF_WORKLOAD = (_PID, _INNER, _USER, _STATE, _CPU, _MEMORY, _TIME, _THREADS, _GROUP, _COMMAND)


@dataclass(slots=True)
class ProcessTable:
    """What is shown of the processes, and in which order."""

    columns: tuple[Column, ...]
    sort: str = "cpu"
    is_reversed: bool = False
    filter_text: str = ""
    is_tree: bool = False
    is_ascii: bool = False
    cursor: ProcessId | None = None
    """The process under the cursor; `None` stays on the first line."""
    rows: list[Row] = field(default_factory=list)
    total: int = 0
    texts: dict[ProcessId, ProcessText] = field(default_factory=dict)

    def arrange(self, newest: ProcessPass, texts: Mapping[ProcessId, ProcessText], owners: Owners) -> None:
        """Take a new pass: filter and order it. Texts of earlier passes are kept for the processes that still exist."""
        known = {**self.texts, **texts}
        rows = [Row(process, known.get(process.id), owners.of(process)) for process in newest.processes]
        self.texts = {row.process.id: row.text for row in rows if row.text is not None}
        self.total = len(rows)
        words = self.filter_text.lower().split()
        rows = [row for row in rows if matches(row, words)] if words else rows
        column = self._sorted_by()
        rows.sort(key=lambda row: row.process.pid)
        rows.sort(key=column.order, reverse=column.is_number != self.is_reversed)
        self.rows = list(_as_tree(rows, self.is_ascii)) if self.is_tree else rows

    @property
    def needs_texts(self) -> bool:
        """Whether the filter or the order looks at what is otherwise read of visible processes only."""
        return bool(self.filter_text) or self.sort in ("user", "name", "inner")

    def complete(self, texts: Mapping[ProcessId, ProcessText]) -> None:
        """Take texts that were read after the pass; the order stays."""
        self.texts.update(texts)

    def index(self) -> int:
        """Return the line of the cursor; 0 when its process has ended or is filtered out."""
        return next((index for index, row in enumerate(self.rows) if row.process.id == self.cursor), 0)

    @property
    def has_cursor(self) -> bool:
        """Whether the process under the cursor is still shown; true without one."""
        return self.cursor is None or any(row.process.id == self.cursor for row in self.rows)

    def put_cursor(self, index: int) -> None:
        """Put the cursor on a line; on the first one it stays there whatever the order becomes."""
        index = min(index, len(self.rows) - 1)
        self.cursor = self.rows[index].process.id if index > 0 else None

    def current(self) -> Row | None:
        """Return the row under the cursor."""
        return self.row(self.index()) if self.rows else None

    def row(self, index: int) -> Row:
        """Return a line's row with all that is known of its process now."""
        row = self.rows[index]
        return row if row.text is not None else row._replace(text=self.texts.get(row.process.id))

    def sort_by(self, key: str) -> None:
        """Sort by a column; again: the other way round."""
        self.is_reversed = not self.is_reversed if key == self.sort else False
        self.sort = key

    def beside(self, step: int, width: int) -> str:
        """Return the key of the column next to the sorted one."""
        keys = [column.key for column, _ in self.shown_columns(width)]
        index = keys.index(self.sort) if self.sort in keys else 0
        return keys[(index + step) % len(keys)]

    def _sorted_by(self) -> Column:
        return next((column for column in self.columns if column.key == self.sort), _CPU)

    def shown_columns(self, width: int) -> list[tuple[Column, int]]:
        """Return the columns that fit into a width, each with its cells."""
        columns = [column for column in self.columns if width >= column.from_width]
        room = width - 1 - sum(column.width + 1 for column in columns if column.width)
        return [(column, column.width or max(8, room)) for column in columns]

    def heads(self, width: int) -> Line:
        """Return the line of headings; the sorted one has a sign and a tone of its own."""
        sign = ("v" if self.is_ascii else "▼") if not self.is_reversed else ("^" if self.is_ascii else "▲")
        runs: list[Run] = []
        for column, cells_wide in self.shown_columns(width):
            is_sorted = column.key == self.sort
            label = f"{sign}{column.label}" if is_sorted else column.label
            shown = label.rjust(cells_wide) if column.is_number else fit(label, cells_wide)
            runs += [(" ", "muted"), (shown, "accent bold" if is_sorted else "muted")]
        return runs

    def column_at(self, x: int, width: int) -> str:
        """Return the key of the column at a cell of the headings; empty for none."""
        start = 1
        for column, cells_wide in self.shown_columns(width):
            if start <= x < start + cells_wide + 1:
                return column.key
            start += cells_wide + 1
        return ""

    def summary(self, newest: ProcessPass) -> str:
        """Return one sentence on all processes: how many there are, and what they do."""
        states = [process.state for process in newest.processes]
        threads = sum(process.threads for process in newest.processes)
        parts = [_counted(self.total, "process", "es"), _counted(threads, "thread"), f"{states.count('R')} running"]
        parts += [f"{states.count('D')} in disk sleep"] if "D" in states else []
        parts += [_counted(states.count("Z"), "zombie")] if "Z" in states else []
        shown = f"   {len(self.rows)} of {self.total} match {self.filter_text}" if self.filter_text else ""
        return ", ".join(parts) + shown


def _counted(number: int, word: str, plural: str = "s") -> str:
    return f"{number} {word}{'' if number == 1 else plural}"


class Lines(Sequence[Line]):
    """The lines of a table's rows; a line is made when it is asked for.

    Args:
        table: The arranged table.
        width: Cells of a line.
    """

    def __init__(self, table: ProcessTable, width: int) -> None:
        self._table = table
        self._columns = table.shown_columns(width)

    def __len__(self) -> int:
        return len(self._table.rows)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | Sequence[Line]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        return _line(self._table.row(index), self._columns)


def _line(row: Row, columns: Sequence[tuple[Column, int]]) -> Line:
    runs: list[Run] = [(" ", "text")]
    for column, width in columns:
        cell = column.cell(row)
        shown = cell.rjust(width)[:width] if column.is_number else fit(cell, width)
        runs += [(shown, _tone(column, row)), (" ", "text")]
    return runs[:-1]


def _tone(column: Column, row: Row) -> str:
    if column is _CPU:
        percent = row.process.cpu_percent or 0.0
        return "title" if percent >= _BUSY_PERCENT else "text" if round(percent, 1) else "muted"
    if column is _STATE:
        return {"R": "good", "D": "warn", "Z": "bad"}.get(row.process.state, "muted")
    if column in (_USER, _TIME, _THREADS, _GROUP, _INNER):
        return "muted"
    if column is _OWNER:
        return "muted" if row.owner is None else f"kind-{row.owner.kind}"
    return "text"


def matches(row: Row, words: Sequence[str]) -> bool:
    """Return whether every word is in the command, name, user, workload or pid of a row; words in lower case."""
    user = row.text.user or "" if row.text is not None else ""
    owner = row.owner.name if row.owner is not None else ""
    texts = f"{row.command}\n{row.process.name}\n{user}\n{owner}\n{row.process.pid}".lower()
    return all(word in texts for word in words)


def _as_tree(rows: Sequence[Row], is_ascii: bool) -> Iterator[Row]:
    """Put children below their parents; brothers keep their order. Children of hidden parents are roots."""
    shown = {row.process.pid for row in rows}
    children: dict[int, list[Row]] = {}
    roots: list[Row] = []
    for row in rows:
        parent = row.process.parent_pid
        (children.setdefault(parent, []) if parent in shown and parent != row.process.pid else roots).append(row)
    last, other, through = ("`- ", "|- ", "|  ") if is_ascii else ("└─ ", "├─ ", "│  ")
    waiting: list[tuple[Row, str, str]] = [(row, "", "") for row in reversed(roots)]
    while waiting:
        row, own, indent = waiting.pop()
        yield row._replace(branch=own)
        below_it = children.pop(row.process.pid, [])
        for number, child in reversed(list(enumerate(below_it))):
            is_last = number == len(below_it) - 1
            waiting.append((child, indent + (last if is_last else other), indent + ("   " if is_last else through)))


def wanted(table: ProcessTable, newest: ProcessPass, visible: Iterable[ProcessId]) -> list[Process]:
    """Return the processes whose texts are needed: the visible ones, or all for a filter or an order by a text."""
    if table.needs_texts:
        return list(newest.processes)
    seen = set(visible)
    return [process for process in newest.processes if process.id in seen]
