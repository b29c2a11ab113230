"""Finds the log of a workload."""

from __future__ import annotations

import os
from pathlib import Path

from collectors.engines.family import Family, family
from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.registry import Reach
from collectors.model.errors import SourceAbsent
from collectors.model.logs import Log
from collectors.model.workloads import Kind, Workload

_QEMU_LOGS = (Path("/var/log/libvirt/qemu"), Path(os.path.expanduser("~")) / ".cache/libvirt/qemu/log")


def open_log(workload: Workload, reach: Reach) -> Log:
    """Open the log of a workload: the engine's for a container, the console's for a domain, the journal for a service.

    Raises:
        SourceError: There is none, or it cannot be read; with what would make one.
    """
    known = family(workload)
    if known is Family.DOCKER:
        from collectors.engines.docker.logs import DockerLog

        return DockerLog(workload, reach)
    if known is Family.LIBVIRT:
        return _console(workload, reach)
    if workload.kind is Kind.SERVICE:
        from collectors.engines.systemd.journal import JournalLog

        return JournalLog(workload.id.id.rpartition("/")[2])
    raise SourceAbsent(f"{workload.id.engine} runs {workload.name}, and vmtop cannot read its logs")


def _console(workload: Workload, reach: Reach) -> Log:
    """Open what a domain's console writes to a file, else what QEMU itself logged."""
    from collectors.engines.libvirt.file_log import FileLog

    if workload.endpoint:
        raise SourceAbsent(f"{workload.name} runs on {workload.endpoint}: its console's log is a file there")
    with reach.libvirt(workload).connection() as connection:
        domain = connection.lookupByUUIDString(workload.id.id)
        root, name = safe_xml(domain.XMLDesc(0)), domain.name()
    for device in ("devices/serial", "devices/console"):
        for found in root.iterfind(device) if root is not None else ():
            log, source = found.find("log"), found.find("source")
            path = log.get("file") if log is not None else None
            if path is None and found.get("type") == "file" and source is not None:
                path = source.get("path")
            if path and os.path.isabs(path):
                return FileLog(path)
    for folder in _QEMU_LOGS:
        if (folder / f"{name}.log").is_file() and "/" not in name:
            return FileLog(str(folder / f"{name}.log"))
    raise SourceAbsent(
        f"{workload.name} has no console that is logged to a file",
        "virsh edit it: <serial type='pty'><log file='/var/log/libvirt/qemu/NAME-serial.log' append='on'/></serial>",
    )
