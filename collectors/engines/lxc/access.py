"""Access to single containers of LXC."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

from collectors.engines.access import EngineAccess
from collectors.engines.lxc.containers import Container, container_of, owner_of, parse_config, read_config
from collectors.model.actions import EngineActions
from collectors.model.console import Console, RunningCommand
from collectors.model.details import Fact, Page, RawDescription, Table
from collectors.model.errors import SourceAbsent
from collectors.model.limits import EngineLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_text, redact_value
from collectors.safety.sanitize import sanitize

_SHELL = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; else exec sh; fi")
"""Runs bash if the container has it. A constant: it never contains a name or label."""
_ATTACH = ("--clear-env", "--set-var=PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
_CONSOLE_FILE, _LOG_FILE = "lxc.console.logfile", "lxc.log.file"
_SYSTEM_LOGS = "/var/log/lxc"


class LxcAccess(EngineAccess):
    """Everything that can be done with a container on demand."""

    def needs_id(self, workload: Workload, environ: Mapping[str, str], is_root: bool) -> bool:
        return False  # the commands name its folder

    def actions(self, workload: Workload) -> EngineActions:
        from collectors.engines.lxc.actions import LxcActions

        return LxcActions()

    def limits(self, workload: Workload) -> EngineLimits:
        from collectors.engines.lxc.limits import LxcLimits

        return LxcLimits()

    def details(self) -> Callable[[Workload], list[Table]]:
        return tables

    def raw_description(self, workload: Workload) -> RawDescription:
        container = container_of(workload)
        text = "\n".join(map(redact_text, read_config(container).splitlines()))
        return RawDescription(sanitize(container.config), text)

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.file_log import FileLog

        container = container_of(workload)
        path = find_log(container, dict(parse_config(read_config(container))))
        if path is None:
            raise SourceAbsent(
                f"{workload.name} has no log: its configuration names no file for its console",
                f"add to {sanitize(container.config)}: {_CONSOLE_FILE} = {_SYSTEM_LOGS}/{workload.name}-console.log",
            )
        return FileLog(path)

    def open_console(self, workload: Workload, command: Sequence[str] = ()) -> Console:
        from collectors.engines.child_process import ChildConsole
        from collectors.engines.lxc.programs import environment, words_for

        container = container_of(workload)
        program = "command" if command else "shell"
        words = [*words_for("lxc-attach", container), *_ATTACH, "--set-var=TERM=xterm-256color", "--"]
        title = f"a {program} in container {workload.name}"
        return ChildConsole(title, program, [*words, *(command or _SHELL)], environment(owner_of(container)))

    def run_command(self, workload: Workload, command: Sequence[str]) -> RunningCommand:
        from collectors.engines.child_process import ChildCommand
        from collectors.engines.lxc.programs import environment, words_for

        container = container_of(workload)
        words = [*words_for("lxc-attach", container), *_ATTACH, "--"]
        return ChildCommand([*words, *command], environment(owner_of(container)))


def find_log(container: Container, config: Mapping[str, str], system_logs: str = _SYSTEM_LOGS) -> str | None:
    """Return the file of a container's console, or else LXC's own log of it; `None` if there is none.

    One with text in it is preferred.

    A user's configuration could name any file of the system: only one of the container's owner is taken.
    """
    owner = owner_of(container)
    empty = None
    for path in (config.get(_CONSOLE_FILE), config.get(_LOG_FILE), f"{system_logs}/{container.name}.log"):
        if path is None or not os.path.isabs(path):
            continue
        try:
            status = os.lstat(path)
        except OSError:
            continue
        if status.st_uid == owner and status.st_size > 0:
            return path
        empty = empty or (path if status.st_uid == owner else None)
    return empty


def tables(workload: Workload) -> list[Table]:
    """Return what the configuration of a container says.

    Raises:
        SourceError: It cannot be read.
    """
    container = container_of(workload)
    settings = parse_config(read_config(container))
    facts = (
        Fact("name", sanitize(container.name)),
        Fact("folder", sanitize(f"{container.folder}/{container.name}")),
        Fact("user", str(owner_of(container))),
        Fact("starts with the host", dict(settings).get("lxc.start.auto") == "1"),
    )
    rows = tuple(Fact(sanitize(key), sanitize(redact_value(key, value))) for key, value in settings)
    return [Table(Page.FACTS, "Container", facts=facts), Table(Page.FACTS, "Configuration", facts=rows)]
