"""The columns dialog: it says from which width a column is seen, keeps the order, and the name stays the first."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tui.presenters.styled_lines import plain_text
from tui.presenters.table.column_choice import ColumnChoice
from tui.presenters.table.columns import CHOICES, DEFAULT, lay_out

SETS = {"overview": DEFAULT, "small": ("name", "uptime")}


def line_of(choice: ColumnChoice, key: str) -> str:
    return next(plain_text(row.line) for row in choice.rows() if row.key == key)


def test_a_column_without_room_says_from_which_width_it_is_shown() -> None:
    choice = ColumnChoice(DEFAULT, 80, SETS)
    assert "(from 150 columns)" in line_of(choice, "project")
    assert "(from" not in line_of(choice, "cpu_percent")
    assert "(from" not in line_of(choice, "disk_read_bytes_per_second"), "its sum is shown"
    shown = {column.key for column in lay_out(DEFAULT, 80)}
    assert f"{len(DEFAULT)} fit" in choice.summary()
    assert shown <= {*DEFAULT, "disk_bytes_per_second", "net_bytes_per_second"}


def test_a_set_of_columns_can_be_taken_and_is_marked() -> None:
    choice = ColumnChoice(DEFAULT, 80, SETS)
    small = next(row for row in choice.rows("small") if row.preset == "small")
    choice.choose(small)
    assert choice.keys == ["name", "uptime"]
    assert "(x)" in plain_text(next(row.line for row in choice.rows() if row.preset == "small"))


def test_typing_finds_by_label_and_explanation() -> None:
    choice = ColumnChoice(DEFAULT, 80, SETS)
    assert "cpu_throttled_percent" in [row.key for row in choice.rows("thr")]
    assert choice.rows("no such thing") == []


MOVES = st.lists(st.tuples(st.sampled_from(["choose", "left", "right"]), st.sampled_from(CHOICES)), max_size=6)


@given(MOVES)
def test_whatever_is_done_the_name_stays_first_and_nothing_is_doubled(moves: list[tuple[str, str]]) -> None:
    choice = ColumnChoice(("name", "cpu_percent", "uptime"), 200, {})
    for move, key in moves:
        if move == "choose":
            choice.choose(next(row for row in choice.rows() if row.key == key))
        else:
            choice.move(key, -1 if move == "left" else 1)
    assert choice.keys[0] == "name"
    assert len(choice.keys) == len(set(choice.keys))
    assert [row.key for row in choice.rows() if row.key in choice.keys] == choice.keys, "listed in the table's order"


def test_a_moved_column_moves_in_the_table() -> None:
    choice = ColumnChoice(("name", "kind", "cpu_percent"), 120, {})
    choice.move("cpu_percent", -1)
    assert choice.keys == ["name", "cpu_percent", "kind"]
    choice.move("cpu_percent", -1)
    assert choice.keys == ["name", "cpu_percent", "kind"], "the name stays the first"
