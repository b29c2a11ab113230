"""Podman: root's, this user's, and for root every user's."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.docker.engine import INSECURE, SCHEMES, DockerEngine
from collectors.engines.options import EngineOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collectors.engines.podman.access import PodmanAccess
    from collectors.model.errors import SourceAbsent
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec

OF_USER = re.compile(r"/user-(\d+)\.slice/")
"""The user in the path of a control group."""


class PodmanEngine(DockerEngine):
    """Containers and pods of Podman, here or elsewhere."""

    name = "podman"
    about = About(
        "Podman",
        "names, images, pods, labels, health, restarts, stopped containers, events, of root and of every user",
        "its socket (`podman.socket`) for anything but names; as root, those of all users",
        "Podman 4.3.1 with runc, as root and rootless, running all the time and on demand",
    )
    engine_names = frozenset({"podman"})
    sources = frozenset({"docker"})
    address = EngineOption(
        "--podman",
        "url",
        "Podman engine, e.g. unix:///run/podman/podman.sock; may be repeated.",
        "URL",
        SCHEMES,
        "CONTAINER_HOST",
    )
    switches = (INSECURE,)
    environment = ()
    daemons = frozenset({"podman"})
    shims = ("conmon",)

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.podman.source import PodmanSource

        return PodmanSource

    def names(self, spec: SourceSpec) -> Sequence[str] | None:
        from collectors.engines.docker.names import names_at
        from collectors.engines.podman.address import resolve

        options: Any = spec.options
        endpoint = resolve(**options)
        return None if endpoint.socket is None else names_at(endpoint, self.name)

    def specs(self, values: Mapping[str, Any]) -> list[SourceSpec]:
        """Return the engines that are named, or one for each socket on this host that no address of Docker leads to."""
        from collectors.engines.podman.sockets import identity_of, sockets, user_of
        from collectors.sampling.source import SourceSpec

        found = [] if values.get("podman") or os.environ.get("CONTAINER_HOST") else sockets(os.environ, os.geteuid())
        if not found:
            return super().specs(values)
        taken = {identity_of(path) for path in _dockers(values.get("docker") or (None,))}
        specs = []
        for path in found:
            if identity_of(path) not in taken:
                user = user_of(path)
                label = f"{self.name}@{user}" if user is not None and len(found) > 1 else self.name
                specs.append(SourceSpec(self.name, {"url": f"unix://{path}"}, label))
        return specs

    def connect(self, specs: Sequence[SourceSpec]) -> PodmanAccess:
        from collectors.engines.podman.access import PodmanAccess

        return PodmanAccess(specs)

    def unreachable(self, workload: Workload) -> SourceAbsent | None:
        from collectors.model.errors import SourceAbsent

        if workload.is_listed:
            return None
        return SourceAbsent("vmtop can only watch Podman's containers without its socket", _way_to(workload))


def _dockers(addresses: Sequence[str | None]) -> list[str]:
    """Return the paths of the local sockets that Docker's addresses lead to; `None` is the one without an option."""
    named = [address or os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock" for address in addresses]
    return [address.removeprefix("unix://") for address in named if address.startswith("unix://")]


def _way_to(workload: Workload) -> str:
    """Return what gives vmtop the socket of the Podman that runs a container: root's, or that of the slice's user."""
    user = OF_USER.search(workload.cgroup or "")
    manager = f"systemctl --user -M {user[1]}@" if user is not None and user[1] != "0" else "sudo systemctl"
    return f"{manager} enable --now podman.socket, then start vmtop again"
