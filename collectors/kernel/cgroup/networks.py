"""The network namespaces of groups: which group counts one, and which of its interfaces count."""

from __future__ import annotations

from collections.abc import Iterable

from collectors.kernel.cgroup.processes import one_per_network, pids_below
from collectors.kernel.links import view_of
from collectors.kernel.network_edge import roles


class NetworkClaims:
    """Which group counts a network namespace: the containers of a pod share one, and it counts once."""

    def __init__(self) -> None:
        self._owners: dict[str, tuple[float, str]] = {}

    def claim(self, network: str, began: float, path: str) -> bool:
        """Claim a namespace for a group. The group that began first keeps it: a pod's sandbox."""
        bid = (began, path)
        if bid <= self._owners.get(network, bid):
            self._owners[network] = bid
            return True
        return False

    def owner(self, network: str) -> str | None:
        """Return the path of the group that counts a namespace; `None` if none does."""
        return self._owners.get(network, (0.0, None))[1]

    def release(self, network: str, path: str) -> None:
        """Give a namespace up, when the group has gone."""
        if self._owners.get(network, (0.0, ""))[1] == path:
            del self._owners[network]


def roles_of_process(process: int, directories: Iterable[str], proc: str = "/proc") -> dict[bytes, str] | None:
    """Return the roles of the interfaces of a workload's namespace, as `roles` does.

    Args:
        process: A descriptor of the directory in procfs of the workload's first process.
        directories: The workload's cgroup in each hierarchy; what runs in it in other namespaces is inside.
        proc: Where procfs is.

    Returns:
        `None` without the right to enter the namespace.
    """
    view = view_of(process, one_per_network(proc, pids_below(directories)), host_pid=1)
    return None if view is None else roles(view)
