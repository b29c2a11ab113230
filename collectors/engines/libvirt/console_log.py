"""Finds the log file of a domain's console."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from collectors.engines.file_log import FileLog
from collectors.engines.libvirt.domains import safe_xml
from collectors.model.errors import SourceAbsent
from collectors.model.logs import Log
from collectors.model.workloads import Workload

if TYPE_CHECKING:
    from collectors.engines.libvirt.access import LibvirtAccess

_QEMU_LOGS = (Path("/var/log/libvirt/qemu"), Path(os.path.expanduser("~")) / ".cache/libvirt/qemu/log")


def open_console_log(workload: Workload, access: LibvirtAccess) -> Log:
    """Open the file that a domain's console is logged to, else QEMU's own log.

    Raises:
        SourceError: There is neither, or it cannot be read; with the remedy.
    """
    if workload.endpoint:
        raise SourceAbsent(f"{workload.name} runs on {workload.endpoint}: its console log is a file there")
    with access.daemon(workload).connection() as connection:
        domain = connection.lookupByUUIDString(workload.id.id)
        root, name = safe_xml(domain.XMLDesc(0)), domain.name()
    for device in ("devices/serial", "devices/console"):
        for element in root.iterfind(device) if root is not None else ():
            log, source = element.find("log"), element.find("source")
            path = log.get("file") if log is not None else None
            if path is None and element.get("type") == "file" and source is not None:
                path = source.get("path")
            if path and os.path.isabs(path):
                return FileLog(path)
    for folder in _QEMU_LOGS:
        if (folder / f"{name}.log").is_file() and "/" not in name:
            return FileLog(str(folder / f"{name}.log"))
    raise SourceAbsent(
        f"{workload.name} has no console logged to a file",
        "virsh edit: add <serial type='pty'><log file='/var/log/libvirt/qemu/NAME-serial.log' append='on'/></serial>",
    )
