"""Which columns there are at which width."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tui.presenters.table.columns import DEFAULT, column_of, describe, is_ordered_by, lay_out

_HEADS = {
    80: "NAME KIND CPU% LAST MIN CPUWAIT MEM /LIMIT DISK/s NET/s UP",
    100: "NAME KIND CPU% LAST MIN CPUWAIT MEM /LIMIT READ/s WRITE/s RX/s TX/s UP",
    120: "NAME KIND CPU% LAST MIN CPUWAIT MEM +/MIN /LIMIT READ/s WRITE/s RX/s TX/s UP",
    150: "NAME KIND PROJECT CPU% LAST MIN CPUS CPUWAIT THROT% MEM +/MIN LIMIT /LIMIT READ/s WRITE/s RX/s TX/s UP",
    200: "NAME KIND PROJECT CPU% LAST MINUTE CPUS CPUWAIT THROT% MEM +/MIN LIMIT /LIMIT READ/s WRITE/s RX/s TX/s"
    " PORTS IMAGE UP",
}


def heads(width: int, keys: tuple[str, ...] = DEFAULT) -> list[str]:
    return [column.label for column in lay_out(keys, width)]


@pytest.mark.parametrize("width", _HEADS)
def test_each_width_has_its_columns(width: int) -> None:
    assert " ".join(heads(width)) == _HEADS[width]


def test_the_order_never_changes_with_the_width() -> None:
    widest = [column.key for column in lay_out(DEFAULT, 200)]
    for width in range(20, 200):
        keys = [column.key for column in lay_out(DEFAULT, width) if column.key in widest]
        assert keys == sorted(keys, key=widest.index)


def test_a_cell_stands_between_columns_and_two_before_text_after_a_number() -> None:
    columns = lay_out(DEFAULT, 200)
    for left, right in pairwise(columns):
        is_text_after_number = right.is_left and not left.is_left and not right.is_spark
        assert right.gap == (2 if is_text_after_number else 1)


def test_a_set_of_the_users_own_shows_what_has_room_at_any_width() -> None:
    keys = ("name", "change:memory_host_bytes", "ports", "memory_swap_bytes")
    assert heads(80, keys) == ["NAME", "+/MIN", "PORTS", "SWAP"]


def test_what_leaves_room_makes_names_longer_first_and_then_the_sparkline() -> None:
    by_key = {width: {column.key: column.width for column in lay_out(DEFAULT, width)} for width in (80, 90, 120, 240)}
    assert [by_key[width]["name"] for width in by_key] == [15, 22, 22, 42]
    assert [by_key[width]["spark:cpu_percent"] for width in by_key] == [8, 11, 16, 30]


def test_the_arrow_is_also_at_a_sum_and_at_its_parts() -> None:
    disk, read, mem = (
        column_of(key) for key in ("disk_bytes_per_second", "disk_read_bytes_per_second", "memory_host_bytes")
    )
    assert is_ordered_by(disk, "disk_read_bytes_per_second")
    assert is_ordered_by(read, "disk_bytes_per_second")
    assert is_ordered_by(mem, "memory_host_bytes")
    assert not is_ordered_by(mem, "disk_bytes_per_second")
    assert not is_ordered_by(read, "disk_write_bytes_per_second")


def test_every_column_has_a_line_in_the_picker() -> None:
    for key in DEFAULT:
        assert describe(key).startswith(column_of(key).label)
