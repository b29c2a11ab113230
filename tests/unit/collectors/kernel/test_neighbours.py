"""The kernel's table of neighbours, as proc_net(5) describes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.neighbours import parse_neighbours

TABLE = """IP address       HW type     Flags       HW address            Mask     Device
192.168.122.45   0x1         0x2         52:54:00:AB:cd:01     *        virbr0
192.168.122.46   0x1         0x0         00:00:00:00:00:00     *        virbr0
10.0.0.9         0x1         0x6         52:54:00:ab:cd:01     *        br0
"""


def test_answered_entries_are_addresses_of_their_hardware() -> None:
    assert parse_neighbours(TABLE) == {"52:54:00:ab:cd:01": ["192.168.122.45", "10.0.0.9"]}


@given(st.text())
def test_anything_else_is_left_out(table: str) -> None:
    assert isinstance(parse_neighbours(table), dict)
