"""Limits of an engine of the test's own, for faults that cannot be had on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from collectors.actions.limits.setter import Setter
from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.model.limits import Amount, Lasts, Limit, LimitError, LimitKey, Setting, Way
from collectors.model.workloads import Event, Kind, State, Workload, WorkloadId
from tests.helpers.fake_engines import FakeEngine


@dataclass
class FakeLimits:
    """Keeps amounts in a dictionary, unless a test hangs something into `on_read` or `on_send`."""

    values: dict[LimitKey, Amount | None] = field(
        default_factory=lambda: {LimitKey.MEMORY: 512 << 20, LimitKey.CPU: None, LimitKey.PIDS: 100}
    )
    keeps: str = ""
    settles_s: float = 0.0
    sent: list[tuple[LimitKey, Amount | None]] = field(default_factory=list)
    on_read: Callable[[], None] = lambda: None
    on_send: Callable[[LimitKey], None] = lambda _: None
    takes: Callable[[Amount | None], Amount | None] = lambda amount: amount
    unreadable: set[LimitKey] = field(default_factory=set)
    swap: int = 0
    """What goes with an amount, as swap does with memory."""

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        self.on_read()
        return {
            key: Limit(key, None, is_measured=False) if key in self.unreadable else Limit(key, value)
            for key, value in self.values.items()
        }

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        if amount == 13:
            raise LimitError("13 brings bad luck")
        return Setting({"amount": amount, "swap": self.swap}, amount)

    def back(self, workload: Workload, limit: Limit) -> Setting:
        return Setting({"amount": limit.value}, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        self.on_send(key)
        self.sent.append((key, setting.amount))
        self.values[key] = self.takes(setting.amount)

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        return (f"fake {key} {setting.amount}",)

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        return Lasts.ALWAYS if way.is_kept else Lasts.RUN

    def cannot_keep(self, workload: Workload) -> str:
        return self.keeps


WEB = Workload(WorkloadId("docker", "ab" * 32), Kind.CONTAINER, "web", State.RUNNING)


class Scene:
    """A setter on a fake engine, with its log and what it told."""

    def __init__(self, workload: Workload = WEB, limits: FakeLimits | None = None) -> None:
        self.workload = workload
        self.limits = limits or FakeLimits()
        self.engine = FakeEngine()
        self.log = ActionLog()
        self.events: list[Event] = []
        self.runner = Runner(lambda _: self.engine, self.log, "tester", self.events.append)
        looker = Looker(self.runner, Protection())
        self.setter = Setter(self.runner, looker, lambda _: self.limits)
