"""The live sparkline panes of the workload under the cursor: CPU, memory, disk and network, each with its scale."""

from __future__ import annotations

from dataclasses import dataclass

from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.model.metrics import Unit
from tui.presenters.formatting import fit, state_text, text
from tui.presenters.sparkline import area, nice_top, samples_wanted
from tui.presenters.styled_lines import Run
from tui.presenters.table_state import Line
from tui.widgets.text_lines import TextLines


@dataclass(frozen=True, slots=True)
class Pane:
    """One pane: title with the numbers, values, and the value at full height (`top`)."""

    title: str
    values: list[float]
    top: float
    top_label: str
    tone: str


class Panes(TextLines):
    """Four panes side by side under a line that names the workload."""

    DEFAULT_CSS = "Panes { height: 5; background: $background; }"

    def __init__(self, history: History, ascii_only: bool) -> None:
        super().__init__()
        self._history = history
        self._ascii = ascii_only

    def show(self, line: Line | None, moment: Moment) -> None:
        """Show the workload of a line."""
        width, height = self.size.width, self.size.height
        if width < 20 or height < 2:
            return
        if line is None or line.reading is None:
            self.show_lines([])
            return
        pane_width, rows = width // 4, height - 2
        panes = self._panes(line, moment, pane_width)
        painted = [area(pane.values, pane.top, pane_width - 2 - 6, rows, self._ascii) for pane in panes]
        titles = "".join(fit(f" {pane.title}", pane_width) for pane in panes)
        lines: list[list[Run]] = [[(fit(" " + _title(line), width), "title")], [(titles, "title")]]
        for row in range(rows):
            runs: list[Run] = []
            for pane, cells in zip(panes, painted, strict=True):
                label = pane.top_label if row == 0 else "0" if row == rows - 1 else ""
                runs += [(f" {label:>6}", "muted"), (cells[row] + " ", pane.tone)]
            lines.append(runs)
        self.show_lines(lines)

    def _panes(self, line: Line, moment: Moment, width: int) -> list[Pane]:
        reading = line.reading
        assert reading is not None  # noqa: S101  # show() returns early for groups
        count = samples_wanted(width - 8, self._ascii)

        def recent(*keys: str) -> list[float]:
            rings = [self._history.recent(reading.workload.id, key, count) for key in keys]
            return [sum(values) for values in zip(*rings, strict=True)]

        def rate(key: str) -> str:
            return text(reading.value(key), Unit.BYTES_PER_SECOND, 6).strip()

        cores = reading.value("cpu_limit_cores")
        share = f" of {cores * 100:g}%" if cores and cores < moment.frame.cpus else ""
        cpu = recent("cpu_percent")
        cpu_top = nice_top(cpu, 10.0)
        memory = recent("memory_host_bytes")
        limit = reading.value("memory_limit_bytes")
        memory_top = limit or nice_top(memory, float(16 << 20), is_binary=True)
        limit_label = f" of {text(limit, Unit.BYTES, 6).strip()}" if limit else ""
        disk = recent("disk_read_bytes_per_second", "disk_write_bytes_per_second")
        net = recent("net_rx_bytes_per_second", "net_tx_bytes_per_second")
        disk_top, net_top = nice_top(disk, 1024, True), nice_top(net, 1024, True)
        used = text(reading.value("cpu_percent"), Unit.PERCENT, 6).strip()
        held = text(reading.value("memory_host_bytes"), Unit.BYTES, 6).strip()
        return [
            Pane(f"CPU {used}{'' if used == '-' else '%'}{share}", cpu, cpu_top, f"{cpu_top:g}%", "graph-cpu"),
            Pane(f"MEM {held}{limit_label}", memory, memory_top, text(memory_top, Unit.BYTES, 6).strip(), "graph-mem"),
            Pane(
                f"DISK r {rate('disk_read_bytes_per_second')} w {rate('disk_write_bytes_per_second')}",
                disk, disk_top, text(disk_top, Unit.BYTES, 5).strip() + "/s", "graph-disk",
            ),
            Pane(
                f"NET rx {rate('net_rx_bytes_per_second')} tx {rate('net_tx_bytes_per_second')}",
                net, net_top, text(net_top, Unit.BYTES, 5).strip() + "/s", "graph-net",
            ),
        ]  # fmt: skip


def _title(line: Line) -> str:
    """Return one line that identifies the workload: name, kind, engine, state, image, health, ports, id."""
    reading = line.reading
    if reading is None:
        return line.label
    workload = reading.workload
    parts = [workload.name, f"{workload.kind} by {workload.id.engine}", state_text(workload)]
    parts += [part for part in (workload.image, workload.health, workload.ports, workload.endpoint) if part]
    if workload.short_id != workload.name:
        parts.append(workload.short_id)
    return "  ·  ".join(parts)
