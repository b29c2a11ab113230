"""What depends on a workload beyond what its engine knows: the login session, and file systems mounted on this host."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from pathlib import Path

from collectors.actions.nested_workloads import network_users
from collectors.actions.own_groups import own_and_ancestors
from collectors.kernel.carried import carried_by
from collectors.kernel.dependence import Mount, Served, Session, mounts, served_by, session
from collectors.model.actions import Dependents, Observed
from collectors.model.workloads import Kind, Workload
from collectors.safety.sanitize import sanitize


def own_session(proc: Path) -> Session:
    """Return where the login session of this process comes from."""
    return session(proc, own_and_ancestors(proc))


class DependentsFinder:
    """Finds out before an action who would lose what. Each call reads procfs; it belongs on a background thread.

    Args:
        proc: Where procfs is mounted.
        find_session: Returns where the login session comes from.
    """

    def __init__(self, proc: Path = Path("/proc"), find_session: Callable[[Path], Session] = own_session) -> None:
        self._proc = proc
        self._find_session = find_session

    @cached_property
    def _session(self) -> Session:
        return self._find_session(self._proc)

    def find(self, workload: Workload, seen: Observed | None, workloads: Iterable[Workload] = ()) -> Dependents:
        """Return what depends on a workload; of a remote one, with processes of another kernel, who uses its network.

        Args:
            workload: The workload to act on.
            seen: What its engine reports.
            workloads: All current workloads.
        """
        workloads = list(workloads)
        users = network_users(workload, workloads)
        if not workload.is_here:
            return Dependents(network_users=users)
        mounted = mounts(self._proc)
        addresses = seen.addresses if seen is not None else frozenset()
        has_own_group = workload.cgroup not in (None, "", "/")
        served = served_by(workload.cgroup or "", self._proc, mounted) if has_own_group else Served()
        points = (*served.mounts, *_served_from(addresses, mounted))
        interfaces = served.interfaces & self._session.interfaces
        is_service = workload.kind is Kind.SERVICE and has_own_group
        carried = carried_by(workload, workloads, str(self._proc)) if is_service else []
        why_session = self._why_session(interfaces, addresses)
        return Dependents(why_session, tuple(dict.fromkeys(points)), users, tuple(carried))

    def _why_session(self, interfaces: frozenset[str], addresses: frozenset[str]) -> str:
        if interfaces:
            return f"this login session comes through its interface {sanitize(min(interfaces))}"
        clients = addresses & self._session.clients
        return f"this login session comes from its address {sanitize(min(clients))}" if clients else ""


def _served_from(addresses: frozenset[str], mounted: tuple[Mount, ...]) -> list[str]:
    return [sanitize(mount.point) for mount in mounted if mount.server and mount.server in addresses]
