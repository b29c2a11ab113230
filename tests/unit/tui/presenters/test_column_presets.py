"""The sets of columns that a key steps through."""

from __future__ import annotations

from tui.presenters.main_screen.column_presets import OVERVIEW, PRESETS, name_of, next_preset, presets
from tui.presenters.table.columns import CHOICES, DEFAULT, describe


def test_every_set_has_columns_that_exist_and_begins_with_the_name() -> None:
    for columns in PRESETS.values():
        assert columns[0] == "name"
        assert len(set(columns)) == len(columns)
        assert set(columns) <= set(CHOICES)
        assert all(map(describe, columns))


def test_the_key_steps_through_all_and_comes_back() -> None:
    columns, seen = DEFAULT, []
    for _ in PRESETS:
        name = next_preset(columns, PRESETS, 1)
        columns = PRESETS[name]
        seen.append(name)
    assert seen == ["cpu", "memory", "disk", "net", "identity", OVERVIEW]
    assert next_preset(DEFAULT, PRESETS, -1) == "identity"


def test_columns_of_ones_own_lead_to_the_first_set() -> None:
    assert name_of(("name", "pids"), PRESETS) == ""
    assert next_preset(("name", "pids"), PRESETS, 1) == OVERVIEW


def test_the_configuration_adds_and_replaces_sets() -> None:
    own = presets({"mine": ("name", "pids"), "cpu": ("name", "cpu_percent")})
    assert list(own) == [*PRESETS, "mine"]
    assert own["cpu"] == ("name", "cpu_percent")
