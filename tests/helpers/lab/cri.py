"""A containerd of the test run's own, driven through its CRI as a kubelet drives it.

It has folders of its own, and its /run and /var/log are private: `view` runs a program that sees them as it does.
"""

import io
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.helpers.lab.docker_engine import busybox_archive
from tests.helpers.lab.process import (
    CGROUPS,
    Daemon,
    LabUnavailable,
    cgroup_parents,
    find_program,
    in_private_mounts,
    made_anew,
    require_root,
)
from tests.helpers.lab.process import listens as _listens
from tests.helpers.patience import EXTERNAL_S

PAUSE, BUSYBOX = "registry.k8s.io/pause:3.6", "docker.io/library/busybox:lab"
_CNI = "/usr/lib/cni"
_CONFIG = """
version = 2
root = "{folder}/root"
state = "{folder}/state"
disabled_plugins = ["io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.btrfs",
    "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = "{folder}/containerd.sock"
[ttrpc]
  address = "{folder}/containerd.sock.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "registry.k8s.io/pause:3.6"
  disable_tcp_service = true
  stream_server_address = "127.0.0.1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{cni}"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
"""


@dataclass
class Pod:
    """A pod as it was started."""

    namespace: str
    name: str
    uid: str
    cgroup: str
    """Its folder's path below the root of each hierarchy."""
    sandbox: str = ""
    containers: dict[str, str] = field(default_factory=dict)
    """Ids by name."""


