"""Why a workload has no project, no ports, no address: the sentence for each `-` in a column of facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import Kind, State, Workload

_UNNAMED = "no engine that knows it can be read (see !)"


def why_no_fact(fact: str, workload: Workload) -> str:
    """Return why a fact of a workload is not known, as a sentence without capital and full stop.

    Args:
        fact: `project`, `ports`, `ip`, `image`, `restarts`, `exit`, `health`, or any other.
        workload: The workload that lacks it.
    """
    if not workload.name_is_known and fact != "exit":
        return _UNNAMED
    reason = _REASONS.get(fact)
    return "its engine does not report it" if reason is None else reason(workload)


def _by_kind(machine: str, container: str, service: str) -> Callable[[Workload], str]:
    sentences: Mapping[Kind, str] = {Kind.VM: machine, Kind.CONTAINER: container, Kind.SERVICE: service}
    return lambda workload: sentences.get(workload.kind, "it is the host")


def _network(workload: Workload) -> str | None:
    """Return why a container has no network of its own; `None` if it has one, as far as is known."""
    causes = {note.cause: note.detail for note in workload.unmeasured if note.topic == Topic.NETWORK}
    if Cause.HOST_NETWORK in causes:
        return "it uses the host's network: its ports and addresses are those of the host"
    if Cause.SHARED_NETWORK in causes:
        return f"it uses the network of another container, {causes[Cause.SHARED_NETWORK][:12]}"
    return "it has no network" if Cause.NO_NETWORK in causes else None


def _ports(workload: Workload) -> str:
    if workload.kind is not Kind.CONTAINER:
        return _by_kind(
            "which ports a machine opens is known only inside it", "", "the sockets of services are not read"
        )(workload)
    return _network(workload) or "it publishes no port" + (
        "" if workload.state.is_active else ", or none while at rest"
    )


def _addresses(workload: Workload) -> str:
    if not workload.state.is_active:
        return "it does not run"
    if workload.kind is Kind.VM and workload.endpoint:
        return "only the host of a machine knows its addresses"
    if workload.kind is Kind.VM:
        return "this host's kernel has not met it on a network: no packets were exchanged, or a bridge passes them on"
    return _by_kind("", _network(workload) or "its engine lists no address", "a service has the host's addresses")(
        workload
    )


def _restarts(workload: Workload) -> str:
    if workload.kind is Kind.SERVICE:
        return "systemd has not answered about it yet, or does not count them"
    if workload.kind is Kind.VM:
        return "libvirt does not count restarts"
    return "its engine is asked only about containers that run"


def _exit(workload: Workload) -> str:
    if workload.kind is Kind.VM:
        return "a machine has no exit code"
    if workload.state is State.CREATED:
        return "it was never started"
    return "it is running" if workload.state.is_active else "its engine does not report it"


_REASONS: dict[str, Callable[[Workload], str]] = {
    "project": _by_kind(
        "machines belong to no project", "it belongs to no compose project and no pod", "it is in no slice"
    ),
    "ports": _ports,
    "ip": _addresses,
    "image": _by_kind("it has no title", "its engine does not report it", "a service has no image"),
    "restarts": _restarts,
    "exit": _exit,
    "health": lambda _: "it has no health check",
}
