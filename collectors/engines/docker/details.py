"""What the engine tells of a container: identity, limits, security, health, environment, mounts, networks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.containers import parse_time_ns
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.metrics import Unit
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_environment, redact_text, redact_value, redact_words
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import items, objects, part, positive, whole_number

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

_CHECKS_SHOWN = 3
_TOP_EVERY_S = 10.0
"""A listing by the engine makes an event each time."""


class DockerDetails:
    """Asks the engine about one container, again and again."""

    def __init__(self, access: DockerAccess) -> None:
        self._access = access
        self._top: Table | None = None
        self._top_at = 0.0

    def tables(self, workload: Workload) -> list[Table]:
        """Return all that the engine tells.

        Raises:
            SourceError: It cannot be asked.
        """
        with self._access.daemon(workload).client() as client:
            found: Any = client.inspect_container(workload.id.id)
            if workload.endpoint and workload.state.is_active:
                self._list_processes(client, workload)
        tables = describe(found if isinstance(found, Mapping) else {})
        return tables + ([self._top] if self._top else [])

    def _list_processes(self, client: Any, workload: Workload) -> None:
        """Let a remote engine list the processes: this host's /proc does not have them."""
        if self._top is not None and time.monotonic() - self._top_at < _TOP_EVERY_S:
            return
        self._top_at = time.monotonic()
        answer = client.top(workload.id.id)
        titles = [sanitize(str(title)) for title in answer.get("Titles") or ()]
        rows = tuple(tuple(redact_text(sanitize(str(cell))) for cell in row) for row in answer.get("Processes") or ())
        self._top = Table(Page.PROCESSES, f"{len(rows)} processes", tuple(Column(title) for title in titles), rows)


def describe(found: Mapping[str, Any]) -> list[Table]:
    """Turn an inspection into tables. Every field of it is optional."""
    config, host, state = part(found, "Config"), part(found, "HostConfig"), part(found, "State")
    tables = [
        Table(Page.FACTS, "Container", facts=_identity(found, config, host)),
        Table(Page.FACTS, "Runs", facts=_runs(found, host, state)),
        Table(Page.FACTS, "Limits as configured", facts=_limits(host)),
        Table(Page.FACTS, "Security", facts=_security(config, host)),
        *_health(part(state, "Health")),
        _pairs("Environment", redact_environment(items(config.get("Env")))),
        _pairs("Labels", [(str(k), redact_value(str(k), str(v))) for k, v in sorted(part(config, "Labels").items())]),
        _mounts(found.get("Mounts")),
        _networks(part(found, "NetworkSettings", "Networks")),
    ]
    return [table for table in tables if table.facts or table.rows]


def _identity(found: Mapping[str, Any], config: Mapping[str, Any], host: Mapping[str, Any]) -> tuple[Fact, ...]:
    words = [str(found.get("Path") or ""), *(str(word) for word in items(found.get("Args")))]
    return (
        _fact("id", found.get("Id")),
        _fact("image", config.get("Image")),
        _fact("image id", found.get("Image")),
        _fact("command", " ".join(redact_words(words))),
        _fact("working folder", config.get("WorkingDir")),
        _fact("user", config.get("User") or "root"),
        _fact("runtime", host.get("Runtime")),
        _fact("platform", found.get("Platform")),
        _fact("log driver", part(host, "LogConfig").get("Type")),
    )


def _runs(found: Mapping[str, Any], host: Mapping[str, Any], state: Mapping[str, Any]) -> tuple[Fact, ...]:
    policy = part(host, "RestartPolicy")
    is_over = state.get("Status") in ("exited", "dead")
    return (
        _fact("state", state.get("Status")),
        _fact("created", _time(found.get("Created"))),
        _fact("started", _time(state.get("StartedAt"))),
        _fact("ended", _time(state.get("FinishedAt"))),
        Fact("exit code", whole_number(state.get("ExitCode")) if is_over else None, Unit.COUNT),
        Fact("killed for lack of memory", bool(state.get("OOMKilled"))),
        Fact("restarts", whole_number(found.get("RestartCount")), Unit.COUNT),
        _fact("restart policy", policy.get("Name") or "no"),
        _fact("error", state.get("Error")),
    )