class CriLab:
    """A containerd with a pause image and a busybox, and the pods that were started on it."""

    def __init__(self, folder: Path, daemon: Daemon) -> None:
        import grpc
        from cri_api.v1 import api_pb2, api_pb2_grpc

        self.folder, self.daemon, self.messages = folder, daemon, api_pb2
        self.socket = folder / "containerd.sock"
        self._channel = grpc.insecure_channel(f"unix://{self.socket}")
        self.runtime: Any = api_pb2_grpc.RuntimeServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self.pods: list[Pod] = []
        daemon.wait_until(self._answers, 60, "the first answer of containerd's CRI")
        self.import_images()

    def _answers(self) -> bool:
        import grpc

        try:
            return bool(self.runtime.Version(self.messages.VersionRequest(), timeout=2).runtime_name)
        except grpc.RpcError:
            return False

    def import_images(self) -> None:
        """Give both of containerd's namespaces a busybox, which is the pause image too."""
        for namespace in ("k8s.io", "default"):
            self.ctr(namespace, "images", "import", "--snapshotter", "native", "-", text=_images())

    def ctr(self, namespace: str, *arguments: str, text: bytes | None = None) -> str:
        """Run containerd's own client."""
        argv = [find_program("ctr"), "--address", str(self.socket), "--namespace", namespace, *arguments]
        done = subprocess.run(self.view(argv), input=text, capture_output=True, timeout=EXTERNAL_S)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def view(self, argv: Sequence[str]) -> list[str]:
        """Return the command that runs a program with this containerd's /run and /var/log."""
        return in_private_mounts(mounts(self.folder), argv)

    def start_pod(self, name: str, containers: dict[str, str], namespace: str = "shop", **options: Any) -> Pod:
        """Start a pod as a kubelet does: its cgroup, its folder of logs, its sandbox, then its containers.

        Args:
            name: Its name.
            containers: Shell text by container.
            namespace: Its namespace.
            options: `qos` (`burstable` unless given), `uid`, `is_on_host_network`, `labels`, `cpus`, `memory_mib`,
                `attempt`, `cgroup_parent`.
        """
        api = self.messages
        uid = options.get("uid") or f"{os.getpid():08x}-98b2-4aaa-9a45-{len(self.pods):012x}"
        pod = Pod(namespace, name, uid, f"/kubepods/{options.get('qos', 'burstable')}/pod{uid}")
        parent = options.get("cgroup_parent", pod.cgroup)
        self.pods.append(pod)
        for root in _hierarchies():
            (root / pod.cgroup.lstrip("/")).mkdir(parents=True, exist_ok=True)
        logs = self.folder / "log" / "pods" / f"{namespace}_{name}_{uid}"
        logs.mkdir(parents=True)
        labels = {f"io.kubernetes.pod.{key}": value for key, value in _labels(pod)} | options.get("labels", {})
        is_on_host = options.get("is_on_host_network", False)
        mode = api.NODE if is_on_host else api.POD
        context = api.LinuxSandboxSecurityContext(namespace_options=api.NamespaceOption(network=mode))
        config = api.PodSandboxConfig(
            metadata=api.PodSandboxMetadata(name=name, uid=uid, namespace=namespace),
            hostname="" if is_on_host else name,
            log_directory=f"/var/log/pods/{logs.name}",
            labels=labels,
            linux=api.LinuxPodSandboxConfig(cgroup_parent=parent, security_context=context),
        )
        pod.sandbox = self.runtime.RunPodSandbox(
            api.RunPodSandboxRequest(config=config), timeout=EXTERNAL_S
        ).pod_sandbox_id
        for container, text in containers.items():
            self.start_container(pod, config, container, text, **options)
        return pod

    def start_container(self, pod: Pod, config: Any, name: str, text: str, **options: Any) -> str:
        """Start a container of a pod, with the link to its log that a kubelet makes."""
        api = self.messages
        attempt = options.get("attempt", 0)
        resources = api.LinuxContainerResources(cpu_period=100_000, cpu_shares=102)
        resources.cpu_quota = int(options.get("cpus", 0) * 100_000)
        resources.memory_limit_in_bytes = options.get("memory_mib", 0) << 20
        request = api.CreateContainerRequest(
            pod_sandbox_id=pod.sandbox,
            sandbox_config=config,
            config=api.ContainerConfig(
                metadata=api.ContainerMetadata(name=name, attempt=attempt),
                image=api.ImageSpec(image=BUSYBOX),
                command=["/bin/sh", "-c", text],
                log_path=f"{name}/{attempt}.log",
                labels={**dict(config.labels), "io.kubernetes.container.name": name},
                linux=api.LinuxContainerConfig(resources=resources),
            ),
        )
        folder = self.folder / "log" / "pods" / f"{pod.namespace}_{pod.name}_{pod.uid}" / name
        folder.mkdir(exist_ok=True)
        identity: str = self.runtime.CreateContainer(request, timeout=EXTERNAL_S).container_id
        self.runtime.StartContainer(api.StartContainerRequest(container_id=identity), timeout=EXTERNAL_S)
        link = self.folder / "log" / "containers" / f"{pod.name}_{pod.namespace}_{name}-{identity}.log"
        link.symlink_to(f"/var/log/pods/{folder.parent.name}/{name}/{attempt}.log")
        pod.containers[name] = identity
        return identity

    def log_of(self, pod: Pod, container: str) -> Path:
        """Return the file to which a container's first start writes."""
        return self.folder / "log" / "pods" / f"{pod.namespace}_{pod.name}_{pod.uid}" / container / "0.log"

    def remove_all_pods(self) -> None:
        """Stop and remove every pod, whoever started it."""
        import grpc

        api = self.messages
        sandboxes = self.runtime.ListPodSandbox(api.ListPodSandboxRequest(), timeout=EXTERNAL_S).items
        for sandbox in sandboxes:
            with suppress(grpc.RpcError):
                self.runtime.StopPodSandbox(api.StopPodSandboxRequest(pod_sandbox_id=sandbox.id), timeout=EXTERNAL_S)
                self.runtime.RemovePodSandbox(
                    api.RemovePodSandboxRequest(pod_sandbox_id=sandbox.id), timeout=EXTERNAL_S
                )

    def stop(self) -> None:
        """Remove every pod and container, then end the daemon."""
        import grpc

        try:
            with suppress(grpc.RpcError, AssertionError):
                self.remove_all_pods()
                for identity in self.ctr("default", "tasks", "list", "--quiet").split():
                    self.ctr("default", "tasks", "delete", "--force", identity)
        finally:
            self._channel.close()
            self.daemon.stop()
            _end_shims(self.folder)
            for pod in self.pods:
                _remove_cgroups(pod.cgroup)


