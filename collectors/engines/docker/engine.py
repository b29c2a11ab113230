"""Docker, here or elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.about import About
from collectors.engines.base import Engine
from collectors.engines.options import EngineOption

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess
    from collectors.model.actions import Request, Verb
    from collectors.model.errors import SourceAbsent
    from collectors.model.workloads import Workload
    from collectors.sampling.source import Source, SourceSpec

SCHEMES = ("unix://", "tcp://", "http://", "https://", "ssh://")
INSECURE = EngineOption("--insecure", "insecure", "Allow an engine over TCP without TLS.")


class DockerEngine(Engine):
    """Containers of Docker engines."""

    name = "docker"
    about = About(
        "Docker",
        "names, images, Compose projects, ports, labels, health, restarts, stopped containers, events",
        "its socket (the group `docker`), or a host that is reached by SSH or TLS",
        "dockerd 20.10 and later",
    )
    engine_names = frozenset({"docker"})
    kinds = frozenset({"container"})
    address = EngineOption(
        "--docker",
        "url",
        "Docker engine, e.g. ssh://user@host; may be repeated.",
        "URL",
        SCHEMES,
        "DOCKER_HOST",
    )
    switches = (INSECURE,)
    environment: tuple[str, ...] = ("DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    libraries: tuple[str, ...] = ("docker",)
    daemons = frozenset({"dockerd", "containerd"})
    shims: tuple[str, ...] = ("containerd-shim", "docker-containe")
    quick_samples = frozenset({"docker-stats"})
    verbs = ("start", "stop", "restart", "pause", "resume", "kill", "remove")
    lacks = "vmtop does not do this to containers"

    def load_source(self) -> Callable[..., Source]:
        from collectors.engines.docker.source import DockerSource

        return DockerSource

    def names(self, spec: SourceSpec) -> Sequence[str] | None:
        from collectors.engines.docker.connection.address import resolve
        from collectors.engines.docker.names import names_at

        options: Any = spec.options
        endpoint = resolve(**options)
        return None if endpoint.socket is None else names_at(endpoint)

    def connect(self, specs: Sequence[SourceSpec]) -> DockerAccess:
        from collectors.engines.docker.access import DockerAccess

        return DockerAccess(specs)

    def forbids(self, verb: Verb, workload: Workload) -> str:
        error = self.unreachable(workload)
        if error is None:
            return super().forbids(verb, workload)
        return f"{error.reason} (fix: {error.remedy})" if error.remedy else error.reason

    def unreachable(self, workload: Workload) -> SourceAbsent | None:
        from collectors.model.errors import SourceAbsent

        if workload.is_listed is False:
            return SourceAbsent("no engine that vmtop asks knows it: another one may run it, or it is not a container")
        return None

    def commands(self, request: Request) -> tuple[str, ...]:
        from collectors.engines.docker.shell_commands import commands

        return commands(request)

    def warnings(self, request: Request) -> list[str]:
        from collectors.engines.docker.shell_commands import warnings

        return warnings(request)
