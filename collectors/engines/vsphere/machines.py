"""Finds one machine or host of a server, and reads its properties."""

from __future__ import annotations

from typing import Any

from collectors.engines.vsphere.client import Session
from collectors.engines.vsphere.inventory import Found
from collectors.model.errors import WorkloadGone
from collectors.model.workloads import Workload


def find(session: Session, workload: Workload) -> Any:
    """Return the reference of a machine or host.

    Raises:
        WorkloadGone: The server does not know it.
    """
    from pyVmomi import vim

    server, separator, key = workload.id.id.partition("/")
    if separator:
        if server != session.address.shown:
            raise WorkloadGone("another server has it")
        kind = vim.HostSystem if workload.kind == "host" else vim.VirtualMachine
        return kind(key, session.stub)
    index = session.content.searchIndex
    for is_instance in (True, False):
        found = index.FindByUuid(None, workload.id.id, True, is_instance)
        if found is not None:
            return found
    raise WorkloadGone("vSphere no longer has it")


def read(session: Session, reference: Any, paths: tuple[str, ...]) -> Found:
    """Return properties of one object, in one request. What it does not have is absent."""
    from pyVmomi import vmodl

    collector = vmodl.query.PropertyCollector
    specification = collector.FilterSpec(
        objectSet=[collector.ObjectSpec(obj=reference, skip=False)],
        propSet=[collector.PropertySpec(type=type(reference), pathSet=list(paths), all=False)],
    )
    answer = session.content.propertyCollector.RetrievePropertiesEx([specification], collector.RetrieveOptions())
    if answer is None or not answer.objects:
        raise WorkloadGone("vSphere no longer has it")
    return Found(reference, {change.name: change.val for change in answer.objects[0].propSet})