def _limits(host: Mapping[str, Any]) -> tuple[Fact, ...]:
    nano, quota = positive(host.get("NanoCpus")), positive(host.get("CpuQuota"))
    cores = nano / 1e9 if nano else quota / (positive(host.get("CpuPeriod")) or 100_000) if quota else None
    return (
        Fact("CPU quota", cores, Unit.CORES),
        _fact("CPUs allowed", host.get("CpusetCpus")),
        Fact("CPU shares", positive(host.get("CpuShares")), Unit.COUNT),
        Fact("memory", positive(host.get("Memory")), Unit.BYTES),
        Fact("memory and swap", positive(host.get("MemorySwap")), Unit.BYTES),
        Fact("memory reserved", positive(host.get("MemoryReservation")), Unit.BYTES),
        Fact("tasks", positive(host.get("PidsLimit")), Unit.COUNT),
        Fact("I/O weight", positive(host.get("BlkioWeight")), Unit.COUNT),
    )


def _security(config: Mapping[str, Any], host: Mapping[str, Any]) -> tuple[Fact, ...]:
    return (
        Fact("privileged", bool(host.get("Privileged"))),
        _fact("capabilities added", _joined(host.get("CapAdd"))),
        _fact("capabilities dropped", _joined(host.get("CapDrop"))),
        _fact("security options", _joined(host.get("SecurityOpt"))),
        Fact("read-only root", bool(host.get("ReadonlyRootfs"))),
        _fact("network", host.get("NetworkMode")),
        _fact("process ids", host.get("PidMode") or "its own"),
        _fact("IPC", host.get("IpcMode")),
        _fact("user namespace", host.get("UsernsMode") or "as the engine"),
        _fact("host name", config.get("Hostname")),
    )


def _health(health: Mapping[str, Any]) -> list[Table]:
    if not health:
        return []
    facts = [
        _fact("status", health.get("Status")),
        Fact("failures in a row", whole_number(health.get("FailingStreak")), Unit.COUNT),
    ]
    for check in objects(items(health.get("Log"))[-_CHECKS_SHOWN:]):
        said = redact_text(" ".join(str(check.get("Output") or "").split()))
        facts.append(_fact(_time(check.get("Start")) or "check", f"exit {check.get('ExitCode')}  {said}"))
    return [Table(Page.FACTS, "Health check", facts=tuple(facts))]


def _mounts(mounts: object) -> Table:
    rows = tuple(
        (
            _text(one.get("Type")),
            _text(one.get("Source")),
            _text(one.get("Destination")),
            "rw" if one.get("RW") else "ro",
        )
        for one in objects(mounts)
    )
    return Table(Page.DEVICES, "Mounts", (Column("TYPE"), Column("SOURCE"), Column("TARGET"), Column("MODE")), rows)


def _networks(networks: Mapping[str, Any]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, one in sorted(networks.items()):
        if isinstance(one, Mapping):
            addresses = [str(one[key]) for key in ("IPAddress", "GlobalIPv6Address") if one.get(key)]
            rows.append(
                (
                    sanitize(name),
                    sanitize(", ".join(addresses)) or None,
                    _text(one.get("MacAddress")),
                    _text(one.get("Gateway")),
                )
            )
    columns = (Column("NETWORK"), Column("ADDRESS"), Column("MAC"), Column("GATEWAY"))
    return Table(Page.DEVICES, "Networks", columns, tuple(rows))


def _pairs(title: str, pairs: Sequence[tuple[str, str]]) -> Table:
    return Table(Page.FACTS, title, facts=tuple(Fact(sanitize(name), sanitize(value)) for name, value in pairs))


def _fact(label: str, value: object) -> Fact:
    return Fact(sanitize(label), _text(value))


def _text(value: object) -> str | None:
    return sanitize(str(value)) if value not in (None, "") else None


def _time(value: object) -> str | None:
    at_ns = parse_time_ns(value)
    return None if at_ns is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at_ns / 1e9))


def _joined(value: object) -> str:
    return ", ".join(str(one) for one in items(value))
