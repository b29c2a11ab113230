"""Slips put into code: where, which, and what is made of the tests' answer."""

from __future__ import annotations

import ast

import pytest

from bench.mutants import Result, changed_line, report
from bench.mutants_copies import CAUGHT, LIMIT, SURVIVED, judge
from bench.mutants_coverage import Covered
from bench.mutants_slips import choose, find_slips


@pytest.mark.parametrize(
    ("code", "kind", "changed"),
    [
        ("x = (a)  <  b", "comparison", "x = (a)  <=  b"),
        ("x = a is not b", "comparison", "x = a is b"),
        ("x = a in b", "comparison", "x = a not in b"),
        ("x = a and (b)", "and/or", "x = a or (b)"),
        ("x = not (a)", "not dropped", "x = (a)"),
        ("x = 'ü' + a", "arithmetic", "x = 'ü' - a"),
        ("x = a * b", "arithmetic", "x = a / b"),
        ("x = 'ü', 7", "number", "x = 'ü', 8"),
        ("x = True", "True/False", "x = False"),
        ("x = min(a, b)", "min/max", "x = max(a, b)"),
        ("def f():\n    return (a\n        .b)", "None returned", "def f():\n    return (None)"),
        ("f(a)", "call dropped", "pass"),
        ("if a: b = c", "condition negated", "if (not (a)): b = c"),
        ("def f(a=3): ...", "default argument: number", "def f(a=4): ..."),
    ],
)
def test_a_slip_changes_its_place_and_nothing_else(code: str, kind: str, changed: str) -> None:
    assert [slip.put(code) for slip in find_slips("a.py", code) if slip.kind == kind] == [changed]


@pytest.mark.parametrize(
    "code",
    [
        '"""Not 1 < 2."""',
        "_LOG.info('%s', 1 + 2)",
        "if TYPE_CHECKING:\n    f(1)",
        "x: Literal[1] = y",
        "x = f'{1 + 2}'",
        "def f():\n    return None",
    ],
)
def test_text_logs_and_types_have_no_slips(code: str) -> None:
    assert not find_slips("a.py", code)


def test_a_line_that_coverage_does_not_know_is_run_with_its_statement() -> None:
    (slip,) = find_slips("a.py", "def f():\n    g = (\n        a,\n        1,\n    )\n")
    assert (slip.line, slip.statement) == (4, 2)
    assert Covered({"one": 1.0}, {"a.py": {"2": ["one"]}}).tests_of(slip) == ["one"]


def test_every_slip_compiles_and_differs() -> None:
    code = (
        "def f(a, b=2):\n    if not a or 1 < b <= 3:  # and more\n        g(a)\n    return -a * b if a else max(a, b)\n"
    )
    slips = find_slips("a.py", code)
    assert len(slips) > 10
    for slip in slips:
        assert ast.parse(slip.put(code))
        assert slip.put(code) != code


def test_a_sample_is_the_same_for_the_same_seed_and_spread_over_the_lines() -> None:
    texts = {name: "x = 1\n" * lines for name, lines in (("a.py", 300), ("b.py", 100))}
    slips = [slip for name, text in texts.items() for slip in find_slips(name, text)]
    lengths = {name: len(text.splitlines()) for name, text in texts.items()}
    chosen = choose(slips, lengths, 40, seed=3)
    assert chosen == choose(slips[::-1], lengths, 40, seed=3) != choose(slips, lengths, 40, seed=4)
    assert 29 <= sum(slip.path == "a.py" for slip in chosen) <= 31
    assert len(set(choose(slips, lengths, 999, seed=3))) == len(slips)


def test_what_an_import_runs_is_tested_by_all_that_run_the_file() -> None:
    first, second = find_slips("a.py", "x = 1\ndef f():\n    y = 2\n")
    covered = Covered({"slow": 2.0, "fast": 1.0}, {"a.py": {"1": ["", "gone"], "3": ["slow"], "4": ["fast"]}})
    assert (covered.tests_of(first), covered.tests_of(second)) == (["fast", "slow"], ["slow"])


@pytest.mark.parametrize(
    ("code", "said", "outcome"),
    [
        (0, "1 passed", SURVIVED),
        (1, "AssertionError", CAUGHT),
        (4, "ImportError", CAUGHT),
        (-11, "", CAUGHT),
        (None, "", LIMIT),
        (1, "Failed: Timeout (>60.0s) from pytest-timeout.", LIMIT),
    ],
)
def test_the_end_of_pytest_is_judged(code: int | None, said: str, outcome: str) -> None:
    assert judge(code, said) == outcome


def test_a_report_has_the_score_and_the_survivors() -> None:
    code = "x = a | 1\ny = 2\n"
    first, second = find_slips("a.py", code)
    text = report(
        [Result(second, CAUGHT), Result(first, SURVIVED, "3 tests")],
        {slip: changed_line(code, slip) for slip in (first, second)},
    )
    assert "1 of 2 slips caught (50 %)" in text
    assert r"| a.py:1 | number | `x = a \| 1` | `x = a \| 2` | 3 tests |" in text
    assert "a.py:2" not in text
