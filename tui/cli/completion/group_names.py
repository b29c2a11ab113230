"""The names of running workloads, as far as the kernel knows them, without any counter: for completion."""

from __future__ import annotations

from collections.abc import Iterator

from collectors.kernel.cgroup.discovery import SERVICE_ENGINE, Cgroup
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode, detect
from collectors.kernel.cgroup.identity import identify, is_machine
from collectors.kernel.cgroup.open_files import find_directories
from collectors.kernel.cgroup.tree import Tree
from collectors.kernel.container_names import Names
from collectors.kernel.vmm.machines import Machines
from collectors.model.workloads import Kind
from collectors.safety.sanitize import sanitize


def names_of_groups(
    root: str = "/sys/fs/cgroup", proc: str = "/proc", sys: str = "/sys", names: Names | None = None
) -> Iterator[tuple[Kind, str]]:
    """Yield kind and sanitized name of each workload with a cgroup that has a name; the same one may come twice.

    Containers inside another container have none here.
    """
    hierarchy = detect(root, proc)
    if hierarchy.mode is Mode.NONE:
        return
    tree = Tree(hierarchy.walked, proc)
    tree.update()
    machines = Machines(hierarchy, proc, sys)
    try:
        machines.follow(tree.cgroups, frozenset)
        groups = [*tree.cgroups.values(), *machines.adopted.values()]
    finally:
        machines.close()
    names = names or Names()
    names.refresh()
    for group in groups:
        if group.workload is not None and not group.is_nested:
            found = _name(group, hierarchy, proc, names)
            if found:
                yield group.workload.kind, found


def _name(group: Cgroup, hierarchy: Hierarchy, proc: str, names: Names) -> str:
    """Return the name; empty where there is none."""
    workload = group.workload
    if workload is None:
        return ""
    if workload.engine == SERVICE_ENGINE:
        return sanitize(workload.id.rpartition("/")[2].removesuffix(".service"))
    directories = find_directories(hierarchy, group.path).all
    if group.is_payload and not is_machine(proc, directories):
        return ""
    found = identify(group, directories, proc, None, names)
    return found.name if found.name_is_known else ""
