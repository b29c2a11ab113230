"""Groups in a folder whose counters have not moved rest, and wake at the next reading after these have moved."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.kernel.cgroup.discovery import Cgroup
from collectors.kernel.cgroup.hierarchy import Hierarchy, Mode
from collectors.kernel.cgroup.quiet_folders import QuietFolder
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.workloads import Sample, State, WorkloadId
from tests.helpers.lab.process import wait_until
from tests.helpers.patience import EXTERNAL_S
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_source import LiveGroups, find, opened, process_cpu_ns

_COUNT = 12
_RESTING = 20
"""Readings after which groups that did nothing rest."""
_FILES = ("cpu", "memory", "written", "waited")


class Folder:
    """A cgroup v2 tree of ordinary files with containers in one folder, which counts what they do."""

    def __init__(self, root: Path) -> None:
        self.root, self.ids = root, [f"{number:064x}" for number in range(1, _COUNT + 1)]
        self.values = {one: Counter(dict.fromkeys(_FILES, number)) for number, one in enumerate(self.ids, 1)}
        write(root, {"cgroup.controllers": "cpu io memory pids"})
        for one in self.ids:
            write(root / "docker" / one, {"cgroup.events": "populated 1\nfrozen 0\n", "cgroup.freeze": "0\n"})
            self.write(one)

    def do(self, one: str, **amounts: int) -> None:
        """Have a container do something."""
        self.values[one].update(amounts)
        self.write(one)

    def write(self, one: str) -> None:
        """Write the files of a container and of the folder."""
        write(self.root / "docker" / one, _files(self.values[one]))
        write(self.root / "docker", _files(sum(self.values.values(), Counter())))


def _files(values: Counter[str], average: str = "0.00") -> dict[str, str]:
    waited = f"some avg10={average} avg60=0.00 avg300=0.00 total={values['waited']}\n"
    return {
        "cpu.stat": f"usage_usec {values['cpu']}\nuser_usec 0\nsystem_usec 0\n",
        "memory.current": f"{values['memory']}\n",
        "memory.stat": "anon 1\ninactive_file 0\n",
        "io.stat": f"8:0 rbytes=0 wbytes={values['written']} rios=0 wios=0\n",
        "cpu.pressure": waited,
        "memory.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "io.pressure": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """The tree, at first without anything that moves."""
    return Folder(tmp_path / "cgroup")


@pytest.fixture
def source(folder: Folder, tmp_path: Path) -> Iterator[CgroupSource]:
    """A source that reads it, and nothing of this host."""
    write(tmp_path / "proc", {"stat": "btime 1700000000\n", "meminfo": ""})
    found = opened(folder.root, proc=str(tmp_path / "proc"))
    yield found
    found.close()


def _sample(source: CgroupSource, one: str) -> Sample:
    return source.read().samples[WorkloadId("docker", one)][0]


def _values(sample: Sample) -> tuple[int | None, ...]:
    cpu, waited = sample.cpu_total_ns, sample.cpu_stall_total_ns
    return (
        None if cpu is None else cpu // 1000,
        sample.memory_charged_bytes,
        sample.disk_write_total_bytes,
        None if waited is None else waited // 1000,
    )


def _reads(monkeypatch: pytest.MonkeyPatch, source: CgroupSource, readings: int) -> Counter[str]:
    """Return how often a file of each name was read in so many readings."""
    counts: Counter[str] = Counter()
    real = os.pread

    def pread(descriptor: int, length: int, offset: int) -> bytes:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        counts["folder" if path.parent.name == "docker" else path.name] += 1
        return real(descriptor, length, offset)

    with monkeypatch.context() as patched:
        patched.setattr(os, "pread", pread)
        for _ in range(readings):
            source.read()
    return counts


def _rest(source: CgroupSource) -> None:
    for _ in range(_RESTING):
        source.read()


def test_of_resting_groups_only_is_read_whether_they_are_paused(
    folder: Folder, source: CgroupSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    _rest(source)
    counts = _reads(monkeypatch, source, 10)
    assert counts.pop("folder") <= 10 * 8
    assert counts["cgroup.freeze"] == 2 * _COUNT
    whole = 13  # files of one group, of which each is read once a minute, whatever the folder tells
    assert counts.total() - counts["cgroup.freeze"] - counts["pids.max"] <= whole * _COUNT


def test_a_folder_that_always_moves_costs_one_read(
    folder: Folder, source: CgroupSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(_RESTING):
        folder.do(folder.ids[0], memory=1)
        source.read()
    reads = 0
    for _ in range(5):
        folder.do(folder.ids[0], memory=1)
        reads += _reads(monkeypatch, source, 1)["folder"]
    assert reads == 5


@pytest.mark.parametrize("what", _FILES)
def test_a_group_that_wakes_is_seen_at_the_next_reading(folder: Folder, source: CgroupSource, what: str) -> None:
    _rest(source)
    woken, other = folder.ids[3], folder.ids[4]
    before = _values(_sample(source, other))
    folder.do(woken, **{what: 7})
    assert _values(_sample(source, woken)) == tuple(folder.values[woken][name] for name in _FILES)
    assert _values(_sample(source, other)) == before


@pytest.mark.parametrize("seed", range(4))
def test_every_value_is_at_every_reading_what_the_file_says(folder: Folder, source: CgroupSource, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  # repeatable, not secret
    for _ in range(150):
        if chance.random() < 0.2:
            what = chance.choice(_FILES)
            amount = -1 if what == "memory" and chance.random() < 0.5 else chance.randint(1, 9)
            folder.do(chance.choice(folder.ids), **{what: amount})
        samples = source.read().samples
        for one in folder.ids:
            expected = tuple(folder.values[one][name] for name in _FILES)
            assert _values(samples[WorkloadId("docker", one)][0]) == expected


def test_a_resting_group_has_a_new_sample_at_every_reading(folder: Folder, source: CgroupSource) -> None:
    _rest(source)
    instants = [_sample(source, folder.ids[0]).at_ns for _ in range(10)]
    assert instants == sorted(set(instants))


def test_fading_averages_of_pressure_wake_nobody(
    folder: Folder, source: CgroupSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    _rest(source)
    reads = 0
    for number in range(5):
        total = sum(folder.values.values(), Counter())
        write(folder.root / "docker", {"cpu.pressure": _files(total, f"0.{number:02}")["cpu.pressure"]})
        reads += _reads(monkeypatch, source, 1)["cpu.stat"]
    assert reads <= _COUNT, "less than one each, by those whose minute is over"


def test_a_resting_group_that_is_paused_is_shown_so_within_five_readings(folder: Folder, source: CgroupSource) -> None:
    _rest(source)
    identity = WorkloadId("docker", folder.ids[2])
    write(folder.root / "docker" / folder.ids[2], {"cgroup.freeze": "1\n"})
    assert State.PAUSED in [source.read().workloads[identity].state for _ in range(5)]


def test_what_no_counter_of_the_folder_tells_is_seen_within_a_minute(folder: Folder, source: CgroupSource) -> None:
    _rest(source)
    one = folder.ids[1]
    write(folder.root / "docker" / one, {"memory.stat": "anon 1\ninactive_file 5\n"})
    assert 5 in [_sample(source, one).memory_inactive_file_bytes for _ in range(60)]


def test_a_new_group_in_a_resting_folder_is_read_at_once(folder: Folder, source: CgroupSource) -> None:
    _rest(source)
    new = "f" * 64
    write(folder.root / "docker" / new, _files(Counter(cpu=5, memory=6)))
    assert _values(_sample(source, new))[:2] == (5, 6)


@pytest.mark.parametrize("missing", ["memory.current", "cpu.stat"])
def test_a_folder_that_does_not_count_all_tells_nothing(folder: Folder, missing: str) -> None:
    (folder.root / "docker" / missing).unlink()
    found = QuietFolder(Hierarchy(Mode.V2, {"unified": str(folder.root)}), "/docker")
    for _ in range(10):
        found.read()
    assert found.is_over
    assert found.unchanged == 0


@pytest.mark.parametrize(("switch", "is_told"), [("0\n", False), ("1\n", True)])
def test_v1_may_leave_the_memory_of_groups_out_of_the_folder(tmp_path: Path, switch: str, is_told: bool) -> None:
    mounts = {name: str(tmp_path / name) for name in ("memory", "cpuacct")}
    write(tmp_path / "memory" / "docker", {"memory.usage_in_bytes": "5\n", "memory.use_hierarchy": switch})
    write(tmp_path / "cpuacct" / "docker", {"cpuacct.usage": "5\n"})
    found = QuietFolder(Hierarchy(Mode.V1, mounts), "/docker")
    for _ in range(5):
        found.read()
    assert (found.unchanged > 0) == is_told
    found.close()


@pytest.fixture
def live() -> Iterator[LiveGroups]:
    """Cgroups on this host, removed afterwards."""
    if os.geteuid() != 0:
        pytest.skip("making cgroups needs root")
    groups = LiveGroups(f"vmtop-quiet-{os.getpid()}")
    try:
        yield groups
    finally:
        groups.close()


def test_a_group_of_this_kernel_rests_and_is_seen_when_it_wakes(
    live: LiveGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{number:032x}{os.getpid():032x}" for number in range(10)]
    path, *_others = [live.make(name) for name in names]
    child = live.run(names[0], "sys.stdin.readline(); sum(range(10**7)); sys.stdin.readline()")
    source = opened()
    monkeypatch.setattr(source, "_with_machines", _only(source, path.rpartition("/")[0]))
    wait_until(lambda: _state(child.pid) == "S", EXTERNAL_S, "the program waits")
    begun, before = process_cpu_ns(child.pid), find(source.read(), path)
    _rest(source)
    reads = _reads(monkeypatch, source, 10)
    resting = find(source.read(), path)
    assert child.stdin is not None
    child.stdin.write(b"\n")
    child.stdin.flush()
    wait_until(
        lambda: process_cpu_ns(child.pid) > begun + 20_000_000 and _state(child.pid) == "S", EXTERNAL_S, "it has worked"
    )
    woken = find(source.read(), path)
    source.close()
    assert before is not None
    assert resting is not None
    assert woken is not None
    told = [cpu for _, samples in (before, resting, woken) if (cpu := samples[0].cpu_total_ns) is not None]
    assert told[0] <= told[1] < told[2]
    most = 2 * 10 + len(names)
    assert reads["cpu.stat"] + reads["cpuacct.usage"] <= most, "of the folder, and once a minute of each"


def _only(source: CgroupSource, folder: str) -> Callable[[dict[str, Cgroup]], tuple[dict[str, Cgroup], set[str]]]:
    """Return what leaves out the groups that others have on this host."""
    return lambda cgroups: ({path: one for path, one in cgroups.items() if path.startswith(f"{folder}/")}, set())


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
