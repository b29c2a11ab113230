"""The top of the screen: host, state of the sources, and the ledger with the host's sparklines."""

from __future__ import annotations

from rich.text import Text

from collectors.analysis.history import History
from collectors.analysis.rates import Moment, Shares
from collectors.model.metrics import Unit
from collectors.model.workloads import Availability
from tui.presenters.formatting import duration, text
from tui.presenters.sparkline import nice_top, samples_wanted, spark
from tui.widgets.text_lines import TextLines

_TONES = {
    Availability.OK: "$success",
    Availability.WAITING: "dim",
    Availability.STALE: "$warning",
    Availability.DENIED: "$warning",
    Availability.ABSENT: "dim",
    Availability.DOWN: "$error",
}
_PARTS = (("vm", "$primary-lighten-2"), ("container", "$accent"), ("service", "$success"), ("rest", "dim"))
_SHORT = {"vm": "vm", "container": "ct", "service": "svc", "rest": "rest"}


class HeaderLine(TextLines):
    """One line: host, sources, interval, mode."""

    DEFAULT_CSS = "HeaderLine { height: 1; background: $primary-background; color: $foreground; }"

    def show(self, moment: Moment | None, interval_s: float, mode: str, notes: str) -> None:
        """Show a moment's header; `mode` is a word such as LIVE."""
        self.show_lines([self._line(moment, interval_s, mode, notes)])

    def _line(self, moment: Moment | None, interval_s: float, mode: str, notes: str) -> Text:
        palette = self.app.theme_variables
        line = Text(" vmtop ", style="bold", no_wrap=True, overflow="crop", end="")
        right = Text(f" {notes}{interval_s:g}s ", end="")
        right.append(f" {mode} ", style="reverse bold" if mode != "LIVE" else "bold")
        if moment is None:
            line.append(" reading this host ...", style="dim")
        else:
            room = self.size.width - line.cell_len - right.cell_len
            line.append_text(_fitting(moment, room, palette))
        gap = self.size.width - line.cell_len - right.cell_len
        line.append(" " * max(0, gap))
        line.append_text(right)
        return line


def _fitting(moment: Moment, room: int, palette: dict[str, str]) -> Text:
    """Return host facts and sources in the longest form that fits into `room` cells."""
    frame = moment.frame
    host = frame.facts.get("hostname", frame.host.name)
    uptime = frame.facts.get("uptime_s")
    up = f"  up {duration(float(uptime), 4).strip()}" if uptime else ""
    size = f"  {frame.cpus} cpu  {text(frame.memory_bytes, Unit.BYTES, 5).strip()}{up}"
    long, middle, short = (_sources(moment, form, palette) for form in (2, 1, 0))
    for facts, sources in ((host + size, long), (host + size, middle), (host, middle), (host, short), ("", short)):
        if len(facts) + sources.cell_len + 3 <= room:
            break
    return Text.assemble((f" {facts}", "bold"), "   ", sources)


def _sources(moment: Moment, form: int, palette: dict[str, str]) -> Text:
    line = Text()
    for state in moment.sources:
        tone = _TONES[state.availability]
        tone = palette.get(tone.removeprefix("$"), "") if tone.startswith("$") else tone
        if line:
            line.append(" " if form == 0 else "  ")
        word = state.availability.value
        if state.availability is Availability.STALE and state.read_at_ns is not None:
            word += f" {duration((moment.frame.at_ns - state.read_at_ns) / 1e9, 4).strip()}"
        if form == 0 and state.availability in (Availability.OK, Availability.ABSENT):
            continue
        line.append(state.name + " ", style="dim" if state.availability is Availability.ABSENT else "")
        detail = f"{state.detail} " if form == 2 and state.detail else ""
        line.append(detail + word, style=tone)
    return line


