"""Where the kubelet keeps the log of a container: `/var/log/pods/<namespace>_<pod>_<uid>/<container>`."""

from __future__ import annotations

import os
import re

from collectors.engines.kubernetes.engine import pod_of
from collectors.kernel.oci.kubelet_files import PODS
from collectors.model.errors import AccessDenied, SourceAbsent
from collectors.model.workloads import Workload
from collectors.safety.permissions import as_root

_PLAIN = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
"""A name of Kubernetes: of its own characters none has a meaning in a path."""
_UID = re.compile(r"pod([0-9a-f]{8}[0-9a-f_-]{23,28})")


def log_folder(workload: Workload, pods: str = PODS) -> str:
    """Return the folder of a container's log.

    Raises:
        SourceAbsent: It is not known which container of which pod it is, or its pod has no folder.
        AccessDenied: This user may not look.
    """
    pod = pod_of(workload)
    container = workload.name.rpartition("/")[2]
    if pod is None or not all(map(_PLAIN.fullmatch, (*pod, container))):
        raise SourceAbsent(f"it is not known which pod {workload.name} is in, so its log cannot be found")
    uid = uid_of(workload)
    if uid is not None:
        return f"{pods}/{pod[0]}_{pod[1]}_{uid}/{container}"
    try:
        folders = [name for name in os.listdir(pods) if name.startswith(f"{pod[0]}_{pod[1]}_")]
        if folders:
            newest = max(folders, key=lambda name: os.stat(f"{pods}/{name}").st_mtime_ns)
            return f"{pods}/{newest}/{container}"
    except PermissionError:
        raise AccessDenied(f"no permission to look for the log in {pods}", as_root()) from None
    except OSError as error:
        raise SourceAbsent(f"the log of {workload.name} cannot be found in {pods}: {error.strerror}") from error
    raise SourceAbsent(f"the kubelet keeps no log of {workload.name} in {pods}")


def uid_of(workload: Workload) -> str | None:
    """Return the UID of a workload's pod, by its id, its labels or its cgroup; `None` where none has it."""
    if workload.id.engine == "kubernetes":
        return workload.id.id.partition("/")[0]
    if label := dict(workload.labels).get("io.kubernetes.pod.uid"):
        return label
    found = _UID.search(workload.cgroup or "")
    return found[1].replace("_", "-") if found else None
