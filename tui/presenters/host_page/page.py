"""The page of the host: its parts, in the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len

from collectors.analysis.history import History
from collectors.analysis.rates import Moment
from collectors.kernel.self_usage import Cost
from collectors.model.machine import MachineReading
from collectors.model.metrics import Unit
from tui.presenters.formatting import duration, fit, stamp, text
from tui.presenters.host_page.devices import (
    disks_part,
    file_systems_part,
    graphics_part,
    network_part,
    sensors_part,
)
from tui.presenters.host_page.layout import Part, rule, side_by_side
from tui.presenters.host_page.usage import cores_part, cpu_part, memory_part
from tui.presenters.host_page.waiting import pressure_part, sources_part
from tui.presenters.main_screen.header import MODES
from tui.presenters.styled_lines import Line, Run

RECORDED = "A recording holds the totals of the host, and no cores, devices, file systems or sensors."


class HostView(NamedTuple):
    """What the page shows."""

    moment: Moment
    history: History
    reading: MachineReading | None
    """`None` in the past and in a replay, and before the first reading."""
    missing: str
    """Why there is no reading; a sentence."""
    cost: Cost | None = None
    """What vmtop itself takes; `None` where that is not known."""


def host_parts(view: HostView, width: int, is_ascii: bool) -> list[Part]:
    """Return the parts of the page; those of which the kernel shows nothing are left out."""
    moment, reading = view.moment, view.reading
    left, right = halves("Disks", width)
    parts: list[Part | None] = [cpu_part(moment, view.history, width, is_ascii)]
    if reading is not None:
        parts.append(cores_part(reading.cores, width, is_ascii))
    parts.append(memory_part(moment, view.history, width, is_ascii))
    if reading is not None:
        parts += [
            disks_part(moment, reading.disks, left),
            network_part(moment, reading, right),
            file_systems_part(reading.file_systems, width),
            sensors_part(reading, width, is_ascii),
            graphics_part(reading.gpus, width),
        ]
    else:
        flows = disks_part(moment, (), width).right + "  " + network_part(moment, _NOTHING, width).right
        parts.append(Part("Devices", "Disks and network", "", flows, [[(f"  {view.missing}", "muted")]]))
    parts += [pressure_part(moment, reading.pressures if reading is not None else ()), sources_part(moment, view.cost)]
    return [part for part in parts if part is not None]


_BESIDE = {"Disks": (140, 0.55), "Waiting": (110, 0.45)}
"""Parts that have the next one next to them: from which width, and their share of it."""
_NOTHING = MachineReading(0, "", (), (), (), (), 0, (), (), (), ())


def host_lines(parts: Sequence[Part], width: int, is_ascii: bool) -> tuple[list[Line], list[int]]:
    """Return the lines of all parts, and the line at which each begins."""
    lines: list[Line] = []
    starts: list[int] = []
    waiting = list(parts)
    while waiting:
        part = waiting.pop(0)
        starts.append(len(lines))
        left, right = halves(part.name, width)
        if left < width and waiting:
            other = waiting.pop(0)
            starts.append(len(lines))
            block = [rule(part, left, is_ascii), *part.lines]
            lines += [*side_by_side(block, [rule(other, right, is_ascii), *other.lines], left), []]
        else:
            lines += [rule(part, width, is_ascii), *part.lines, []]
    return lines[:-1], starts


def halves(name: str, width: int) -> tuple[int, int]:
    """Return the widths of a part and of the one after it; both are the whole width if they stand below each other."""
    least, share = _BESIDE.get(name, (width + 1, 1.0))
    left = int(width * share)
    return (left, width - left) if width >= least else (width, width)


def host_words(moment: Moment, reading: MachineReading | None) -> str:
    """Return what the host is: kernel, cores, model, memory, up time."""
    facts = moment.frame.facts
    uptime = facts.get("uptime_s", "")
    model = f" {reading.cpu_model}" if reading is not None and reading.cpu_model else ""
    parts = [
        "host",
        f"Linux {facts['kernel']}" if facts.get("kernel") else "",
        f"{moment.frame.cpus} cores{model}",
        text(moment.frame.memory_bytes, Unit.BYTES, 5).strip() if moment.frame.memory_bytes else "",
        f"up {duration(float(uptime), 6).strip()}" if uptime else "",
    ]
    return " · ".join(part for part in parts if part)


def title_line(moment: Moment, reading: MachineReading | None, mode: str, width: int, is_ascii: bool) -> Line:
    """Return the first line of the page: what the host is, and whether it is now."""
    name = moment.frame.facts.get("hostname", moment.frame.host.name)
    words = host_words(moment, reading)
    tone = MODES.get(mode, "good")
    clock = f"  {stamp(moment.frame.wall, '%H:%M:%S')} " if "reverse" in tone else ""
    chip = f" {mode}{clock}"
    room = max(0, width - cell_len(name) - 3 - cell_len(chip) - 1)
    shown = fit(words.replace("·", "-") if is_ascii else words, room)
    return [(f" {name}", "title"), ("  ", "text"), (shown, "muted"), (chip, tone), (" ", "text")]


def parts_line(names: Sequence[str], current: int, width: int) -> Line:
    """Return the names of the parts with their keys; the one at the top of the screen is underlined."""
    labels = [f"{number} {name}" for number, name in enumerate(names, 1)]
    gap = "   " if sum(map(len, labels)) + 3 * len(labels) <= width else " "
    runs: list[Run] = [(" ", "text")]
    for index, label in enumerate(labels):
        runs += [(label, "accent bold underline" if index == current else "muted"), (gap, "text")]
    return runs
