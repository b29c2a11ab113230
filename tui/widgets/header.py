"""The top of the screen: host, state of the sources, and the ledger with the host's sparklines."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Shares
from collectors.model.metrics import Unit
from collectors.model.workloads import Availability
from tui.presenters.formatting import duration, text
from tui.presenters.sparkline import nice_top, samples_wanted, spark
from tui.presenters.styled_lines import Line, Run, plain_text
from tui.widgets.text_lines import TextLines

_TONES = {
    Availability.OK: "good",
    Availability.WAITING: "muted",
    Availability.STALE: "warn",
    Availability.DENIED: "warn",
    Availability.ABSENT: "muted",
    Availability.DOWN: "bad",
}
_PARTS = (("vm", "kind-vm"), ("container", "kind-container"), ("service", "kind-service"), ("rest", "rest"))
_SHORT = {"vm": "vm", "container": "ct", "service": "svc", "rest": "rest"}


def _width(runs: Line) -> int:
    return cell_len(plain_text(runs))


class HeaderLine(TextLines):
    """One line: host, sources, interval, mode."""

    DEFAULT_CSS = "HeaderLine { height: 1; background: $panel; }"
    ground = "panel"

    def show(self, moment: Moment | None, interval_s: float, mode: str, notes: str) -> None:
        """Show a moment's header; `mode` is a word such as LIVE."""
        self.show_lines([self._line(moment, interval_s, mode, notes)])

    def _line(self, moment: Moment | None, interval_s: float, mode: str, notes: str) -> Line:
        mode_tone = "good bold" if mode == "LIVE" else "warn bold reverse"
        left: list[Run] = [(" vmtop ", "title")]
        right = [(f" {notes}{interval_s:g}s ", "text"), (f" {mode} ", mode_tone)]
        if moment is None:
            left.append((" reading this host ...", "muted"))
        else:
            left += _fitting(moment, self.size.width - _width(left) - _width(right))
        gap = self.size.width - _width(left) - _width(right)
        return [*left, (" " * max(0, gap), "text"), *right]


def _fitting(moment: Moment, room: int) -> list[Run]:
    """Return host facts and sources in the longest form that fits into `room` cells."""
    frame = moment.frame
    host = frame.facts.get("hostname", frame.host.name)
    uptime = frame.facts.get("uptime_s")
    up = f"  up {duration(float(uptime), 4).strip()}" if uptime else ""
    size = f"  {frame.cpus} cpu  {text(frame.memory_bytes, Unit.BYTES, 5).strip()}{up}"
    long, middle, short = (_sources(moment, form) for form in (2, 1, 0))
    for facts, sources in ((host + size, long), (host + size, middle), (host, middle), (host, short), ("", short)):
        if len(facts) + _width(sources) + 3 <= room:
            break
    return [(f" {facts}", "title"), ("   ", "text"), *sources]


def _sources(moment: Moment, form: int) -> list[Run]:
    runs: list[Run] = []
    for state in moment.sources:
        if form == 0 and state.availability in (Availability.OK, Availability.ABSENT):
            continue
        if runs:
            runs.append((" " if form == 0 else "  ", "text"))
        word = state.availability.value
        if state.availability is Availability.STALE and state.read_at_ns is not None:
            word += f" {duration((moment.frame.at_ns - state.read_at_ns) / 1e9, 4).strip()}"
        runs.append((state.name + " ", "muted" if state.availability is Availability.ABSENT else "text"))
        detail = f"{state.detail} " if form == 2 and state.detail else ""
        runs.append((detail + word, _TONES[state.availability]))
    return runs


