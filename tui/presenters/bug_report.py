"""What `vmtop doctor --report` writes: all that a report of a fault needs, and no secret.

Workloads are counted, not named, unless names are asked for. What cannot be read is replaced by the reason.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from collectors.analysis.rates import Moment
from collectors.engines.registry import environment
from collectors.json_document import timestamp
from collectors.safety import private_file
from collectors.safety.redact import redact_line, redact_value
from collectors.safety.sanitize import sanitize
from collectors.session.storage import finished_file, write_all
from tui.presenters import doctor
from tui.settings import log_file
from tui.settings.config import Config, ConfigError, config_file, load_config

_LOG_TAIL = 32 * 1024
_LONGEST_LINE = 2000
_LISTENED_TO = (
    "TERM", "COLORTERM", "NO_COLOR", "LANG", "LC_ALL", "PYTHONIOENCODING", "XDG_STATE_HOME", "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR", "TMUX", "STY", "SSH_CONNECTION", "TEXTUAL",
)  # fmt: skip
"""Variables that change what vmtop does, besides those of the engines."""
_ONLY_WHETHER = frozenset({"SSH_CONNECTION", "TMUX", "STY"})
"""Those whose value is nobody's business."""
_SHORTEST_NAME = 3
"""A shorter name of a workload is a part of too many words."""


def write(moment: Moment, has_names: bool, target: Path, is_forced: bool) -> None:
    """Write the report into a new file that only its owner can read.

    Raises:
        SessionError: It cannot be written.
    """
    with finished_file(target, is_forced) as descriptor:
        write_all(descriptor, as_text(moment, has_names).encode("utf-8", "replace"))


def as_text(moment: Moment, has_names: bool) -> str:
    """Return the report. Every line is inert and masked on its way out, wherever it came from."""
    lines = [f"vmtop report of {timestamp(moment.frame.wall)}. Read it before you pass it on."]
    for title, section in (
        ("what vmtop runs on, and its sources", doctor.as_text(moment).splitlines()),
        ("kernel", _kernel()),
        ("cgroup mounts", _cgroup_mounts()),
        ("environment", _environment()),
        ("configuration", _configuration(has_names)),
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
    present = [(name, os.environ[name]) for name in (*_LISTENED_TO, *environment()) if name in os.environ]
    return [f"{name}={'(set)' if name in _ONLY_WHETHER else redact_value(name, value)}" for name, value in present]


def _configuration(has_names: bool) -> list[str]:
    """Tell what was understood of the file, not its text: exceptions from protection are names of workloads."""
    path = config_file()
    try:
        config = load_config()
    except ConfigError as error:
        return [str(error)]
    if not has_names:
        count = f"({len(config.actions.allow_protected)} names)"
        actions = msgspec.structs.replace(config.actions, allow_protected=(count,))
        config = msgspec.structs.replace(config, actions=actions)
    return [f"{path}{'' if path.exists() else ' is not there: all is as by default'}", *_settings(config)]


def _settings(config: Config) -> Iterator[str]:
    for name, value in msgspec.to_builtins(config).items():
        yield f"{name} = {value}"


def _workloads(moment: Moment, has_names: bool) -> list[str]:
    """Count by kind, engine and state; name them only if asked to."""
    all_of_them = [reading.workload for reading in moment.readings.values()]
    counts = Counter((one.kind, one.id.engine, one.state) for one in all_of_them)
    lines = [f"{count:>5}  {kind} by {engine}, {state}" for (kind, engine, state), count in sorted(counts.items())]
    named = sorted(f"       {one.kind} {one.name}  {one.image or ''}".rstrip() for one in all_of_them)
    return [*lines, *(named if has_names else [])] or ["none is in sight"]


def _log(moment: Moment, has_names: bool) -> list[str]:
    path = log_file.FILE.path
    text = "\n".join(line.decode("utf-8", "replace") for line in private_file.tail(path, _LOG_TAIL))
    if not has_names:
        text = _without(text, (reading.workload.name for reading in moment.readings.values()))
    return [str(path), *(text.splitlines() or ["nothing was logged"])]


def _without(text: str, names: Iterable[str]) -> str:
    """Take the names of workloads that are in sight out of a text. Those that are gone are not known any more."""
    long_enough = sorted((name for name in set(names) if len(name) >= _SHORTEST_NAME), key=len, reverse=True)
    if not long_enough:
        return text
    return re.sub(rf"(?<![\w-])(?:{'|'.join(map(re.escape, long_enough))})(?![\w-])", "(a workload)", text)


def _file(path: str) -> list[str]:
    try:
        return Path(path).read_text(errors="replace").splitlines()
    except OSError as error:
        return [f"{path} cannot be read: {error.strerror}"]
