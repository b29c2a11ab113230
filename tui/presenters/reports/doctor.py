"""What `vmtop doctor` says: each source, why it cannot be read, the command that fixes it, and what vmtop runs on."""

from __future__ import annotations

import importlib.metadata
import locale
import os
import platform
import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from collectors import __version__
from collectors.analysis.rates import Moment
from collectors.engines.registry import ENGINES, engine_of_source, libraries, owner
from collectors.json_document import document
from collectors.model.installing import carries_its_python
from collectors.model.workloads import Availability, SourceState
from collectors.sampling.timeout import ANSWER_S
from tui.presenters.load import late_words, load_words
from tui.presenters.reports.troubles import FINE
from tui.settings.paths import config_folder
from tui.themes.choice import problems as theme_problems

SCHEMA = "vmtop.doctor/1"
_SLOW_S = 3.0
"""A first answer that takes longer is called slow."""
_WIDTH = 100
"""Characters of a line of what an absent engine would show."""
_INDENTS: Mapping[str, Any] = {"initial_indent": " " * 20, "subsequent_indent": " " * 22}
_LIBRARIES = ("textual", "psutil")
"""In addition to those of the engines."""


class Checkup(NamedTuple):
    """A moment, and how long its sources took."""

    moment: Moment
    answered_s: Mapping[str, float] = {}
    """By source: seconds until its first answer; absent for a source without one."""
    waited_s: float = 0.0
    most_s: float = ANSWER_S
    """Seconds that were waited, and would have been waited at most."""


def is_healthy(moment: Moment) -> bool:
    """Return whether every source that is present can be read, and the host itself has been read."""
    hosts = [moment.host, *(one.reading for one in moment.hosts.values() if one.reading is not None)]
    return all(state.availability in FINE for state in moment.sources) and any(host.pairs for host in hosts)


