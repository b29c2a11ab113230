"""Conditions that fail a build, as they are typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.comparison.budget_conditions import Allowance, Condition, ConditionError, parse_condition
from collectors.model.metrics import METRICS

MIB = 1 << 20


@pytest.mark.parametrize(
    ("text", "key", "stat", "allowance", "amount"),
    [
        ("mem > +10%", "memory_host_bytes", "mean", Allowance.SHARE, 10.0),
        ("mem>+10 %", "memory_host_bytes", "mean", Allowance.SHARE, 10.0),
        ("  MEM.P95  >  +0% ", "memory_host_bytes", "p95", Allowance.SHARE, 0.0),
        ("mem.max > +50M", "memory_host_bytes", "max", Allowance.DIFFERENCE, 50.0 * MIB),
        ("mem > 1.5G", "memory_host_bytes", "mean", Allowance.BOUND, 1536.0 * MIB),
        ("cpu > 80%", "cpu_percent", "mean", Allowance.BOUND, 80.0),
        ("cpu > 80", "cpu_percent", "mean", Allowance.BOUND, 80.0),
        ("cpu > +5", "cpu_percent", "mean", Allowance.DIFFERENCE, 5.0),
        ("cpu_percent.max > +15%", "cpu_percent", "max", Allowance.SHARE, 15.0),
        ("rlat.p95 > 20ms", "guest_disk_read_milliseconds", "p95", Allowance.BOUND, 20.0),
    ],
)
def test_a_condition_is_read_as_it_is_meant(
    text: str, key: str, stat: str, allowance: Allowance, amount: float
) -> None:
    condition = parse_condition(text)
    assert condition == Condition(" ".join(text.split()), METRICS[key], stat, allowance, amount)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is not a condition"),
        ("mem < 5", "is not a condition"),
        ("mem >", "is not a condition"),
        ("mem > nothing", "compared with a number"),
        ("mem > 10%", "for a share of the first recording write '+10%'"),
        ("mem > -10%", "for a share"),
        ("cpu > -10", "a bound a number without a sign"),
        ("mem > ++10", "a bound a number without a sign"),
        ("mem > +nan%", "a number such as +10%"),
        ("mem > +1e9%", "a number such as +10%"),
        ("mem > +99999999%", "a number such as +10%"),
        ("mem > +inf", "compared with a number"),
        ("mem.p96 > +10%", "there are mean, p95, max"),
        ("memm > +10%", "did you mean 'mem'"),
        ("oom > 0", "only ever grows"),
        ("time > +10%", "only ever grows"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_to_write(text: str, words: str) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(text)
    assert words in str(refused.value)


@given(st.text(max_size=60))
def test_any_text_is_a_condition_or_one_inert_sentence(text: str) -> None:
    told = ""
    try:
        condition = parse_condition(text)
    except ConditionError as error:
        told = str(error)
    else:
        assert condition.amount >= 0
    assert not told or told.isprintable()
