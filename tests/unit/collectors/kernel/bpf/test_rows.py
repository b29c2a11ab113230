"""Tables of rows, whole and broken."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.bpf import rows
from collectors.kernel.bpf.libbpf import BpfError
from collectors.kernel.bpf.rows import ROW_BYTES, Counters, RowReader, counters, parse

NUMBERS = st.integers(0, 2**64 - 1)


def table(*groups: tuple[int, ...], count: int | None = None, is_finished: int = 1) -> bytes:
    """Return a table as the program writes it."""
    heading = (len(groups) if count is None else count, is_finished, *[0] * 10)
    return b"".join(struct.pack("=12Q", *row) for row in (heading, *groups))


@given(st.lists(st.tuples(*[NUMBERS] * 12), unique_by=lambda row: row[0], max_size=5), st.integers(0, 3))
def test_every_row_is_found_under_its_inode(groups: list[tuple[int, ...]], empty: int) -> None:
    found, count = parse(table(*groups) + bytes(ROW_BYTES * empty))[0], len(groups)
    assert len(found) == count
    for row in groups:
        assert struct.unpack("=11Q", found[row[0]]) == row[1:]


def test_a_table_without_room_has_the_rows_that_fit_and_the_number_of_all() -> None:
    found, needed = parse(table((7, *range(11)), count=2**63))
    assert list(found) == [7]
    assert needed == 2**63


@pytest.mark.parametrize("broken", [b"", bytes(ROW_BYTES - 1), table((1, *range(11)))[:-8]])
def test_a_table_that_is_cut_off_is_an_error(broken: bytes) -> None:
    with pytest.raises(BpfError, match="not whole rows"):
        parse(broken)


def test_a_walk_that_did_not_reach_the_last_group_is_an_error() -> None:
    with pytest.raises(BpfError, match="before the last one"):
        parse(table((1, *range(11)), is_finished=0))


def test_counters_have_the_names_of_their_places() -> None:
    assert counters(struct.pack("=11Q", *range(11))) == Counters(*range(11))


def test_pressure_that_is_off_is_not_zero() -> None:
    assert counters(struct.pack("=11Q", 0, 1, 2, 3, 2**64 - 1, *range(6))).stall_cpu_ns is None


@pytest.mark.parametrize("size", [0, 8, 87, 96])
def test_a_row_of_another_length_is_an_error(size: int) -> None:
    with pytest.raises(BpfError, match=f"a row of {size} bytes"):
        counters(bytes(size))


def test_an_installation_without_the_program_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(rows, "OBJECT", "no such file")
    with pytest.raises(BpfError, match="not part of this installation"):
        RowReader((str(tmp_path),))


def test_the_source_of_the_program_has_rows_of_the_size_that_is_read() -> None:
    source = Path(rows.__file__).with_name("cgroup_rows.bpf.c").read_text()
    members = source.partition("struct row {")[2].partition("};")[0].count("__u64 ")
    assert members * 8 == ROW_BYTES
