"""What `vmtop doctor --report` writes: all that a bug report needs, without secrets.

Workloads are counted, not named, unless names are asked for. What cannot be read is replaced by the reason.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from collectors.analysis.rates import Moment
from collectors.engines.registry import environment
from collectors.json_document import timestamp
from collectors.safety import private_file
from collectors.safety.redact import redact_line, redact_value
from collectors.safety.sanitize import sanitize
from collectors.session.storage import finished_file, write_all
from tui.presenters.reports import doctor
from tui.presenters.reports.doctor import Checkup
from tui.settings import log_file

_LOG_TAIL = 32 * 1024
_LONGEST_LINE = 2000
_VARIABLES = (
    "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "PYTHONIOENCODING", "XDG_STATE_HOME", "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR", "TMUX", "STY", "SSH_CONNECTION", "TEXTUAL",
)  # fmt: skip
"""Variables that change what vmtop does, in addition to those of the engines."""
_ONLY_PRESENCE = frozenset({"SSH_CONNECTION", "TMUX", "STY"})
"""Variables reported as set, without their value: it is private."""
_SHORTEST_NAME = 3
"""Shorter names of workloads are not masked: they are part of too many words."""


def write(checked: Checkup, configuration: Sequence[str], has_names: bool, target: Path, is_forced: bool) -> None:
    """Write the report into a new file that only its owner can read; the other arguments are those of `as_text`.

    Raises:
        SessionError: It cannot be written.
    """
    with finished_file(target, is_forced) as descriptor:
        write_all(descriptor, as_text(checked, configuration, has_names).encode("utf-8", "replace"))


def as_text(checked: Checkup, configuration: Sequence[str], has_names: bool) -> str:
    """Return the report. Every line is inert and masked on its way out, wherever it came from.

    Args:
        checked: What was checked.
        configuration: What the configuration says, without names of workloads unless they are asked for.
        has_names: Name the workloads.
    """
    moment = checked.moment
    lines = [f"vmtop report of {timestamp(moment.frame.wall)}. Read it before you pass it on."]
    for title, section in (
        ("what vmtop runs on, and its sources", doctor.as_text(checked).splitlines()),
        ("kernel", _kernel()),
        ("cgroup mounts", _cgroup_mounts()),
        ("environment", _environment()),
        ("configuration", configuration),
        ("workloads", _workloads(moment, has_names)),
        ("end of the log", _log(moment, has_names)),
    ):
        lines += ["", f"## {title}", *section]
    return "".join(f"{redact_line(sanitize(line.expandtabs(), _LONGEST_LINE))}\n" for line in lines)


def _kernel() -> list[str]:
    return [*_file("/proc/version"), *_file("/proc/cgroups")]


def _cgroup_mounts() -> list[str]:
    return [line for line in _file("/proc/self/mountinfo") if " - cgroup" in line] or ["there are none"]


def _environment() -> list[str]:
    variables = [(name, os.environ[name]) for name in (*_VARIABLES, *environment()) if name in os.environ]
    return [f"{name}={'(set)' if name in _ONLY_PRESENCE else redact_value(name, value)}" for name, value in variables]


def _workloads(moment: Moment, has_names: bool) -> list[str]:
    """Count by kind, engine and state; name them only if asked to."""
    workloads = [reading.workload for reading in moment.readings.values()]
    counts = Counter((workload.kind, workload.id.engine, workload.state) for workload in workloads)
    lines = [f"{count:>5}  {kind} by {engine}, {state}" for (kind, engine, state), count in sorted(counts.items())]
    name_lines = sorted(
        f"       {workload.kind} {workload.name}  {workload.image or ''}".rstrip() for workload in workloads
    )
    return [*lines, *(name_lines if has_names else [])] or ["none"]


def _log(moment: Moment, has_names: bool) -> list[str]:
    path = log_file.FILE.path
    text = "\n".join(line.decode("utf-8", "replace") for line in private_file.tail(path, _LOG_TAIL))
    if not has_names:
        text = _mask_names(text, (reading.workload.name for reading in moment.readings.values()))
    return [str(path), *(text.splitlines() or ["nothing was logged"])]


def _mask_names(text: str, names: Iterable[str]) -> str:
    """Mask the names of the current workloads in a text. Names of workloads that are gone are unknown."""
    maskable_names = sorted((name for name in set(names) if len(name) >= _SHORTEST_NAME), key=len, reverse=True)
    if not maskable_names:
        return text
    return re.sub(rf"(?<![\w-])(?:{'|'.join(map(re.escape, maskable_names))})(?![\w-])", "(a workload)", text)


def _file(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        return [f"{path} cannot be read: {error.strerror}"]
