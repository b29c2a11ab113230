"""Workloads side by side: numbers and differences that line up, groups, shares in points, small multiples."""

from __future__ import annotations

from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from collectors.comparison.side_by_side import Column, side_by_side
from collectors.comparison.window_statistics import Past
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.presenters.comparison.multiples import Multiples, multiples, resampled
from tui.presenters.comparison.page import Picture
from tui.presenters.comparison.side_by_side import as_text
from tui.presenters.comparison.table import Row, difference_text, heading, layout_of, line_of, rows_of, table_lines
from tui.presenters.pages.metric_groups import ENTRIES, Entry
from tui.presenters.styled_lines import plain_text

BY_KEY: dict[str, Entry] = {entry.metric.key: entry for entry in ENTRIES}


def side(name: str, image: str = "", **values: list[float | None]) -> Column:
    workload = Workload(WorkloadId("docker", name), Kind.CONTAINER, name, image=image)
    count = max(map(len, values.values()), default=0)
    columns = {key: values.get(key, [None] * count) for key in METRICS}
    return Column(name, Past(workload, [float(place) for place in range(count)], columns))


def rows(sides: list[Column], reference: int = 0) -> dict[str, Row]:
    return {row.key: row for row in rows_of(sides, side_by_side(sides), "mean", reference)}


@pytest.mark.parametrize(
    ("key", "value", "base", "words"),
    [
        ("cpu_percent", 41.2, 196.8, "-79%"),
        ("cpu_of_limit_percent", 21.0, 98.0, "-77 pt"),
        ("cpu_wait_percent", 0.2, 0.8, "-0.6 pt"),
        ("disk_write_bytes_per_second", 1.3e6, 4.2e5, "x3.1"),
        ("net_rx_bytes_per_second", 1.3 * 2**20, 0.0, "+1.3M"),
        ("memory_host_bytes", 1000.0, 1001.0, "same"),
        ("oom_kills", 0.0, 0.0, "same"),
        ("oom_kills", None, 0.0, ""),
        ("pids", 1e9, 1.0, "x>9999"),
    ],
)
def test_a_difference_is_relative_in_points_for_shares_and_a_factor_when_large(
    key: str, value: float | None, base: float | None, words: str
) -> None:
    assert difference_text(BY_KEY[key], value, base) == words


def test_differences_are_to_the_chosen_reference() -> None:
    sides = [side("one", cpu_percent=[10.0]), side("two", cpu_percent=[20.0]), side("three", cpu_percent=[None])]
    assert rows(sides)["cpu_percent"].differences == ("", "+100%", "")
    assert rows(sides, 1)["cpu_percent"].differences == ("-50%", "", "")


def test_images_are_the_same_or_differ() -> None:
    sides = [side("one", "web:1", pids=[1.0]), side("two", "web:2", pids=[1.0]), side("three", "web:1", pids=[1.0])]
    image = rows(sides)["image"]
    assert (image.group, image.differences) == ("SETTINGS", ("", "differs", "same"))
    assert image.is_different
    assert not rows(sides)["pids"].is_different


def test_a_comparison_as_text_says_why_values_are_missing() -> None:
    sides = [side("one", cpu_percent=[1.0], pids=[3.0]), side("two", cpu_percent=[1.0])]
    told = " ".join(as_text(sides, side_by_side(sides)).partition("Not measured:")[2].split())
    assert "LIMIT, /LIMIT: it has no memory limit" in told
    assert f"PIDS of 2: {METRICS['pids'].missing or 'no source reports it'}" in told
    assert "CPU%" not in told.replace(",", "").split()


def test_a_value_that_only_one_side_has_is_a_difference() -> None:
    assert rows([side("one", pids=[1.0]), side("two", pids=[None])])["pids"].is_different


