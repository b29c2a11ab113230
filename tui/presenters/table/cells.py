"""From a line of the table to its texts and their tones. Plain, no Textual: the table only paints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from rich.cells import cell_len

from collectors.alerts.rule import Level
from collectors.analysis.contacts import contacts
from collectors.analysis.history import History
from collectors.analysis.last_minute import LastMinute
from collectors.analysis.rates import Moment, Reading
from collectors.analysis.staleness import is_old
from collectors.analysis.state_log import StateLog
from collectors.engines.registry import engines_told_by
from collectors.model.metrics import METRICS
from collectors.model.workloads import LOCAL_HOST, Availability, Kind, Sample, State, WorkloadId
from tui.presenters.formatting import fit
from tui.presenters.main_screen.fact_cells import FACT_CELLS
from tui.presenters.main_screen.numbers import change_run, cpu_top, is_zero, metric_text, tone_of, value_run
from tui.presenters.main_screen.row_words import ending_words, fitted
from tui.presenters.main_screen.signs import (
    ALARM,
    AT_LIMIT,
    BUSY,
    FAILED,
    FOLDED,
    HOST,
    NEARLY,
    OLD,
    OPEN,
    RUNNING,
    WARNING,
    Sign,
    memory_share,
    state_sign,
)  # fmt: skip
from tui.presenters.pages.empty_reason import why_empty
from tui.presenters.sparkline import spark_line
from tui.presenters.styled_lines import Line as Runs
from tui.presenters.styled_lines import Run
from tui.presenters.table.calm_rows import CalmRows, is_past_over, recent_of, uptime_text
from tui.presenters.table.cell import Cell, joined, summed, words_begin
from tui.presenters.table.columns import Column
from tui.presenters.table.gutter import edge
from tui.presenters.table.host_rows import gone_runs, short_names, silence_words
from tui.presenters.table.host_values import cpus_of, host_value, total
from tui.presenters.table.line import Line
from tui.presenters.table.state import Scale

_APPROXIMATE = frozenset({"process-io", "vmm-process"})
_NOT_READ_YET = "it has not been read yet"
_CALM_TICKS = 10
"""Ticks over which the CPU must be at its limit for an alarm: a sign that comes and goes says nothing."""
_FACTS_OF_HOST = frozenset({"name", "uptime"})
_MOST_SUMMED = 256
"""Members of a group up to which its last minute is summed up."""


class Cells:
    """Formats lines. Holds what a cell needs in addition to its own line: the moment, the history, the scale."""

    def __init__(self, history: History, ascii_only: bool = False) -> None:
        self.history = history
        self.minute = LastMinute(history)
        self.ascii_only = ascii_only
        self.moment: Moment | None = None
        self.scale = Scale.CORE
        self.outcomes: dict[WorkloadId, Run] = {}
        """How an action on a workload ended a moment ago."""
        self.acting: dict[WorkloadId, str] = {}
        """The action in progress on a workload, with the seconds since it began."""
        self.alerts: dict[WorkloadId, Level] = {}
        """The gravest level of the alerts about each workload."""
        self.is_folded: Callable[[Line], bool] = lambda line: False
        """Returns whether the members of a group are not shown."""
        self.states = StateLog()
        """The changes of state: when a workload ended, whether it is new."""
        self.hint = ""
        """What can be done about a workload that ended, for its row."""
        self._sums: dict[tuple[object, ...], Runs] = {}
        """Sparklines and changes of groups, as of `_summed_at`."""
        self._summed_at: tuple[int, ...] = ()
        self._interval_s = 0.0
        self._silent_engines: frozenset[tuple[str, str]] = frozenset()
        """Hosts and engines whose source is stale, so that it is unknown whether their workloads still run."""
        self._silent_hosts: frozenset[str] = frozenset()
        """Hosts that do not answer now."""
        self.host_names: dict[str, str] = {}
        """The hosts' names as the column of hosts has them."""
        self._calm = CalmRows()
        self._around: tuple[object, ...] = ()
        """What the rows of this moment have in common."""

    def at(self, moment: Moment, scale: Scale, interval_s: float = 1.0) -> None:
        """Take a new moment."""
        self.moment, self.scale = moment, scale
        self._interval_s = interval_s
        hosts = contacts(moment.frame)
        self._silent_hosts = frozenset(name for name, contact in hosts.items() if not contact.answers)
        self._silent_engines = frozenset(
            (state.host, engine)
            for state in moment.sources
            if state.availability is Availability.STALE
            for engine in engines_told_by(state.name.partition("@")[0])
        )
        titles = [name or LOCAL_HOST for name in moment.hosts]
        if [*self.host_names] != titles:
            self.host_names = short_names(titles)
        self._around = scale, moment.frame.cpus, moment.frame.memory_bytes, *self.host_names.items()

    def line(self, line: Line, columns: Sequence[Column], is_marked: bool) -> list[Cell]:
        """Format one line: mark and sign, then the columns, as runs of a tone that fill the columns exactly."""
        if line.reading is None:
            return self._group(line, columns)
        reading = line.reading
        moment, identity = self.moment, line.id
        rest_ns = None if moment is None else self._calm.rest_ns(reading, moment.frame.at_ns)
        if moment is None or rest_ns is None:
            return self._row(line, reading, columns, is_marked)
        around = self._around_row(line, reading, columns, is_marked)
        if around is None:
            return self._row(line, reading, columns, is_marked)
        if not is_past_over(rest_ns, self._interval_s):
            around = *around, *recent_of(identity, self.states, moment.frame.wall, self.minute, columns)
        uptime = uptime_text(reading.workload, moment, columns)
        cells = self._calm.get(identity, around, uptime)
        if cells is None:
            cells = self._row(line, reading, columns, is_marked)
            self._calm.keep(identity, around, cells, uptime)
        return cells

    def _around_row(
        self, line: Line, reading: Reading, columns: Sequence[Column], is_marked: bool
    ) -> tuple[object, ...] | None:
        """Return what a row follows from besides its reading and times; `None` if it may change by itself."""
        identity, workload = line.id, reading.workload
        is_acted_on = identity in self.acting or identity in self.outcomes
        if workload.is_host or not workload.state.is_active or not reading.pairs or is_acted_on:
            return None
        if identity.host in self._silent_hosts or any(self._is_old(pair.current) for pair in reading.pairs):
            return None
        filled = (self.minute.filled(column.width) for column in columns if column.is_spark)
        level = self.alerts.get(identity)
        return columns, is_marked, line.label, line.depth, level, self._around, *filled

    def _row(self, line: Line, reading: Reading, columns: Sequence[Column], is_marked: bool) -> list[Cell]:
        is_stale = self._is_stale(reading) and line.id not in self.acting
        sign = self.sign(reading) if not is_stale else OLD
        if line.id in self.acting and sign is not OLD:
            sign = BUSY
        is_doubtful = any(self._is_old(pair.current) or pair.current.source in _APPROXIMATE for pair in reading.pairs)
        words = self._words(line, reading, columns)
        numbers_end = words_begin(columns) if words else len(columns)
        is_plain = not is_doubtful and not reading.workload.is_host
        parts = [
            (column, (value_run(column.key, reading.value(column.key), column.width),))
            if is_plain and column.is_number and column.key != "cpu_percent"
            else (column, self._cell(line, reading, column, is_doubtful))
            for column in columns[:numbers_end]
        ]
        if is_stale:
            parts = [
                (column, runs if column.key == "name" else [(text, "stale") for text, _ in runs])
                for column, runs in parts
            ]
        cells = joined(self._gutter(sign, is_marked, self.alerts.get(line.id)), parts)
        width = sum(column.gap + column.width for column in columns[numbers_end:])
        if words and width > 2:
            cells += [Cell("  ", "text"), *(Cell(*run) for run in fitted(words, width - 2, self.ellipsis))]
        return cells

    @property
    def ellipsis(self) -> str:
        """What shows that a text was cut."""
        return "..." if self.ascii_only else "…"

    def sign(self, reading: Reading) -> Sign:
        """Return the sign of a workload: of its state, or of a limit that it has reached."""
        if reading.workload.is_host:
            return HOST
        sign = state_sign(reading.workload)
        if sign.unicode not in (RUNNING.unicode, WARNING.unicode) or sign is OLD:
            return sign
        memory = memory_share(reading)
        if memory >= AT_LIMIT or self._is_cpu_at_limit(reading):
            return ALARM
        return WARNING if memory >= NEARLY else sign

    def _is_cpu_at_limit(self, reading: Reading) -> bool:
        quota = self._ceiling(reading)
        if quota is None or (reading.value("cpu_of_limit_percent") or 0.0) < AT_LIMIT - 15:
            return False
        values = self.history.recent(reading.workload.id, "cpu_percent", _CALM_TICKS)
        known = [value for value in values if value == value]
        return len(known) >= _CALM_TICKS // 2 and sum(known) / len(known) >= quota * AT_LIMIT

    def _is_stale(self, reading: Reading) -> bool:
        """Return whether all its numbers are old; without any, whether its engine is in `_silent_engines`."""
        identity = reading.workload.id
        if identity.host in self._silent_hosts:
            return True
        if reading.pairs:
            return all(self._is_old(pair.current) for pair in reading.pairs)
        return (identity.host, identity.engine) in self._silent_engines

    def _is_old(self, sample: Sample) -> bool:
        return self.moment is not None and is_old(sample, self.moment.frame.at_ns, self._interval_s)

    def _words(self, line: Line, reading: Reading, columns: Sequence[Column]) -> list[Run]:
        """Return what stands across a row's numbers instead of them; empty where there are numbers."""
        workload = reading.workload
        action = self.words_of_action(line.id)
        if action is not None:
            room = next((column.width for column in columns if column.key == "name"), 0)
            name_width = cell_len(line.label if line.depth else workload.name) + 2 * bool(line.depth)
            return [] if name_width + 1 + len(action[0]) <= room else [action]
        if workload.is_host or self.moment is None:
            return []
        if not workload.state.is_active:
            return self.ending(reading)
        if not reading.pairs and not self._is_stale(reading):
            if workload.state_reason and workload.state in (State.STARTING, State.RESTARTING):
                return [(workload.state_reason, "warn")]
            why = why_empty("cpu_percent", reading, self.moment)
            return [] if why == _NOT_READ_YET else [(why, "muted")]
        return []

    def words_of_action(self, identity: WorkloadId) -> Run | None:
        """Return what is being done to a workload, or how it ended a moment ago; `None` if there is neither."""
        acting = self.acting.get(identity)
        return (acting, "text") if acting else self.outcomes.get(identity)

    def ending(self, reading: Reading) -> list[Run]:
        """Return how a workload ended that is not active."""
        limit = reading.value("memory_limit_bytes")
        wall = self.moment.frame.wall if self.moment is not None else 0.0
        ended_at = self.states.changed_at(reading.workload.id, wall)
        return ending_words(reading.workload, None if ended_at is None else wall - ended_at, limit, self.hint)

    def _ceiling(self, reading: Reading) -> float | None:
        """Return the cores that a workload is limited to; `None` if only the host's size limits it."""
        cores, host = reading.value("cpu_limit_cores"), self._cpus([reading])
        if reading.workload.is_host:
            return float(host)
        return cores if cores and (cores < host or reading.workload.kind is Kind.VM) else None

    def _cell(self, line: Line, reading: Reading, column: Column, is_doubtful: bool) -> Runs:
        if column.is_number:
            return (self._number(reading, column, is_doubtful),)
        if column.is_spark:
            return self._spark([reading], column)
        if column.is_change:
            key = column.metric or ""
            change = self.minute.change(reading.workload.id, key)
            limit = None if reading.is_machine else self._host_value(reading, "memory_limit_bytes")
            return (change_run(change, reading.value(key), limit, column.width),)
        if reading.workload.is_host and column.key not in _FACTS_OF_HOST:
            return ((" " * column.width, "text"),)
        return FACT_CELLS[column.key](self, line, reading, column.width)

    def _spark(self, readings: Sequence[Reading], column: Column) -> Runs:
        key = column.metric or ""
        minutes = [self.minute.means(reading.workload.id, key, column.width) for reading in readings]
        values = minutes[0] if len(minutes) == 1 else summed(minutes, column.width)
        cores = self._ceiling(readings[0]) if len(readings) == 1 else None
        if self.scale is Scale.HOST and self.moment is not None:
            cores = self._cpus(readings)
        top = cpu_top(values, cores * 100 if cores else None)
        return spark_line(values, top, column.width, self.ascii_only)

    def _number(self, reading: Reading, column: Column, is_doubtful: bool) -> Run:
        """Format a metric; `is_doubtful`: a number of the line may be old or approximate."""
        key, width = column.key, column.width
        is_host = reading.workload.is_host
        value = self._host_value(reading, key) if is_host else reading.value(key)
        if key == "cpu_percent" and value is not None:
            value = self._scaled(reading, value)
            value_text, tone = value_run(key, value, width)
            tone = tone if value is None else tone_of(reading, METRICS[key], value)
        else:
            value_text, tone = value_run(key, value, width)
        if value is None:
            return (" " * width if is_host and "host" not in METRICS[key].origins else value_text), "muted"
        supplier = reading.supplier(key) if is_doubtful else None
        if supplier is not None and supplier.source in _APPROXIMATE and value >= 1 and value_text.startswith(" "):
            value_text = "~".rjust(len(value_text) - len(value_text.lstrip())) + value_text.lstrip()
        if supplier is not None and self._is_old(supplier):
            stripped = value_text.lstrip()
            return f"?{stripped}".rjust(width) if len(stripped) < width else value_text, "stale"
        return value_text, tone

    def _host_value(self, reading: Reading, key: str) -> float | None:
        return reading.value(key) if self.moment is None else host_value(self.moment.frame, reading, key)

    def _cpus(self, readings: Sequence[Reading]) -> int:
        return 1 if self.moment is None else cpus_of(self.moment.frame, readings)

    def _scaled(self, reading: Reading, value: float) -> float | None:
        if self.scale is Scale.HOST and self.moment is not None:
            return value / self._cpus([reading])
        return self._host_value(reading, "cpu_of_limit_percent") if self.scale is Scale.LIMIT else value

    def _gutter(self, sign: Sign, is_marked: bool, level: Level | None) -> list[Cell]:
        """Return the mark or the edge of an alert, the sign, and the space before the first column."""
        first = Cell(*edge(is_marked, level, self.ascii_only))
        return [first, Cell(sign.text(self.ascii_only) + " ", sign.tone or "text")]

    def _group(self, line: Line, columns: Sequence[Column]) -> list[Cell]:
        """Format a group; its name runs on over the columns before the first number, in which a group has nothing."""
        sign = HOST if line.is_fleet else FOLDED if self.is_folded(line) else OPEN
        levels = [level for member in line.members if (level := self.alerts.get(member.workload.id)) is not None]
        worst = max(levels, key=lambda level: level.rank, default=None) if self.is_folded(line) else None
        gutter = self._gutter(sign, False, worst)
        numbers_begin = next((index for index, column in enumerate(columns) if column.metric), len(columns))
        contact = line.contact
        if contact is not None and contact.is_gone:
            numbers_begin = len(columns)
        room = sum(column.gap + column.width for column in columns[:numbers_begin])
        name = [Cell(*run) for run in self._group_name(line, room)]
        parts = [
            (column, self._total(line, column) if column.metric else [(" " * column.width, "text")])
            for column in columns[numbers_begin:]
        ]
        if contact is not None and not contact.answers:
            parts = [(column, [(text, "stale") for text, _ in runs]) for column, runs in parts]
        return joined([*gutter, *name], parts)

    def _group_name(self, line: Line, width: int) -> list[Run]:
        """Return a group's name, the number of its members, and how many of them have which sign of trouble."""
        if line.contact is not None and line.contact.is_gone:
            return gone_runs(line, line.contact, width, self.ellipsis)
        runs: list[Run] = [] if line.is_fleet else [(f" {len(line.members)}", "muted")]
        if line.contact is not None and (silence := silence_words(line.contact)):
            runs.append((f" {OLD.text(self.ascii_only)} {silence}", OLD.tone))
        runs += self._signs_of_group(line)
        room = width - sum(len(text) for text, _ in runs)
        name = line.label if cell_len(line.label) <= room else fit(line.label, max(1, room), self.ellipsis)
        return fitted([(name, "title"), *runs], width, self.ellipsis)

    def _signs_of_group(self, line: Line) -> Runs:
        """Return how many members have which sign of trouble; of a host, which has many, every few seconds."""
        if line.is_fleet:
            return []
        if line.contact is None:
            return self._counted_signs(line)
        self._forget_old_sums()
        choice = line.label, len(line.members)
        runs = self._sums.get(choice)
        if runs is None:
            runs = self._sums[choice] = self._counted_signs(line)
        return runs

    def _counted_signs(self, line: Line) -> Runs:
        signs = Counter(self.sign(member).unicode for member in line.members)
        counted = [(sign, signs[sign.unicode]) for sign in (ALARM, FAILED, WARNING)]
        return [(f" {sign.text(self.ascii_only)}{count}", sign.tone) for sign, count in counted if count]

    def _forget_old_sums(self) -> None:
        if (at := self.minute.slot) != self._summed_at:
            self._summed_at = at
            self._sums.clear()

    def _past_of_group(self, line: Line, column: Column) -> Runs:
        """Return the sparkline or the change of a group, made again every few seconds: each member costs something."""
        self._forget_old_sums()
        choice = line.label, column.key, column.width, len(line.members), self.scale
        runs = self._sums.get(choice)
        if runs is None:
            runs = self._sums[choice] = self._summed_past(line, column)
        return runs

    def _summed_past(self, line: Line, column: Column) -> Runs:
        key, width = column.metric or "", column.width
        if not METRICS[key].is_additive or len(line.members) > _MOST_SUMMED:
            return [(" " * width, "text")]
        members = line.measured
        if column.is_spark:
            return self._spark(members, column)
        changes = [self.minute.change(member.workload.id, key) for member in members]
        known = [change for change in changes if change is not None]
        text, _ = change_run(sum(known) if known else None, line.value(key), None, width)
        return [(text, "title" if text.strip() not in ("0", "-") else "muted")]

    def _total(self, line: Line, column: Column) -> Runs:
        key, width = column.metric or "", column.width
        if column.is_spark or column.is_change:
            return self._past_of_group(line, column)
        value = line.value(key) if self.moment is None else total(self.moment.frame, line, key)
        if key == "cpu_percent" and value is not None:
            is_of_hosts = line.is_fleet or line.total is not None
            share = value / self._cpus(line.measured)
            value = {Scale.CORE: value, Scale.HOST: share, Scale.LIMIT: share if is_of_hosts else None}[self.scale]
        if value is None:
            return [(" " * width, "text")]
        return [(metric_text(METRICS[key], value, width), "muted" if is_zero(METRICS[key], value) else "title")]
