"""The engine of the scenes: it has something to show on every page, and does what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from collectors.engines.access import EngineAccess, ReadFacts
from collectors.engines.connections import EngineConnections
from collectors.model.actions import EngineActions
from collectors.model.details import Column, Fact, Page, RawDescription, Table
from collectors.model.facts import Fact as ClassFact
from collectors.model.limits import EngineLimits
from collectors.model.logs import LogLine
from collectors.model.metrics import Unit
from collectors.model.workloads import Kind, Workload
from tests.helpers.fake_engines import FakeEngine
from tests.helpers.fake_limits import FakeLimits
from tui.configuration.config import Config
from tui.controllers.services import Services

_JSON = """{
  "Id": "5b1d90a3c2f7",
  "Name": "/web-1",
  "State": {
    "Running": true,
    "ExitCode": 0,
    "StartedAt": "2025-06-14T10:03:27Z"
  },
  "Config": {
    "Image": "shop/web:1.8.2",
    "Env": [
      "PORT=8080",
      "DB_PASSWORD=***"
    ]
  }
}"""
_LOGGED = (
    "GET /cart 200 12 ms", "GET /item/2241 200 9 ms", "WARN upstream payments slow, 1.9 s", "POST /pay 200 1911 ms",
    "ERROR GET /cart 502 upstream closed", "GET /cart 200 12 ms", "worker 4 started",
)  # fmt: skip


class SceneLog:
    """A log of an application; nothing is added to it."""

    title = "log"

    def __init__(self) -> None:
        self._lines = [
            LogLine(n, 1_750_000_000.0 + n, "ERROR" in _LOGGED[n % len(_LOGGED)], _LOGGED[n % len(_LOGGED)])
            for n in range(200)
        ]

    def last(self, count: int) -> list[LogLine]:
        return self._lines[-count:]

    def before(self, line: LogLine, count: int) -> list[LogLine]:
        return self._lines[max(0, int(line.position) - count) : int(line.position)]

    def after(self, line: LogLine, count: int) -> list[LogLine]:
        return self._lines[int(line.position) + 1 :][:count]

    def first(self, count: int) -> list[LogLine]:
        return self._lines[:count]

    def until(self, wall: float, count: int) -> list[LogLine]:
        return [line for line in self._lines if line.at is not None and line.at <= wall][-count:]

    def written(self, line: LogLine | None = None) -> Iterator[LogLine]:
        yield from self._lines[0 if line is None else int(line.position) + 1 :]

    def interrupt(self) -> None:
        """Nothing is read for long."""

    def follow(self, line: LogLine | None) -> Iterator[LogLine]:
        return iter(())

    def close(self) -> None:
        pass


class SceneAccess(EngineAccess):
    """Access to workloads that do not exist."""

    def __init__(self) -> None:
        self._engine = FakeEngine()
        self.limits_of_all = FakeLimits()

    def actions(self, workload: Workload) -> EngineActions:
        return self._engine

    def limits(self, workload: Workload) -> EngineLimits:
        return self.limits_of_all

    def details(self) -> Callable[[Workload], list[Table]]:
        return _tables

    def raw_description(self, workload: Workload) -> RawDescription | None:
        return RawDescription("docker inspect", _JSON)

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        yield _facts

    def open_log(self, workload: Workload) -> SceneLog:
        return SceneLog()


class _SceneConnections(EngineConnections):
    """Leads every workload to one access."""

    def __init__(self) -> None:
        super().__init__([])
        self._access = SceneAccess()

    def of(self, workload: Workload) -> EngineAccess:
        return self._access

    def needs_id(self, workload: Workload) -> bool:
        return False


def scene_services() -> Services:
    """Return services of which all that is read on demand is made up."""
    return Services(_SceneConnections(), Config())


def _facts(workload: Workload) -> dict[str, ClassFact]:
    size = ClassFact(float((6 << 30) if workload.kind is Kind.VM else (180 << 20)), "the engine")
    started = ClassFact(11.4 if workload.kind is Kind.VM else 0.6, "a start that was witnessed")
    facts = {"size_bytes": size, "startup_running_seconds": started}
    if workload.kind is Kind.VM:
        facts |= {"isolation": ClassFact("KVM", "the definition"), "system": ClassFact("Debian 13", "guest agent")}
    return facts


def _tables(workload: Workload) -> list[Table]:
    limits = (Fact("CPUs", 2.0), Fact("memory", float(1 << 30), Unit.BYTES), Fact("privileged", False))
    process_columns = (Column("PID"), Column("CPU%", Unit.PERCENT), Column("RSS", Unit.BYTES), Column("COMMAND"))
    return [
        Table(Page.FACTS, "Identity", facts=(Fact("id", workload.id.id), Fact("image", workload.image))),
        Table(Page.FACTS, "Limits", facts=limits),
        Table(Page.FACTS, "Health", note="no health check is defined"),
        Table(Page.DEVICES, "Mounts", (Column("SOURCE"), Column("TARGET")), (("/srv/shop", "/data"),)),
        Table(Page.DEVICES, "Networks", facts=(Fact("shop_default", "172.18.0.4"), Fact("host", None))),
        Table(Page.PROCESSES, "Processes", process_columns, ((4211, 98.2, float(410 << 20), "node server.js"),
                                                             (4260, 0.0, float(12 << 20), "sh -c sleep 60"))),
    ]  # fmt: skip
