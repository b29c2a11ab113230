"""How to reach the engine of one workload, for what is done on demand: an action, a look closer, its logs, a shell.

Made from the same specs that the sampler reads, and apart from the sampler's connections: a call here may hang or fail
without touching the numbers. All calls block; the caller has a thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from collectors.model import Kind, Workload
from collectors.sampler import SourceSpec
from collectors.sources.base import SourceAbsent, SourceError

if TYPE_CHECKING:
    from docker import APIClient
    from libvirt import virConnect

log = logging.getLogger(__name__)

Owner = TypeVar("Owner")
_SYSTEM_URI = "qemu:///system"
DOCKER_ENGINES = frozenset({"docker", "podman"})


class WorkloadGone(SourceError):
    """The engine answers, and knows no workload of this identity."""


class DockerReach:
    """One engine's API."""

    def __init__(self, url: str | None = None, insecure: bool = False) -> None:
        self._url = url
        self._insecure = insecure
        self._version = ""

    @property
    def url(self) -> str:
        """The engine's address.

        Raises:
            SourceError: It has none, or it may not be used.
        """
        return str(self._resolve().url)

    @property
    def shown(self) -> str:
        """Its host as `Workload.endpoint` has it; empty for a local engine."""
        return str(self._resolve().shown)

    def _resolve(self) -> Any:
        from collectors.sources.docker_endpoint import resolve

        return resolve(self._url, self._insecure)

    @contextmanager
    def client(self, timeout_s: float = 3.0) -> Iterator[APIClient]:
        """Connect with the agreed version; what fails inside becomes a `SourceError`.

        Raises:
            SourceError: The engine cannot be reached or refuses, with the remedy.
            WorkloadGone: What was asked about does not exist.
        """
        from docker.errors import NotFound

        from collectors.sources.docker_endpoint import clamp_version, failures, translate

        endpoint = self._resolve()
        client: APIClient | None = None
        try:
            self._version = self._version or clamp_version(endpoint.ask_version())
            client = endpoint.connect(self._version, timeout_s)
            yield client
        except SourceError:
            raise
        except NotFound as error:
            raise WorkloadGone("the engine does not know it any more") from error
        except failures() as error:
            raise translate(error, endpoint) from error
        finally:
            if client is not None:
                client.close()


class LibvirtReach:
    """One libvirt connection URI."""

    def __init__(self, uri: str | None = None) -> None:
        from collectors.sources.libvirt import DEFAULT_URI, connection_uri

        self.uri = connection_uri(uri or os.environ.get("LIBVIRT_DEFAULT_URI") or DEFAULT_URI)

    @contextmanager
    def connection(self, writable: bool = False) -> Iterator[virConnect]:
        """Connect: read-only, unless something is about to be changed.

        Raises:
            SourceError: libvirt cannot be reached or refuses, with the remedy.
            WorkloadGone: The domain does not exist.
        """
        from collectors.sources.libvirt import INSTALL, translate
        from collectors.sources.libvirt_loop import ensure_event_loop

        try:
            import libvirt
        except ImportError:
            raise SourceAbsent("the libvirt bindings are not installed", INSTALL) from None
        connection: virConnect | None = None
        try:
            ensure_event_loop()
            connection = (libvirt.open if writable else libvirt.openReadOnly)(self.uri)
            yield connection
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                raise WorkloadGone("libvirt does not know it any more") from error
            raise translate(error, self.uri) from error
        finally:
            if connection is not None:
                _close(connection)


