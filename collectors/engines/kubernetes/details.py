"""The details of a container in a pod, from the kubelet's `/pods`; without it, what its files and its cgroup say."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from collectors.engines.access import plain_details
from collectors.engines.kubernetes import kubelet_api
from collectors.engines.kubernetes.log_folder import uid_of
from collectors.engines.kubernetes.pods import PodContainer, containers, ending
from collectors.model.details import Column, Fact, Page, RawDescription, Table, Value
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_json, redact_value
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import count, objects, part, text

_PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
_LONGEST = 256
_COPY = "kubectl.kubernetes.io/last-applied-configuration"


class PodDetails:
    """Asks the kubelet about one container."""

    def __init__(self, url: str | None) -> None:
        self._url = url

    def tables(self, workload: Workload) -> list[Table]:
        """Return the tables about a container. Raises `SourceError` when the kubelet does not answer."""
        one = self._find(workload)
        return without_api(workload) if one is None else describe(one)

    def raw(self, workload: Workload) -> RawDescription | None:
        """Return the pod as the kubelet has it, with secrets masked; `None` where the kubelet may not be asked."""
        one = self._find(workload)
        if one is None:
            return None
        return RawDescription("pod, as the kubelet has it", json.dumps(redact_json(_without_copy(one.pod)), indent=2))

    def _find(self, workload: Workload) -> PodContainer | None:
        kubelet = kubelet_api.find(self._url)
        if kubelet is None:
            return None
        uid, name = uid_of(workload), workload.name.rpartition("/")[2]
        for one in containers(kubelet.get("/pods")):
            if part(one.pod, "metadata").get("uid") == uid and one.status.get("name") == name:
                return one
        raise SourceError(f"the kubelet has no container {name} in the pod of {workload.name}")


def _without_copy(pod: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out the annotation in which kubectl keeps the whole pod as one text, in which no secret could be found."""
    metadata = dict(part(pod, "metadata"))
    annotations = {key: value for key, value in part(metadata, "annotations").items() if key != _COPY}
    return {**pod, "metadata": {**metadata, "annotations": annotations}}


def describe(one: PodContainer) -> list[Table]:
    """Return the tables of a container's status and spec, all of whose fields are optional."""
    labels = sorted(part(one.pod, "metadata", "labels").items())
    tables = [
        Table(Page.FACTS, "Pod", facts=_pod(one.pod)),
        Table(Page.FACTS, "Container", facts=_container(one)),
        Table(Page.FACTS, "Requests and limits", facts=_resources(one.spec)),
        Table(Page.FACTS, "Probes", facts=tuple(_fact(probe, _probe(part(one.spec, probe))) for probe in _PROBES)),
        Table(Page.FACTS, "Conditions of the pod", _CONDITIONS, _conditions(one.pod)),
        Table(Page.FACTS, "Labels", facts=tuple(_fact(key, redact_value(key, str(value))) for key, value in labels)),
    ]
    shown = (_with_known_facts(table) for table in tables)
    return [table for table in shown if table.facts or table.rows]


_CONDITIONS = (Column("condition"), Column("is"), Column("why"))


def _with_known_facts(table: Table) -> Table:
    known = tuple(fact for fact in table.facts if fact.value not in (None, ""))
    return Table(table.page, table.title, table.columns, table.rows, known, table.note)


