"""Details of a container from its engine: identity, limits, security, health, environment, mounts, networks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from collectors.engines.docker.containers import parse_time_ns, runtime_of
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.logs import clean
from collectors.model.metrics import Unit
from collectors.model.workloads import Workload
from collectors.safety.redact import redact_environment, redact_text, redact_value, redact_words
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import items, objects, part, positive, whole_number

if TYPE_CHECKING:
    from collectors.engines.docker.access import DockerAccess

_CHECKS_SHOWN = 3
_TOP_EVERY_S = 10.0
"""Seconds between process lists of a remote engine: each request creates an event there."""


class DockerDetails:
    """Queries the engine about one container, repeatedly."""

    def __init__(self, access: DockerAccess) -> None:
        self._access = access
        self._top: Table | None = None
        self._top_at = 0.0

    def tables(self, workload: Workload) -> list[Table]:
        """Return the tables with everything that the engine reports.

        Raises:
            SourceError: The engine cannot be queried.
        """
        with self._access.daemon(workload).client() as client:
            inspection: Any = client.inspect_container(workload.id.id)
            if workload.endpoint and workload.state.is_active:
                self._list_processes(client, workload)
        tables = describe(inspection if isinstance(inspection, Mapping) else {})
        return tables + ([self._top] if self._top else [])

    def _list_processes(self, client: Any, workload: Workload) -> None:
        """Have a remote engine list the processes: they are not in this host's /proc."""
        if self._top is not None and time.monotonic() - self._top_at < _TOP_EVERY_S:
            return
        self._top_at = time.monotonic()
        answer = client.top(workload.id.id)
        titles = [sanitize(str(title)) for title in answer.get("Titles") or ()]
        rows = tuple(tuple(redact_text(sanitize(str(cell))) for cell in row) for row in answer.get("Processes") or ())
        self._top = Table(Page.PROCESSES, f"{len(rows)} processes", tuple(Column(title) for title in titles), rows)


def describe(inspection: Mapping[str, Any]) -> list[Table]:
    """Return the tables of an inspection, all of whose fields are optional."""
    config, host, state = part(inspection, "Config"), part(inspection, "HostConfig"), part(inspection, "State")
    tables = [
        Table(Page.FACTS, "Container", facts=_identity(inspection, config, host)),
        Table(Page.FACTS, "Runs", facts=_runs(inspection, host, state)),
        Table(Page.FACTS, "Limits as configured", facts=_limits(host)),
        Table(Page.FACTS, "Security", facts=_security(config, host)),
        *_health(part(state, "Health")),
        _pairs("Environment", redact_environment(items(config.get("Env")))),
        _pairs("Labels", [(str(k), redact_value(str(k), str(v))) for k, v in sorted(part(config, "Labels").items())]),
        _mounts(inspection.get("Mounts")),
        _networks(part(inspection, "NetworkSettings", "Networks")),
    ]
    return [table for table in tables if table.facts or table.rows]


def _identity(inspection: Mapping[str, Any], config: Mapping[str, Any], host: Mapping[str, Any]) -> tuple[Fact, ...]:
    words = [str(inspection.get("Path") or ""), *(str(word) for word in items(inspection.get("Args")))]
    return (
        _fact("id", inspection.get("Id")),
        _fact("image", config.get("Image")),
        _fact("image id", inspection.get("Image")),
        _fact("command", " ".join(redact_words(words))),
        _fact("working directory", config.get("WorkingDir")),
        _fact("user", config.get("User") or "root"),
        _fact("runtime", runtime_of(inspection)),
        _fact("platform", inspection.get("Platform")),
        _fact("log driver", part(host, "LogConfig").get("Type")),
    )


def _runs(inspection: Mapping[str, Any], host: Mapping[str, Any], state: Mapping[str, Any]) -> tuple[Fact, ...]:
    policy = part(host, "RestartPolicy")
    is_over = state.get("Status") in ("exited", "dead")
    return (
        _fact("state", state.get("Status")),
        _fact("created", _time(inspection.get("Created"))),
        _fact("started", _time(state.get("StartedAt"))),
        _fact("ended", _time(state.get("FinishedAt"))),
        Fact("exit code", whole_number(state.get("ExitCode")) if is_over else None, Unit.COUNT),
        Fact("OOM killed", bool(state.get("OOMKilled"))),
        Fact("restarts", whole_number(inspection.get("RestartCount")), Unit.COUNT),
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
    if not health.get("Status"):
        return []
    facts = [
        _fact("status", health.get("Status")),
        Fact("failures in a row", whole_number(health.get("FailingStreak")), Unit.COUNT),
    ]
    for check in objects(items(health.get("Log"))[-_CHECKS_SHOWN:]):
        output = redact_text(clean(" ".join(str(check.get("Output") or "").split()))[0])
        facts.append(_fact(_time(check.get("Start")) or "check", f"exit {check.get('ExitCode')}  {output}"))
    return [Table(Page.FACTS, "Health check", facts=tuple(facts))]


def _mounts(mounts: object) -> Table:
    rows = tuple(
        (
            _text(mount.get("Type")),
            _text(mount.get("Source")),
            _text(mount.get("Destination")),
            "rw" if mount.get("RW") else "ro",
        )
        for mount in objects(mounts)
    )
    return Table(Page.DEVICES, "Mounts", (Column("TYPE"), Column("SOURCE"), Column("TARGET"), Column("MODE")), rows)


def _networks(networks: Mapping[str, Any]) -> Table:
    rows: list[tuple[Value, ...]] = []
    for name, network in sorted(networks.items()):
        if isinstance(network, Mapping):
            addresses = [str(network[key]) for key in ("IPAddress", "GlobalIPv6Address") if network.get(key)]
            rows.append(
                (
                    sanitize(name),
                    sanitize(", ".join(addresses)) or None,
                    _text(network.get("MacAddress")),
                    _text(network.get("Gateway")),
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
    return ", ".join(str(item) for item in items(value))
