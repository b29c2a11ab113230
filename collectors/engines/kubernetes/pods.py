"""The kubelet's answer to `/pods` as workloads. Pure; every field may be missing or of another type.

It is a `v1.PodList` of the Kubernetes API: for each container its spec, and its status with the current state, the last
one, and how often it was started again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, State, Unmeasured, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from collectors.safety.untrusted import count, objects, part, text, whole_number

_ID = re.compile(r"(containerd|cri-o|docker)://([0-9a-f]{64})")
_STATUSES = (
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)
_BACK_OFF = "CrashLoopBackOff"
_LABELS_AT_MOST = 64
_ADDRESSES_AT_MOST = 8
_PORTS_AT_MOST = 32
_LONGEST_REASON = 128


NOT_RUNNING = tuple(Unmeasured(topic, Cause.WAITING) for topic in Topic)


class PodContainer(NamedTuple):
    """One container of the answer, in its pod."""

    pod: Mapping[str, Any]
    spec: Mapping[str, Any]
    status: Mapping[str, Any]
    is_initial: bool
    """Whether it runs before the others and is meant to end."""


def containers(answer: object) -> Iterator[PodContainer]:
    """Yield the containers that have a status."""
    for pod in objects(part(answer).get("items")):
        for specs_key, statuses_key in _STATUSES:
            specs = {text(spec.get("name")): spec for spec in objects(part(pod, "spec").get(specs_key))}
            for status in objects(part(pod, "status").get(statuses_key)):
                spec = specs.get(text(status.get("name")), {})
                yield PodContainer(pod, spec, status, specs_key == "initContainers")


def to_workload(one: PodContainer) -> Workload | None:
    """Describe a container; `None` for one without a name, and for one that has done what it was to do first."""
    metadata, state = part(one.pod, "metadata"), part(one.status, "state")
    namespace, pod, uid = (text(metadata.get(key)) for key in ("namespace", "name", "uid"))
    name = text(one.status.get("name"))
    ended = part(state, "terminated")
    if not (namespace and pod and uid and name) or (
        one.is_initial and ended and not whole_number(ended.get("exitCode"))
    ):
        return None
    found = _state(one, state)
    return Workload(
        id=identity(one.status, uid),
        kind=Kind.CONTAINER,
        name=sanitize_name(f"{pod}/{name}"),
        state=found,
        image=sanitize(_image(one)) or None,
        project=sanitize_name(f"{namespace}/{pod}"),
        health=_health(one),
        ports=_ports(one.spec) or None,
        addresses=_addresses(one.pod),
        restarts=count(one.status.get("restartCount")),
        started_at=_time(part(state, "running").get("startedAt")),
        exit_code=whole_number(ended.get("exitCode")),
        labels=_labels(metadata, uid, name),
        is_listed=True,
        state_reason=_reason(one.status, state),
        unmeasured=NOT_RUNNING if found in (State.RESTARTING, State.STARTING) else (),
    )


def identity(status: Mapping[str, Any], uid: str) -> WorkloadId:
    """Return the runtime's id of a running container; of one that does not run, the pod's UID and its name.

    While a container is started again and again it has no id of its own that stays.
    """
    match = _ID.fullmatch(text(status.get("containerID")))
    if match is not None and part(status, "state", "running"):
        return WorkloadId(match[1], match[2])
    return WorkloadId("kubernetes", sanitize(f"{uid}/{text(status.get('name'))}"))


def _state(one: PodContainer, state: Mapping[str, Any]) -> State:
    """Return the state; one that has just ended and is to be started again is between two starts already."""
    if "running" in state:
        return State.RUNNING
    if "terminated" in state:
        policy, code = part(one.pod, "spec").get("restartPolicy"), part(state, "terminated").get("exitCode")
        is_next = not one.is_initial and (policy == "Always" or (policy == "OnFailure" and code != 0))
        return State.RESTARTING if is_next else State.STOPPED
    if "waiting" in state:
        return State.RESTARTING if part(state, "waiting").get("reason") == _BACK_OFF else State.STARTING
    return State.UNKNOWN


def _reason(status: Mapping[str, Any], state: Mapping[str, Any]) -> str | None:
    """Return `CrashLoopBackOff, exit code 3` and the like; `None` for a container that runs."""
    if ended := part(state, "terminated"):
        return ending(ended)
    waiting = sanitize(text(part(state, "waiting").get("reason")), _LONGEST_REASON)
    last = ending(part(status, "lastState", "terminated"))
    return ", ".join(filter(None, (waiting, last))) or None


def ending(ended: Mapping[str, Any]) -> str:
    """Return how a container ended: `out of memory`, `exit code 3`; empty without an ending."""
    code = whole_number(ended.get("exitCode"))
    if text(ended.get("reason")) == "OOMKilled":
        return "out of memory"
    return "" if code is None else f"exit code {code}"


def _image(one: PodContainer) -> str:
    """Return the image as it was run; as it was asked for where only its digest is known."""
    image = text(one.status.get("image"))
    return text(one.spec.get("image")) if not image or image.startswith("sha256:") else image


def _health(one: PodContainer) -> str | None:
    """Return what the probes say; `None` without a probe that decides it, and while it does not run."""
    if not part(one.status, "state", "running"):
        return None
    if one.status.get("started") is False:
        return "starting" if "startupProbe" in one.spec else None
    if "readinessProbe" not in one.spec:
        return None
    return "healthy" if one.status.get("ready") is True else "unhealthy"


def _ports(spec: Mapping[str, Any]) -> str:
    published: list[str] = []
    others: list[str] = []
    for port in list(objects(spec.get("ports")))[:_PORTS_AT_MOST]:
        inside = count(port.get("containerPort"))
        if inside is None:
            continue
        inner = f"{inside}/{sanitize(text(port.get('protocol')) or 'tcp', 8).lower()}"
        outside = count(port.get("hostPort"))
        (others if not outside else published).append(
            f"{sanitize(text(port.get('hostIP')), 45) or '*'}:{outside}→{inner}" if outside else inner
        )
    return ", ".join([*published, *others])


def _addresses(pod: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the pod's own addresses; none where it uses the host's."""
    if part(pod, "spec").get("hostNetwork") is True:
        return ()
    status = part(pod, "status")
    listed = [text(entry.get("ip")) for entry in objects(status.get("podIPs"))]
    found = [address for address in listed or [text(status.get("podIP"))] if address]
    return tuple(sanitize(address, 45) for address in sorted(found, key=lambda a: ":" in a))[:_ADDRESSES_AT_MOST]


def _labels(metadata: Mapping[str, Any], uid: str, name: str) -> tuple[tuple[str, str], ...]:
    """Return the labels of the pod, after those that a runtime has of every container of a kubelet."""
    own = {
        "io.kubernetes.container.name": name,
        "io.kubernetes.pod.name": text(metadata.get("name")),
        "io.kubernetes.pod.namespace": text(metadata.get("namespace")),
        "io.kubernetes.pod.uid": uid,
    }
    labels = own | {key: text(value) for key, value in sorted(part(metadata, "labels").items())}
    return tuple((sanitize(key), sanitize(value)) for key, value in list(labels.items())[:_LABELS_AT_MOST])


def _time(stamp: object) -> float | None:
    try:
        moment = datetime.fromisoformat(text(stamp))
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None
