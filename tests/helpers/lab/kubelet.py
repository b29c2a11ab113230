"""A real kubelet on the lab's containerd, with static pods; built by `.ci/build-kubelet` from Debian's source."""

import json
import os
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT
from tests.helpers.lab.cri import BUSYBOX, CriLab, mounts
from tests.helpers.lab.process import CGROUPS, Daemon, LabUnavailable, in_private_mounts, made_anew

KUBELET = Path(os.environ.get("VMTOP_KUBELET", ROOT / ".venv" / "lab-kubelet" / "kubelet"))
PORT, READ_ONLY_PORT, HEALTH_PORT = 20250, 20255, 20248
_SYSCTLS = (
    "vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)  # fmt: skip
"""What a kubelet writes to the machine: it gets copies."""
_CONFIG = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "cgroupDriver": "cgroupfs",
    "failSwapOn": False,
    "address": "127.0.0.1",
    "port": PORT,
    "readOnlyPort": READ_ONLY_PORT,
    "healthzPort": HEALTH_PORT,
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "enforceNodeAllocatable": [],
    "makeIPTablesUtilChains": False,
    "imageGCHighThresholdPercent": 100,
    "evictionHard": {"memory.available": "50Mi"},
    "fileCheckFrequency": "2s",
    "cpuManagerPolicy": "none",
    "featureGates": {"DevicePlugins": False},  # their socket would be in /var/lib/kubelet, whatever the root is
}


class KubeletLab:
    """A kubelet that runs the static pods of a folder."""

    def __init__(self, cri: CriLab, daemon: Daemon, manifests: Path) -> None:
        self.cri, self.daemon, self._manifests = cri, daemon, manifests
        self.url = f"http://127.0.0.1:{READ_ONLY_PORT}"

    def add(self, name: str, containers: Mapping[str, str], namespace: str = "shop", **spec: Any) -> None:
        """Write the manifest of a static pod.

        Args:
            name: Its name.
            containers: Shell text by container.
            namespace: Its namespace.
            spec: More of the pod's `spec`; `resources` has those of each container.
        """
        resources = spec.pop("resources", {})
        listed = [
            {
                "name": container,
                "image": BUSYBOX,
                "imagePullPolicy": "Never",
                "command": ["/bin/sh", "-c", text],
                "resources": resources,
            }
            for container, text in containers.items()
        ]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
            "spec": {"terminationGracePeriodSeconds": 1, "containers": listed, **spec},
        }
        (self._manifests / f"{namespace}-{name}.json").write_text(json.dumps(pod))

    def ask(self, path: str) -> Any:
        """Return what the kubelet's read-only port answers."""
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:  # noqa: S310  # a literal http://
            return json.load(answer)

    def statuses(self) -> dict[str, dict[str, Any]]:
        """Return the status of each container, by `pod/container`."""
        return {
            f"{pod['metadata']['name']}/{status['name']}": status
            for pod in self.ask("/pods").get("items") or ()
            for status in pod["status"].get("containerStatuses", ())
        }


@contextmanager
def kubelet(cri: CriLab, folder: Path, node: str = "lab-node") -> Iterator[KubeletLab]:
    """Run a kubelet with all of its state below a folder."""
    if not KUBELET.exists():
        raise LabUnavailable(f"there is no kubelet at {KUBELET}: .ci/build-kubelet builds one")
    made_anew(folder)
    for part in ("manifests", "root", "sysctl"):
        (folder / part).mkdir()
    places = {"staticPodPath": f"{folder}/manifests", "volumePluginDir": f"{folder}/plugins"}
    (folder / "config.yaml").write_text(json.dumps({**_CONFIG, **places}))
    argv = [
        *(str(KUBELET), "--config", f"{folder}/config.yaml", "--root-dir", f"{folder}/root"),
        *("--container-runtime=remote", f"--container-runtime-endpoint=unix://{cri.socket}"),
        *(f"--cert-dir={folder}/pki", f"--hostname-override={node}", f"--cni-conf-dir={cri.folder}/cni", "--v=1"),
    ]
    daemon = Daemon(in_private_mounts([*mounts(cri.folder), *_sysctl_mounts(folder)], argv), folder / "kubelet.log")
    lab = KubeletLab(cri, daemon, folder / "manifests")
    try:
        daemon.wait_until(lambda: _answers(lab), 120, "the kubelet's first answer")
        yield lab
    finally:
        daemon.stop()
        cri.remove_all_pods()
        _remove_cgroups()


def _answers(lab: KubeletLab) -> bool:
    try:
        return "items" in lab.ask("/pods")
    except OSError:
        return False


def _sysctl_mounts(folder: Path) -> list[str]:
    commands = []
    for name in _SYSCTLS:
        copy = folder / "sysctl" / name.replace("/", "_")
        copy.write_text(Path("/proc/sys", name).read_text())
        commands.append(f"mount --bind {copy} /proc/sys/{name}")
    return commands


def _remove_cgroups() -> None:
    """Remove the folders of the kubelet's pods, as far as they are empty."""
    for root in CGROUPS.glob("**/kubepods"):
        for folder, _, _ in os.walk(root, topdown=False):
            try:
                Path(folder).rmdir()
            except OSError:
                continue