class Reach:
    """All engines that this run of vmtop was told of.

    Args:
        specs: The sources that are sampled.
        environ: Where the `docker` and `virsh` of the person look for their engine.
        is_root: Whether the person is: `virsh` then looks for the system's domains, else for the person's own.
    """

    def __init__(
        self, specs: Sequence[SourceSpec], environ: Mapping[str, str] = os.environ, is_root: bool = os.geteuid() == 0
    ) -> None:
        self._is_same_docker = _is_same_docker([_options(spec) for spec in specs if spec.name == "docker"], environ)
        self._is_same_libvirt = _is_same_libvirt(
            [_options(spec) for spec in specs if spec.name == "libvirt"], environ, is_root
        )
        self._docker = [DockerReach(**_options(spec)) for spec in specs if spec.name == "docker"]
        self._is_demo = any(spec.name == "demo" for spec in specs)
        self._libvirt = [LibvirtReach(**_options(spec)) for spec in specs if spec.name == "libvirt"]

    def needs_id(self, workload: Workload) -> bool:
        """Whether a command that a person types could go to another engine, on which the name is somebody else's.

        An id there is no one's. Pure: no engine is asked.
        """
        if self._is_demo:
            return False
        if workload.endpoint or workload.id.engine == "podman":
            return True
        return not (self._is_same_libvirt if workload.kind is Kind.VM else self._is_same_docker)

    def docker(self, workload: Workload) -> DockerReach:
        """Return the engine that runs a container.

        Raises:
            SourceAbsent: No engine that vmtop can speak to runs it.
            SourceError: Several could, and none can be asked.
            WorkloadGone: None of several knows it.
        """
        if workload.id.engine not in DOCKER_ENGINES:
            raise SourceAbsent(f"{workload.name} is run by {workload.id.engine}, which vmtop can only watch")
        return self._owner(self._docker, workload, _docker_knows)

    def libvirt(self, workload: Workload) -> LibvirtReach:
        """Return the connection that has a domain. Raises as `docker` does."""
        if workload.kind is not Kind.VM:
            raise SourceAbsent(f"{workload.name} is no virtual machine")
        return self._owner(self._libvirt, workload, _libvirt_knows)

    def _owner(self, known: list[Owner], workload: Workload, knows: Callable[[Owner, Workload], bool]) -> Owner:
        if self._is_demo:
            raise SourceAbsent("the demo's workloads do not exist: there is nothing more to read")
        if not known:
            raise SourceAbsent(f"no engine that vmtop can speak to runs {workload.name}")
        if len(known) == 1:
            return known[0]
        failure: SourceError = WorkloadGone("no engine knows it any more")
        for one in known:
            try:
                if knows(one, workload):
                    return one
            except SourceError as error:
                failure = error
        raise failure


def _docker_knows(reach: DockerReach, workload: Workload) -> bool:
    try:
        with reach.client() as client:
            client.inspect_container(workload.id.id)
    except WorkloadGone:
        return False
    return True


def _libvirt_knows(reach: LibvirtReach, workload: Workload) -> bool:
    try:
        with reach.connection() as connection:
            connection.lookupByUUIDString(workload.id.id)
    except WorkloadGone:
        return False
    return True


def _is_same_docker(engines: Sequence[Mapping[str, Any]], environ: Mapping[str, str]) -> bool:
    """Whether the docker command finds the one engine that vmtop speaks to. Which context it is in is not looked up."""
    given = [engine.get("url") for engine in engines]
    return len(given) < 2 and all(url is None or url == environ.get("DOCKER_HOST") for url in given)


def _is_same_libvirt(daemons: Sequence[Mapping[str, Any]], environ: Mapping[str, str], is_root: bool) -> bool:
    """Whether virsh finds the one libvirt that vmtop speaks to: its own variable goes before libvirt's (virsh(1))."""
    default = environ.get("LIBVIRT_DEFAULT_URI") or ""
    virsh = environ.get("VIRSH_DEFAULT_CONNECT_URI") or default or (_SYSTEM_URI if is_root else "")
    return len(daemons) < 2 and all((one.get("uri") or default or _SYSTEM_URI) == virsh for one in daemons)


def _close(connection: virConnect) -> None:
    import libvirt

    try:
        connection.close()
    except libvirt.libvirtError as error:
        log.info("closing a libvirt connection: %s", error)  # the daemon may be gone; what was asked has its own answer


def _options(spec: SourceSpec) -> dict[str, Any]:
    return dict(spec.options)
