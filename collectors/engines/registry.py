"""The list of engines, and queries over all of them. Everything that depends on an engine follows from this list.

Imports nothing heavy: the command line is built from it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from collectors.engines.base import Engine
from collectors.engines.cloud_hypervisor.engine import CloudHypervisorEngine
from collectors.engines.containerd.engine import ContainerdEngine
from collectors.engines.demo.engine import DemoEngine
from collectors.engines.docker.engine import DockerEngine
from collectors.engines.firecracker.engine import FirecrackerEngine
from collectors.engines.kubernetes.engine import KubernetesEngine
from collectors.engines.libvirt.engine import LibvirtEngine
from collectors.engines.lima.engine import LimaEngine
from collectors.engines.lxc.engine import LxcEngine
from collectors.engines.lxd.engine import LxdEngine
from collectors.engines.multipass.engine import MultipassEngine
from collectors.engines.nspawn.engine import NspawnEngine
from collectors.engines.options import EngineOption
from collectors.engines.podman.engine import PodmanEngine
from collectors.engines.proxmox.engine import ProxmoxEngine
from collectors.engines.systemd.engine import SystemdEngine
from collectors.engines.virtualbox.engine import VirtualBoxEngine
from collectors.engines.vmm.engine import VmmEngine
from collectors.engines.vmware.engine import VmwareEngine
from collectors.engines.vsphere.engine import VsphereEngine

if TYPE_CHECKING:
    from collectors.model.workloads import Kind, Workload
    from collectors.sampling.source import Source, SourceSpec

ENGINES: list[Engine] = [
    DockerEngine(),
    PodmanEngine(),
    KubernetesEngine(),
    ContainerdEngine(),
    VsphereEngine(),
    LxdEngine(),
    LxcEngine(),
    NspawnEngine(),
    ProxmoxEngine(),
    VirtualBoxEngine(),
    VmwareEngine(),
    FirecrackerEngine(),
    CloudHypervisorEngine(),
    MultipassEngine(),
    LimaEngine(),
    VmmEngine(),
    LibvirtEngine(),
    SystemdEngine(),
    DemoEngine(),
]
"""The first engine that owns a workload handles it: place an engine before those that own a whole kind."""
_WATCHED = Engine()
_KERNEL_KINDS: dict[str, frozenset[str]] = {"host": frozenset(), "cgroup": frozenset({"vm", "container", "service"})}
"""The kernel's sources, and the kinds of workloads that they could list."""
_BPF = EngineOption(
    "--bpf", "has_bpf", "Ask the kernel by a BPF program which control groups need not be read (root, Linux 6.1)."
)


def owner(workload: Workload) -> Engine:
    """Return the engine that handles a workload; without one, an engine that can only be watched."""
    return next((engine for engine in ENGINES if engine.owns(workload)), _WATCHED)


def engine_of_source(name: str) -> Engine:
    """Return the engine that a source reads; for a source of the kernel, an engine that can only be watched."""
    return next((engine for engine in ENGINES if engine.name == name), _WATCHED)


def load_source(name: str) -> Callable[..., Source]:
    """Import the class of a source, by its name in a `SourceSpec`.

    Raises:
        LookupError: No source has that name.
    """
    if name == "host":
        from collectors.kernel.host import HostSource

        return HostSource
    if name == "cgroup":
        from collectors.kernel.cgroup.source import CgroupSource

        return CgroupSource
    return engine_of_source(name).load_source()


def options() -> list[EngineOption]:
    """Return the options of all sources, addresses first; a switch of several engines once."""
    addresses = [engine.address for engine in ENGINES if engine.address is not None]
    return [*addresses, *dict.fromkeys(switch for engine in ENGINES for switch in engine.switches), _BPF]


def specs_from(values: Mapping[str, Any]) -> list[SourceSpec]:
    """Return the sources to run: the kernel's, then those of each engine.

    Args:
        values: The options of the command line, by `EngineOption.parameter`; options that were not given are absent.
    """
    from collectors.sampling.spec import SourceSpec

    for engine in ENGINES:
        values = engine.redirect(values)
    of_cgroups: dict[str, object] = {_BPF.key: True} if values.get(_BPF.parameter) else {}
    kernel = [SourceSpec("host"), SourceSpec("cgroup", of_cgroups)]
    return [*kernel, *(spec for engine in ENGINES for spec in engine.specs(values))]


def could_know(spec: SourceSpec, kind: Kind | None) -> bool:
    """Return whether a source could list workloads of a kind; `None` means any kind."""
    from collectors.sampling.source import REMOTE

    if spec.name == REMOTE:
        return True
    if spec.name in _KERNEL_KINDS:
        return bool(_KERNEL_KINDS[spec.name]) if kind is None else kind in _KERNEL_KINDS[spec.name]
    return engine_of_source(spec.name).could_know(spec, kind)


def unlisted(typed: str) -> Workload | None:
    """Return the workload that a typed name must mean although no source lists it; `None` if there is none."""
    workloads = (engine.unlisted(typed) for engine in ENGINES)
    return next((workload for workload in workloads if workload is not None), None)


def engines_told_by(source: str) -> frozenset[str]:
    """Return the values of `WorkloadId.engine` for which only this source knows that a workload has ended."""
    return engine_of_source(source).engine_names | {source}


def quick_samples() -> frozenset[str]:
    """Return the values of `Sample.source` whose readings follow each other quickly."""
    return frozenset(_KERNEL_KINDS).union(*(engine.quick_samples for engine in ENGINES))


def measured_samples() -> frozenset[str]:
    """Return the values of `Sample.source` of which there are two readings where rates are measured over a span."""
    return quick_samples().union(*(engine.paced_samples for engine in ENGINES))


def libraries() -> list[str]:
    """Return the Python distributions that the engines use."""
    return list(dict.fromkeys(library for engine in ENGINES for library in engine.libraries))


def environment() -> list[str]:
    """Return the environment variables that affect the engines."""
    names: list[str] = []
    for engine in ENGINES:
        names += [engine.address.variable] if engine.address is not None and engine.address.variable else []
        names += engine.environment
    return names


def daemons() -> frozenset[str]:
    """Return the names of the processes that serve all containers of an engine together."""
    return frozenset[str]().union(*(engine.daemons for engine in ENGINES))


def shims() -> tuple[str, ...]:
    """Return the prefixes of the names of processes that serve one container each."""
    return tuple(shim for engine in ENGINES for shim in engine.shims)