def facts() -> dict[str, str]:
    """Return what vmtop runs on: versions, terminal, locale. Of the libraries, only Textual is imported for it."""
    size = shutil.get_terminal_size()
    values = {
        "vmtop": __version__,
        "python": platform.python_version() + (", its own" if carries_its_python() else ""),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "user": f"uid {os.getuid()}" + (" (root)" if os.getuid() == 0 else ""),
        "terminal": f"{os.environ.get('TERM') or 'none'} {size.columns}x{size.lines}"
        + ("" if sys.stdout.isatty() else ", output is not a terminal"),
        "colours": "off (NO_COLOR)" if os.environ.get("NO_COLOR") else os.environ.get("COLORTERM") or "by terminal",
        "encoding": locale.getpreferredencoding(False),
    }
    for library in (*_LIBRARIES, *libraries()):
        try:
            values[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            values[library] = "not installed"
    values["textual"] += _stock_painting()
    return values


def _stock_painting() -> str:
    """Return why Textual has to paint by itself, to go after its version; empty if it does not have to."""
    try:
        from tui.terminal.textual_private import PROBLEM
    except ImportError:  # not installed; the line says so already
        return ""
    return f"; paints and reads keys itself: {PROBLEM}" if PROBLEM else ""


def as_document(checked: Checkup) -> dict[str, object]:
    """Return the report as plain values."""
    moment, moment_document = checked.moment, document(checked.moment, ())
    return {
        "schema": SCHEMA,
        "time": moment_document["time"],
        "healthy": is_healthy(moment),
        "facts": facts(),
        "sources": moment_document["sources"],
        "answered_seconds": {name: round(seconds, 1) for name, seconds in checked.answered_s.items()},
        "host": moment_document["host"],
        "engines": {engine.name: engine.about._asdict() for engine in ENGINES if engine.about.title},
        "themes": list(theme_problems(config_folder())),
    }


def as_text(checked: Checkup) -> str:
    """Return the report as text."""
    moment = checked.moment
    lines = [f"{name:<15} {value}" for name, value in facts().items()] + [""]
    absent = [state for state in moment.own_sources if state.availability is Availability.ABSENT]
    for state in moment.own_sources:
        lines += [] if state in absent else _source(state, checked)
    lines += _unreachable(moment)
    for host in moment.frame.hosts:
        lines += _of_host(host, checked)
    lines += [f"{'theme':<8} {sentence}" for sentence in theme_problems(config_folder())]
    lines += _absent(absent)
    count = len(moment.readings)
    lines += ["", f"{count} workload{'' if count == 1 else 's'} in sight. {_verdict(moment)}"]
    return "\n".join(lines) + "\n"


def _of_host(host: str, checked: Checkup) -> list[str]:
    """Return lines about what another host reads; none before it has answered."""
    states = [state for state in checked.moment.sources if state.host == host]
    absent = [state.name for state in states if state.availability is Availability.ABSENT]
    present = [line for state in states if state.name not in absent for line in _source(state, checked)]
    named = textwrap.wrap(", ".join(absent), _WIDTH, initial_indent=f"{'absent':<9}", subsequent_indent=" " * 9)
    return ["", f"on {host}:", *present, *named] if states else []


def _source(state: SourceState, checked: Checkup) -> list[str]:
    cost = "" if state.cost_ns is None else f" ({state.cost_ns / 1e6:.1f} ms a reading)"
    is_ok = state.availability is Availability.OK
    reason = state.reason
    if state.availability is Availability.WAITING:
        reason = "no answer" + late_words(checked.waited_s, checked.most_s)
    lines = [f"{state.availability:<8} {state.name:<10} {(state.detail if is_ok else reason) + cost}".rstrip()]
    answered_s = checked.answered_s.get(state.title, 0.0)
    if is_ok and answered_s > _SLOW_S and not state.host:
        lines.append(f"{'':19} slow: answered after {answered_s:.0f} s{load_words()}")
    if is_ok and state.reason:
        lines.append(f"{'':19} {state.reason}")
    if state.remedy:
        lines.append(f"{'':19} fix: {state.remedy}")
    return lines


def _absent(states: Sequence[SourceState]) -> list[str]:
    """Return lines about what is not on this host: why vmtop thinks so, what it would show, and what that needs."""
    lines = [""] if states else []
    for state in states:
        lines.append(f"{'absent':<8} {state.name:<10} {state.reason}")
        lines += [f"{'':19} fix: {state.remedy}"] if state.remedy else []
        about = engine_of_source(state.name.partition("@")[0]).about
        for label, words in (("would show", about.shows), ("needs", about.needs)):
            lines += textwrap.wrap(f"{label}: {words}", _WIDTH, **_INDENTS) if words else []
    return lines


def _unreachable(moment: Moment) -> list[str]:
    """Return lines about workloads that are seen, and about which no engine can be asked, by the reason."""
    workloads = [reading.workload for reading in moment.readings.values()]
    errors = ((workload.id.engine, owner(workload).unreachable(workload)) for workload in workloads)
    counts = Counter((engine, error.reason, error.remedy) for engine, error in errors if error is not None)
    lines = []
    for (engine, reason, remedy), count in sorted(counts.items()):
        lines.append(f"{'watched':<8} {engine:<10} {count} {'is' if count == 1 else 'are'} only watched: {reason}")
        lines += [f"{'':19} fix: {remedy}"] if remedy else []
    return lines


def _verdict(moment: Moment) -> str:
    if not is_healthy(moment):
        return "Something that is present cannot be read; see above."
    is_partial = any(state.reason for state in moment.sources if state.availability is Availability.OK)
    if is_partial or _unreachable(moment):
        return "All that is present can be read, but not all of it; see above."
    unnamed = Counter(
        reading.workload.id.engine for reading in moment.readings.values() if not reading.workload.name_is_known
    )
    if unnamed:
        counts = ", ".join(f"{count} of {engine}" for engine, count in sorted(unnamed.items()))
        return f"All that is present can be read, except names: {counts} are shown by their ids."
    return "All that is present can be read."