@contextmanager
def cri_engine(folder: Path) -> Iterator[CriLab]:
    """Run a containerd with all of its state below a folder."""
    require_root()
    try:
        import cri_api  # noqa: F401
    except ImportError:
        raise LabUnavailable("container-runtime-interface-api is not installed") from None
    made_anew(folder)
    for part in ("cni", "opt", "run", "log/pods", "log/containers"):
        (folder / part).mkdir(parents=True)
    (folder / "cni" / "lab.conflist").write_text(json.dumps(_network()))
    (folder / "config.toml").write_text(_CONFIG.format(folder=folder, cni=_CNI))
    with cgroup_parents("kubepods"), cgroup_parents("default"):
        yield from _running(folder)


def _running(folder: Path) -> Iterator[CriLab]:
    argv = [find_program("containerd"), "--config", f"{folder}/config.toml"]
    daemon = Daemon(in_private_mounts(mounts(folder), argv), folder / "containerd.log")
    with ExitStack() as undo:
        undo.callback(_end_shims, folder)
        undo.callback(daemon.stop)
        daemon.wait_until(lambda: _listens(folder / "containerd.sock"), 60, "containerd's socket")
        lab = CriLab(folder, daemon)
        undo.pop_all()
        try:
            yield lab
        finally:
            lab.stop()


def _network() -> dict[str, Any]:
    """Return the network of pods, with addresses that no other run on this machine uses."""
    subnet = f"10.{64 + os.getpid() // 256 % 16}.{os.getpid() % 256}.0/24"
    ipam = {"type": "host-local", "subnet": subnet, "dataDir": "/run/cni"}
    return {"cniVersion": "0.4.0", "name": "lab", "plugins": [{"type": "ptp", "ipam": ipam}]}


def mounts(folder: Path) -> list[str]:
    """Return the commands that give a program this containerd's /run and /var/log."""
    return [f"mount --bind {folder}/run /run", f"mount --bind {folder}/log /var/log"]


def _labels(pod: Pod) -> list[tuple[str, str]]:
    return [("name", pod.name), ("namespace", pod.namespace), ("uid", pod.uid)]


def _hierarchies() -> list[Path]:
    if (CGROUPS / "cgroup.procs").exists():
        return [CGROUPS]
    return [root for root in CGROUPS.iterdir() if root.is_dir() and not root.is_symlink()]


def _remove_cgroups(path: str) -> None:
    """Remove a pod's cgroups, and the folders above as far as they are empty."""
    for root in _hierarchies():
        for folder, _, _ in os.walk(root / path.lstrip("/"), topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
        for parent in Path(path.lstrip("/")).parents[:-1]:
            with suppress(OSError):
                (root / parent).rmdir()


def _end_shims(folder: Path) -> None:
    """End the shims of a containerd that is gone: they outlive it on purpose."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"containerd-shim" in words[0] and os.fsencode(f"{folder}/containerd.sock") in words:
                    os.kill(int(entry.name), 9)
    time.sleep(0.1)


def _images() -> bytes:
    """Return an archive, as of `docker save`, of one image under both names."""
    layer = busybox_archive()
    import hashlib

    digest = hashlib.sha256(layer).hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 100000 & wait; done"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    name = hashlib.sha256(config).hexdigest() + ".json"
    manifest = [{"Config": name, "RepoTags": [PAUSE, BUSYBOX], "Layers": ["layer.tar"]}]
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for path, content in ((name, config), ("layer.tar", layer), ("manifest.json", json.dumps(manifest).encode())):
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