def test_rows_stand_under_the_headings_of_their_groups() -> None:
    sides = [side("one", cpu_percent=[1.0], memory_host_bytes=[2.0], cpu_user_percent=[1.0])]
    lines, keys = table_lines(list(rows(sides).values()), layout_of(1, 80))
    assert [plain_text(line).strip() for line, key in zip(lines, keys, strict=True) if key is None] == ["CPU", "MEMORY"]
    assert keys == [None, "cpu_percent", "cpu_user_percent", None, "memory_host_bytes"]


@given(
    st.integers(1, 8),
    st.integers(80, 220),
    st.lists(st.floats(0, 1e15), min_size=8, max_size=8),
    st.text(max_size=30).filter(str.isprintable),
)
def test_every_line_fits_and_numbers_stand_under_their_names(
    count: int, width: int, values: list[float], name: str
) -> None:
    sides = [side(f"{name}{index}", cpu_percent=[values[index]], pids=[values[index]]) for index in range(count)]
    layout = layout_of(count, width)
    lines = [heading(sides, layout), *table_lines(list(rows(sides).values()), layout)[0]]
    assert all(cell_len(plain_text(line)) <= width for line in lines)


def test_a_number_ends_where_its_name_ends() -> None:
    sides = [side("web-1", cpu_percent=[196.8]), side("web-2", cpu_percent=[41.2])]
    layout = layout_of(2, 80)
    head, cpu = plain_text(heading(sides, layout)), plain_text(line_of(rows(sides)["cpu_percent"], layout))
    assert head.index("1 web-1 ct") + len("1 web-1 ct") == cpu.index("196.8") + len("196.8")
    assert head.index("2 web-2 ct") + len("2 web-2 ct") == cpu.index("41.2") + len("41.2")
    assert cpu.rstrip().endswith("-79%")


def test_where_columns_are_narrow_differences_leave_the_table() -> None:
    assert layout_of(4, 80).has_differences
    assert not layout_of(5, 80).has_differences
    assert layout_of(6, 120).has_differences


@given(
    st.lists(st.lists(st.one_of(st.just(nan), st.floats(0, 1e9)), max_size=90), min_size=1, max_size=8),
    st.integers(0, 16),
    st.integers(80, 200),
    st.booleans(),
    st.booleans(),
)
def test_multiples_fit_and_stand_under_their_columns(
    lines: list[list[float]], height: int, width: int, has_own_scales: bool, is_ascii: bool
) -> None:
    layout = layout_of(len(lines), width)
    drawn = multiples(Multiples(BY_KEY["cpu_percent"], lines, has_own_scales), layout, height, is_ascii)
    assert len(drawn) == height
    assert all(len(plain_text(line)) <= width for line in drawn)


def test_multiples_have_one_scale_so_that_heights_can_be_compared() -> None:
    layout = layout_of(2, 80)
    drawn = multiples(Multiples(BY_KEY["cpu_percent"], [[200.0] * 60, [50.0] * 60]), layout, 9)
    heights = [
        sum("⣿" in plain_text(line)[start : start + layout.column] for line in drawn)
        for start in (13, 13 + layout.column)
    ]
    assert heights == [8, 2]
    own = multiples(Multiples(BY_KEY["cpu_percent"], [[200.0] * 60, [50.0] * 60], True), layout, 9)
    assert sum("⣿" in plain_text(line)[13 + layout.column :] for line in own) == 8


def test_more_values_than_columns_become_means_and_highest_ones() -> None:
    means, highest = resampled([1.0, 3.0, nan, 5.0, nan, nan], 3)
    assert means[:2] == [2.0, 5.0]
    assert highest[:2] == [3.0, 5.0]
    assert isnan(means[2])
    assert resampled([1.0, 2.0], 4) == ([1.0, 1.0, 2.0, 2.0], [])


def test_lines_over_each_other_are_for_up_to_three() -> None:
    assert Picture.OWN_SCALES.next(3) is Picture.OVERLAY
    assert Picture.OWN_SCALES.next(4) is Picture.SAME_SCALE