class LedgerLines(TextLines):
    """The host's CPU and memory split into vm, container, service and rest; disk, network and stall below."""

    DEFAULT_CSS = "LedgerLines { height: 3; background: $background; }"

    def __init__(self, history: History, ascii_only: bool) -> None:
        super().__init__()
        self._history = history
        self._ascii = ascii_only

    def show(self, moment: Moment) -> None:
        """Show a moment's totals."""
        self._palette = self.app.theme_variables
        width = self.size.width or self.app.size.width
        cpu = self._share("CPU", moment.ledger.cpu_cores, Unit.CORES, moment, "cpu_percent", width)
        memory = self._share("MEM", moment.ledger.memory_bytes, Unit.BYTES, moment, "memory_host_bytes", width)
        self.show_lines([cpu, memory, self._flows(moment, width)])

    def _colour(self, tone: str) -> str:
        return self._palette.get(tone.removeprefix("$"), "") if tone.startswith("$") else tone

    def _share(self, label: str, shares: Shares | None, unit: Unit, moment: Moment, key: str, width: int) -> Text:
        line = Text(f" {label} ", style="bold", no_wrap=True, overflow="crop")
        if shares is None:
            return line.append("-", style="dim")
        legend = Text()
        for name, tone in _PARTS:
            value = getattr(shares, name)
            if value is None:
                legend.append(f" {_SHORT[name]} ", style=self._colour(tone)).append("-    ", style="dim")
                continue
            size = abs(value)
            amount = f"{size:.1f}" if unit is Unit.CORES else text(size, unit, 6).strip()
            amount = f"-{amount}" if value < 0 else amount  # the workloads' counters say more than the host's
            legend.append(f" {_SHORT[name]} ", style=self._colour(tone)).append(f"{amount:<5}", style="bold")
        capacity = f"{shares.capacity:g}" if unit is Unit.CORES else text(shares.capacity, unit, 6).strip()
        legend.append(f" of {capacity} ", style="dim")
        room = width - line.cell_len - legend.cell_len - 2
        bar_width = max(8, room * 3 // 5)
        spark_width = max(0, room - bar_width - 1)
        line.append_text(self._bar(shares, bar_width)).append_text(legend)
        top = shares.capacity * (100 if unit is Unit.CORES else 1)
        return line.append_text(self._spark(moment, key, top, spark_width))

    def _bar(self, shares: Shares, width: int) -> Text:
        """Draw the parts to scale; each part has its own colour, and with ASCII only its own letter."""
        full = max(shares.capacity, shares.host - min(0.0, shares.rest)) or 1.0
        bar, edge, drawn = Text("[" if self._ascii else "▕"), 0.0, 0
        for name, tone in _PARTS:
            edge += max(0.0, getattr(shares, name) or 0.0)
            cells = round(edge / full * (width - 2)) - drawn
            drawn += cells
            fill = _SHORT[name][0] if self._ascii else "▒" if name == "rest" else "█"
            bar.append(fill * cells, style=self._colour(tone))
        bar.append((" " if self._ascii else "░") * (width - 2 - drawn), style="dim")
        return bar.append("]" if self._ascii else "▏")

    def _spark(self, moment: Moment, key: str, top: float, width: int) -> Text:
        if width < 4:
            return Text()
        values = self._history.recent(moment.host.workload.id, key, samples_wanted(width, self._ascii))
        tone = "$success" if key.startswith("cpu") else "$primary" if key.startswith("mem") else "$accent"
        return Text(spark(values, top, width, self._ascii), style=self._colour(tone))

    def _flows(self, moment: Moment, width: int) -> Text:
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
        line = Text(" DISK", style="bold", no_wrap=True, overflow="crop").append(disk, style="not bold")
        line.append_text(self._flow_spark(moment, ("disk_read_bytes_per_second", "disk_write_bytes_per_second"), room))
        line.append("NET", style="bold").append(net, style="not bold")
        line.append_text(self._flow_spark(moment, ("net_rx_bytes_per_second", "net_tx_bytes_per_second"), room))
        return line.append("STALL", style="bold").append(wait, style="not bold")

    def _flow_spark(self, moment: Moment, keys: tuple[str, str], room: int) -> Text:
        width = room // 2
        if width < 6:
            return Text()
        count = samples_wanted(width, self._ascii)
        pairs = (self._history.recent(moment.host.workload.id, key, count) for key in keys)
        values = [first + second for first, second in zip(*pairs, strict=True)]
        return Text(
            spark(values, nice_top(values, 1024, True), width, self._ascii) + " ", style=self._colour("$accent")
        )