def _pod(pod: Mapping[str, Any]) -> tuple[Fact, ...]:
    metadata, spec, status = part(pod, "metadata"), part(pod, "spec"), part(pod, "status")
    owners = [
        f"{text(owner.get('kind'))} {text(owner.get('name'))}" for owner in objects(metadata.get("ownerReferences"))
    ]
    source = text(part(metadata, "annotations").get("kubernetes.io/config.source"))
    return (
        _fact("namespace", metadata.get("namespace")),
        _fact("name", metadata.get("name")),
        _fact("uid", metadata.get("uid")),
        _fact("made by", ", ".join(owners) or ("a file of this host (static pod)" if source == "file" else "")),
        _fact("phase", status.get("phase")),
        _fact("QoS class", status.get("qosClass")),
        _fact("node", spec.get("nodeName")),
        _fact("address", status.get("podIP")),
        _fact("network", "the host's" if spec.get("hostNetwork") is True else ""),
        _fact("started", status.get("startTime")),
        _fact("restart policy", spec.get("restartPolicy")),
        _fact("service account", spec.get("serviceAccountName")),
        _fact("priority class", spec.get("priorityClassName")),
        _fact("runtime class", spec.get("runtimeClassName")),
    )


def _container(one: PodContainer) -> tuple[Fact, ...]:
    status = one.status
    state = part(status, "state")
    return (
        _fact("image", one.spec.get("image")),
        _fact("image id", status.get("imageID")),
        _fact("id", status.get("containerID")),
        _fact("state", next(iter(state), None)),
        _fact("why", part(state, "waiting").get("reason")),
        _fact("message", part(state, "waiting").get("message")),
        _fact("ready", status.get("ready") if isinstance(status.get("ready"), bool) else None),
        Fact("restarts", count(status.get("restartCount"))),
        _fact("last ending", _last_ending(part(status, "lastState", "terminated"))),
    )


def _last_ending(ended: Mapping[str, Any]) -> str:
    when = text(ended.get("finishedAt"))
    return ", ".join(filter(None, (ending(ended), text(ended.get("reason")), when and f"at {when}")))


def _resources(spec: Mapping[str, Any]) -> tuple[Fact, ...]:
    resources = part(spec, "resources")
    return tuple(
        _fact(f"{name} {word}", amount)
        for key, word in (("requests", "requested"), ("limits", "limit"))
        for name, amount in sorted(part(resources, key).items())
    )


def _probe(probe: Mapping[str, Any]) -> str:
    """Return a probe in words, without the command of one that runs one: it may hold secrets."""
    if not probe:
        return ""
    http, tcp = part(probe, "httpGet"), part(probe, "tcpSocket")
    if http:
        what = f"GET {http.get('path', '/')} at port {http.get('port')}"
    elif tcp:
        what = f"connects to port {tcp.get('port')}"
    else:
        what = "asks by gRPC" if "grpc" in probe else "runs a command"
    return f"{what} every {count(probe.get('periodSeconds')) or 10} s"


def _conditions(pod: Mapping[str, Any]) -> tuple[tuple[Value, ...], ...]:
    return tuple(
        (
            sanitize(text(one.get("type")), _LONGEST),
            sanitize(text(one.get("status")), _LONGEST),
            sanitize(text(one.get("message")) or text(one.get("reason")), _LONGEST),
        )
        for one in objects(part(pod, "status").get("conditions"))
    )


def without_api(workload: Workload) -> list[Table]:
    """Return what is known of a container without the kubelet's API."""
    tables = plain_details(workload)
    facts = (*tables[0].facts, Fact("pod's uid", uid_of(workload)), Fact("QoS class", qos_class(workload.cgroup or "")))
    known = tuple(fact for fact in facts if fact.value is not None)
    note = "The kubelet's API has requests, limits, probes and conditions; this user may not ask it."
    return [Table(Page.FACTS, tables[0].title, facts=known, note=note), *tables[1:]]


def qos_class(cgroup: str) -> str | None:
    """Return the QoS class of a pod by the path of its cgroup; `None` for a path that is no pod's."""
    if "kubepods" not in cgroup:
        return None
    return "Burstable" if "burstable" in cgroup else "BestEffort" if "besteffort" in cgroup else "Guaranteed"


def _fact(label: str, value: object) -> Fact:
    shown = value if isinstance(value, bool) or value is None else sanitize(str(value), _LONGEST)
    return Fact(sanitize(label, _LONGEST), shown)
