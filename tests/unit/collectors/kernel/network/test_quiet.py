"""A table of another namespace is left out only while the host shows that it stands still: against tables of files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.cgroup import parsers
from collectors.kernel.network.quiet import REST_AT_MOST, HostEnds, NetworkRest

HEADINGS = "Inter-|\n face |\n"


def line(name: str, rx: tuple[int, int] = (0, 0), tx: tuple[int, int] = (0, 0), drops: int = 0) -> str:
    """Return the line of an interface that received and sent so many bytes and packets."""
    return f"{name}: {rx[0]} {rx[1]} 0 {drops} 0 0 0 0 {tx[0]} {tx[1]} 0 0 0 0 0 0\n"


class Pair:
    """A container's `eth0`, whose other end on the host is `veth1`, and what is told of its table."""

    def __init__(self, folder: Path, has_pair: bool = True) -> None:
        self.table = folder / "1" / "net" / "dev"
        self.table.parent.mkdir(parents=True, exist_ok=True)
        self.in_, self.out, self.past = (0, 0), (0, 0), (0, 0)
        self.drops = 0
        self.others = ["eth9"]
        self.has_pair = has_pair
        self.looks = 0
        self.write()
        self.host = HostEnds(str(folder), "net:[1]")
        self.rest = NetworkRest(self.host, self.look)
        self.columns: list[list[bytes]] = []

    def look(self) -> bytes:
        self.looks += 1
        return b"veth1"

    def write(self) -> None:
        pair = [line("veth1", self.out, self.in_)] if self.has_pair else []
        self.table.write_text(HEADINGS + "".join([*map(line, self.others), *pair]))

    def inner(self) -> list[list[bytes]]:
        """Return what the container's own table has."""
        received = self.in_[0] + self.past[0], self.in_[1] + self.past[1]
        text = line("eth0", received, self.out, self.drops) if self.has_pair else ""
        return list((parsers.interfaces((HEADINGS + text).encode()) or {}).values())

    def read(self, is_idle: bool = True) -> bool:
        """Take one reading; return whether the table was read."""
        self.write()
        self.host.refresh()
        is_unmoved = self.rest.is_unmoved(is_idle)
        if not is_unmoved:
            self.columns = self.inner()
            self.rest.note(self.columns)
        return not is_unmoved


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    pair = Pair(tmp_path)
    while pair.read():  # the end is found, then seen to have counted the same
        assert pair.looks <= 1
    return pair


def test_a_table_is_read_once_in_five_readings_while_the_hosts_end_stands_still(pair: Pair) -> None:
    reads = [pair.read() for _ in range(50)]
    assert sum(reads) == 50 // (REST_AT_MOST + 1)


def test_one_packet_either_way_has_the_table_read_in_the_same_reading(pair: Pair) -> None:
    pair.in_ = (60, 1)
    assert pair.read()
    assert pair.columns == pair.inner()
    pair.out = (40, 1)
    assert pair.read()
    assert pair.columns == pair.inner()


def test_a_group_that_used_cpu_time_has_its_table_read(pair: Pair) -> None:
    assert [pair.read(is_idle=False) for _ in range(3)] == [True] * 3


def test_another_interface_on_the_host_has_every_table_read(pair: Pair) -> None:
    pair.others.append("veth2")
    assert pair.read()
    assert not pair.read()
    pair.others.remove("eth9")
    assert pair.read()


def test_traffic_that_is_led_past_the_hosts_end_has_the_table_read_from_then_on(pair: Pair) -> None:
    pair.past = (1500, 1)
    for _ in range(REST_AT_MOST + 1):
        pair.read()
    assert [pair.read() for _ in range(5)] == [True] * 5


def test_of_several_interfaces_the_table_is_always_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = Pair(tmp_path)
    one = pair.inner
    monkeypatch.setattr(pair, "inner", lambda: one() * 2)
    assert [pair.read() for _ in range(10)] == [True] * 10
    assert not pair.looks


def test_a_namespace_without_interfaces_is_read_again_when_the_host_has_another(tmp_path: Path) -> None:
    pair = Pair(tmp_path, has_pair=False)
    assert pair.read()
    assert not pair.read()
    pair.has_pair = True
    assert pair.read()


def test_nothing_is_left_out_where_the_hosts_interfaces_cannot_be_read(tmp_path: Path) -> None:
    pair = Pair(tmp_path, has_pair=False)
    pair.table.unlink()
    pair.write = lambda: None  # type: ignore[method-assign]  # it stays away
    assert [pair.read() for _ in range(5)] == [True] * 5


def test_an_end_that_is_not_found_is_looked_for_rarely(tmp_path: Path) -> None:
    pair = Pair(tmp_path)
    pair.host = HostEnds(str(tmp_path), "net:[1]")
    asked: list[int] = []
    pair.rest = NetworkRest(pair.host, lambda: asked.append(1))
    assert all(pair.read() for _ in range(100))
    assert len(asked) == 2


def test_ends_are_not_looked_for_from_another_namespace_than_the_hosts(pair: Pair) -> None:
    assert pair.host.find(-1) is None


Step = Callable[[Pair], None]


def _sends(amount: int) -> Step:
    def step(pair: Pair) -> None:
        pair.out = pair.out[0] + amount, pair.out[1] + 1

    return step


def _receives(amount: int, dropped: int = 0) -> Step:
    def step(pair: Pair) -> None:
        pair.in_ = pair.in_[0] + amount, pair.in_[1] + 1
        pair.drops += dropped

    return step


def _nothing(_pair: Pair) -> None: ...


AMOUNTS = st.integers(1, 2000)
STEPS = st.one_of(
    st.just(_nothing),
    st.builds(_sends, AMOUNTS),
    st.builds(_receives, AMOUNTS, st.integers(0, 1)),
)


@given(st.lists(st.tuples(STEPS, st.booleans()), min_size=1, max_size=20))
def test_what_is_left_out_is_what_would_have_been_read(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[Step, bool]]
) -> None:
    pair = Pair(tmp_path_factory.mktemp("proc"))
    for step, is_idle in steps:
        step(pair)
        pair.read(is_idle)
        assert pair.columns == pair.inner()
