"""Simulates the demo's workloads: drifting and bursting load, restarts, stops, OOM kills, silence."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from collectors.model.limits import Amount, LimitKey
from collectors.model.workloads import Kind, Sample, State, WorkloadId

_GIB = float(1 << 30)
_VMS = (
    "db-primary",
    "db-replica",
    "win-build",
    "ci-runner",
    "mail",
    "router",
    "legacy-erp",
    "gitlab",
    "vpn",
    "desktop",
)
_PROJECTS = ("shop", "blog", "metrics", "auth", "media")
_PARTS = ("web", "api", "worker", "cache", "db", "queue", "proxy", "cron")
_SERVICES = (
    "sshd.service", "systemd-journald.service", "nginx.service", "postfix.service", "chrony.service",
    "cron.service", "docker.service", "libvirtd.service", "node-exporter.service", "smartd.service",
)  # fmt: skip


@dataclass(slots=True, eq=False)
class DemoWorkload:
    """One simulated workload: its description, its behaviour and its counters so far."""

    id: WorkloadId
    kind: Kind
    name: str
    image: str | None
    project: str | None
    cgroup: str
    cores: float
    """What its quota allows; of a virtual machine, how many virtual CPUs it has."""
    quota: bool
    limit: int | None
    has_network: bool
    appetite: float
    """Mean share of its cores that it uses, 0 to 1."""
    rhythm_s: float
    phase: float
    pids: int
    age_s: float
    ports: str | None = None
    addresses: tuple[str, ...] = ()
    state: State = State.RUNNING
    health: str | None = None
    sample: Sample | None = None
    incarnation: int = 1
    is_silent: bool = False
    exit_code: int | None = None
    """That of its last run; `None` while it runs."""
    was_out_of_memory: bool = False
    """Whether that was why its last run ended."""
    is_removed: bool = False
    limits: dict[LimitKey, Amount | None] = field(default_factory=dict)
    """Limits that were set and that the simulation does not go by."""
    news: list[str] = field(default_factory=list)
    """Events caused by actions and not yet reported."""
    burst_s: float = 0.0
    down_s: float = 0.0
    clock_s: float = 0.0
    memory: float = 0.0
    cache: float = 0.0
    peak: float = 0.0
    cpu_ns: float = 0.0
    stall_ns: float = 0.0
    periods: float = 0.0
    throttled: float = 0.0
    oom_kills: int = 0
    io: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])
    grown_cpu_ns: float = 0.0
    grown_io: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0])

    def live(self, chance: random.Random, elapsed_s: float) -> Iterator[tuple[str, str]]:
        """Advance by `elapsed_s`; yield what happened as (event, detail)."""
        self.clock_s += elapsed_s
        self.grown_cpu_ns, self.grown_io = 0.0, [0.0, 0.0, 0.0, 0.0]
        if self.state is State.STOPPED:
            self.down_s -= elapsed_s
            if self.down_s <= 0 and elapsed_s:
                self.start()
                yield "start", ""
            return
        self.is_silent = chance.random() < 0.02 * elapsed_s if not self.is_silent else chance.random() > 0.2 * elapsed_s
        if self.state is State.RUNNING:
            self._work(chance, elapsed_s)
        yield from self._fate(chance, elapsed_s)

    def start(self) -> None:
        """Begin a new run."""
        self.state = State.RUNNING
        self.incarnation += 1
        self.exit_code = None
        self.age_s = -self.clock_s
        self.cpu_ns = self.stall_ns = self.periods = self.throttled = 0.0
        self.io = [0.0, 0.0, 0.0, 0.0]
        self.memory *= 0.4

    def _work(self, chance: random.Random, elapsed_s: float) -> None:
        self.burst_s = max(0.0, self.burst_s - elapsed_s)
        if chance.random() < 0.01 * elapsed_s:
            self.burst_s = chance.uniform(5, 40)
        wave = 0.6 + 0.4 * math.sin(self.phase + self.clock_s / self.rhythm_s)
        share = self.appetite * wave * chance.uniform(0.75, 1.25) * (4 if self.burst_s else 1)
        share = min(1.0, share)
        self.grown_cpu_ns = share * self.cores * elapsed_s * 1e9
        self.cpu_ns += self.grown_cpu_ns
        pressure = max(0.0, share - 0.6) * chance.uniform(0.1, 0.6)
        self.stall_ns += pressure * elapsed_s * 1e9
        self.periods += elapsed_s * 10
        self.throttled += elapsed_s * 10 * max(0.0, share - 0.85) * 4
        target = (self.limit or 2 * _GIB) * (0.25 + 0.6 * min(1.0, self.appetite * 2 + share * 0.2))
        self.memory += (target - self.memory) * min(1.0, elapsed_s / 300)
        self.cache += (self.memory * 0.3 - self.cache) * min(1.0, elapsed_s / 60)
        self.peak = max(self.peak, self.memory + self.cache)
        for index, scale in enumerate((2e6, 6e6, 3e6, 2e6)):
            self.grown_io[index] = scale * share * self.cores * elapsed_s * chance.expovariate(1.0)
            self.io[index] += self.grown_io[index]

    def _fate(self, chance: random.Random, elapsed_s: float) -> Iterator[tuple[str, str]]:
        draw = chance.random() / elapsed_s if elapsed_s else 1.0
        if self.kind is Kind.CONTAINER and draw < 0.0006:
            self.oom_kills += 1
            self.state, self.exit_code, self.down_s = State.STOPPED, 137, 4.0
            self.was_out_of_memory = True
            yield "oom", "OOM killed"
        elif self.kind is Kind.CONTAINER and draw < 0.0015:
            self.state, self.exit_code, self.down_s = State.STOPPED, 1, chance.uniform(2, 20)
            self.was_out_of_memory = False
            yield "die", "exit code 1"
        elif self.kind is Kind.VM and draw < 0.0008:
            self.state = State.PAUSED if self.state is State.RUNNING else State.RUNNING
            yield ("pause" if self.state is State.PAUSED else "resume"), ""


def make_fleet(chance: random.Random, count: int, cores: int) -> list[DemoWorkload]:
    """Return `count` workloads that fit on `cores`: a fifth VMs, a fifth services, the rest containers."""
    fleet: list[DemoWorkload] = []
    for index in range(count):
        kind = (Kind.VM, Kind.CONTAINER, Kind.CONTAINER, Kind.SERVICE, Kind.CONTAINER)[index % 5]
        fleet.append(_make(chance, kind, index // 5 if kind is not Kind.CONTAINER else index))
    hunger = sum(life.appetite * life.cores for life in fleet)
    for life in fleet:
        life.appetite = min(0.9, life.appetite * min(4.0, 0.45 * cores / hunger))
    return fleet


_PORTS = {
    "web": "*:{0}443→8443/tcp, *:{0}080→8080/tcp",
    "api": "127.0.0.1:{0}081→8080/tcp",
    "db": "5432/tcp",
    "cache": "6379/tcp",
    "proxy": "*:443→443/tcp, *:80→80/tcp, *:443→443/udp, 127.0.0.1:9000-9003→9000-9003/tcp",
}
"""By the part that a container plays; `{0}` is different in each project."""


def _numbered(names: tuple[str, ...], index: int, mark: str = "-") -> str:
    repetition, name_index = divmod(index, len(names))
    return names[name_index] if not repetition else f"{names[name_index]}{mark}{repetition + 1}"


def _make(chance: random.Random, kind: Kind, index: int) -> DemoWorkload:
    appetite = min(0.9, chance.paretovariate(1.6) * 0.05)
    rhythm_s, phase = chance.uniform(8, 60), chance.uniform(0, 6)
    if kind is Kind.VM:
        cores = chance.choice((1, 2, 2, 4, 4, 8))
        identity = WorkloadId("qemu", f"{chance.getrandbits(128):032x}")
        life = DemoWorkload(
            identity,
            kind,
            _numbered(_VMS, index),
            "Debian 13",
            None,
            f"/machine.slice/{index}.scope",
            cores,
            False,
            cores * (1 << 30),
            True,
            pids=cores + 6,
            age_s=chance.uniform(1e4, 4e6),
            appetite=appetite,
            rhythm_s=rhythm_s,
            phase=phase,
            addresses=(f"192.168.122.{10 + index % 240}",),
        )
    elif kind is Kind.CONTAINER:
        project = _PROJECTS[index % len(_PROJECTS)]
        name = f"{project}-{_numbered(_PARTS, index // len(_PROJECTS))}-1"
        identity = WorkloadId("docker", f"{chance.getrandbits(256):064x}")
        life = DemoWorkload(
            identity,
            kind,
            name,
            f"{project}/{name}:1.{index % 9}",
            project,
            f"/system.slice/docker-{identity.id}.scope",
            chance.choice((1, 1, 2)),
            chance.random() < 0.5,
            chance.choice((256, 512, 1024)) << 20,
            chance.random() < 0.9,
            pids=chance.randint(1, 60),
            age_s=chance.uniform(10, 1e6),
            health=chance.choice((None, "healthy", "healthy", "unhealthy")),
            appetite=appetite,
            rhythm_s=rhythm_s,
            phase=phase,
            ports=ports.format(1 + index % len(_PROJECTS)) if (ports := _PORTS.get(name.split("-")[1])) else None,
            addresses=(f"172.{18 + index % len(_PROJECTS)}.0.{2 + index // len(_PROJECTS) % 250}",),
        )
    else:
        name = _numbered(_SERVICES, index, "@")
        life = DemoWorkload(
            WorkloadId("systemd", f"/system.slice/{name}"),
            kind,
            name,
            None,
            "system.slice",
            f"/system.slice/{name}",
            1,
            False,
            None,
            False,
            pids=chance.randint(1, 12),
            age_s=4e6,
            appetite=appetite,
            rhythm_s=rhythm_s,
            phase=phase,
        )
        life.appetite *= 0.2
    life.memory = (life.limit or 300 << 20) * chance.uniform(0.2, 0.7)
    return life