class LedgerLines(TextLines):
    """The host's CPU and memory split into vm, container, service and rest; disk, network and stall below."""

    DEFAULT_CSS = "LedgerLines { height: 3; background: $background; }"

    def __init__(self, history: History, ascii_only: bool) -> None:
        super().__init__()
        self._history = history
        self._ascii = ascii_only

    def show(self, moment: Moment) -> None:
        """Show a moment's totals."""
        width = self.size.width or self.app.size.width
        cpu = self._share("CPU", moment.ledger.cpu_cores, Unit.CORES, moment, "cpu_percent", width)
        memory = self._share("MEM", moment.ledger.memory_bytes, Unit.BYTES, moment, "memory_host_bytes", width)
        self.show_lines([cpu, memory, self._flows(moment, width)])

    def _share(self, label: str, shares: Shares | None, unit: Unit, moment: Moment, key: str, width: int) -> Line:
        heading = (f" {label} ", "title")
        if shares is None:
            return [heading, ("-", "muted")]
        legend: list[Run] = []
        for name, tone in _PARTS:
            value = getattr(shares, name)
            legend.append((f" {_SHORT[name]} ", "muted" if name == "rest" else tone))
            if value is None:
                legend.append(("-    ", "muted"))
                continue
            size = abs(value)
            amount = f"{size:.1f}" if unit is Unit.CORES else text(size, unit, 6).strip()
            amount = f"-{amount}" if value < 0 else amount  # the workloads' counters say more than the host's
            legend.append((f"{amount:<5}", "title"))
        capacity = f"{shares.capacity:g}" if unit is Unit.CORES else text(shares.capacity, unit, 6).strip()
        legend.append((f" of {capacity} ", "muted"))
        room = width - len(heading[0]) - _width(legend) - 2
        bar_width = max(8, room * 3 // 5)
        spark_width = max(0, room - bar_width - 1)
        top = shares.capacity * (100 if unit is Unit.CORES else 1)
        return [heading, *self._bar(shares, bar_width), *legend, *self._spark(moment, key, top, spark_width)]

    def _bar(self, shares: Shares, width: int) -> Sequence[Run]:
        """Draw the parts to scale; each part has its own colour, and with ASCII only its own letter."""
        full = max(shares.capacity, shares.host - min(0.0, shares.rest)) or 1.0
        runs: list[Run] = [("[" if self._ascii else "▕", "border")]
        edge, drawn = 0.0, 0
        for name, tone in _PARTS:
            edge += max(0.0, getattr(shares, name) or 0.0)
            cells = round(edge / full * (width - 2)) - drawn
            drawn += cells
            fill = _SHORT[name][0] if self._ascii else "▒" if name == "rest" else "█"
            runs.append((fill * cells, tone))
        runs.append(((" " if self._ascii else "░") * (width - 2 - drawn), "border"))
        return [*runs, ("]" if self._ascii else "▏", "border")]

    def _spark(self, moment: Moment, key: str, top: float, width: int) -> list[Run]:
        if width < 4:
            return []
        values = self._history.recent(moment.host.workload.id, key, samples_wanted(width, self._ascii))
        return [(spark(values, top, width, self._ascii), "graph-cpu" if key.startswith("cpu") else "graph-mem")]

    def _flows(self, moment: Moment, width: int) -> Line:
        host = moment.host

        def rate(key: str) -> str:
            return text(host.value(key), Unit.BYTES_PER_SECOND, 5)

        def stall(key: str) -> str:
            value = host.value(key)
            return "-" if value is None else f"{value:.1f}%"

        disk = f" r {rate('disk_read_bytes_per_second')} w {rate('disk_write_bytes_per_second')} "
        net = f" rx {rate('net_rx_bytes_per_second')} tx {rate('net_tx_bytes_per_second')} "
        waits = ("cpu_wait_percent", "memory_wait_percent", "io_wait_percent")
        wait = "".join(f" {word} {stall(key):>5}" for word, key in zip(("cpu", "mem", "io"), waits, strict=True))
        room = width - len(disk) - len(net) - len(wait) - len(" DISK") - len("NET") - len("STALL") - 2
        disk_keys = "disk_read_bytes_per_second", "disk_write_bytes_per_second"
        net_keys = "net_rx_bytes_per_second", "net_tx_bytes_per_second"
        return [
            (" DISK", "title"), (disk, "text"), *self._flow_spark(moment, disk_keys, room, "graph-disk"),
            ("NET", "title"), (net, "text"), *self._flow_spark(moment, net_keys, room, "graph-net"),
            ("STALL", "title"), (wait, "text"),
        ]  # fmt: skip

    def _flow_spark(self, moment: Moment, keys: tuple[str, str], room: int, tone: str) -> list[Run]:
        width = room // 2
        if width < 6:
            return []
        count = samples_wanted(width, self._ascii)
        pairs = (self._history.recent(moment.host.workload.id, key, count) for key in keys)
        values = [first + second for first, second in zip(*pairs, strict=True)]
        return [(spark(values, nice_top(values, 1024, True), width, self._ascii) + " ", tone)]
