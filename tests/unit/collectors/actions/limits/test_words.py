"""Limits as people type them, and how amounts are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.actions.limits.words import parse_changes
from collectors.model.limits import (
    LIMITS,
    LimitError,
    LimitKey,
    Quantity,
    cpus_text,
    is_same,
    parse_amount,
    write_amount,
)
from collectors.safety.sanitize import sanitize

GIB = 1 << 30
_NUMBERS = [key for key, spec in LIMITS.items() if spec.quantity is not Quantity.CPUS]


def test_each_word_is_a_limit_with_its_amount() -> None:
    words = ["cpu=1.5", "memory=1G", "pids=none", "cpuset=3,0-1", "disk-read=10M/s", "cpu_weight=200"]
    assert parse_changes(words) == {
        LimitKey.CPU: 1.5,
        LimitKey.MEMORY: GIB,
        LimitKey.PIDS: None,
        LimitKey.CPUSET: "0-1,3",
        LimitKey.DISK_READ: 10 << 20,
        LimitKey.CPU_WEIGHT: 200,
    }


@pytest.mark.parametrize("written", ["1G", "1g", "1GiB", "1GB", "1024M", "1048576k", str(GIB), "1073741824B"])
def test_a_size_has_units_of_1024(written: str) -> None:
    assert parse_amount(LimitKey.MEMORY, written) == GIB


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("memory=", "memory=none takes the limit away"),
        ("memory=  ", "memory=none takes the limit away"),
        ("memory=100", "was the unit forgotten"),
        ("memory=-1", "cannot be below 0"),
        ("memory=nan", "write a number of bytes"),
        ("memory=inf", "write a number of bytes"),
        ("memory=1e3", "write a number of bytes"),
        ("memory=99999999P", "the most is 1024TiB"),
        ("memory=" + "9" * 400, "write a number of bytes"),
        ("cpu=0", "the least is 0.01"),
        ("cpu=0.001", "the least is 0.01"),
        ("cpu=nan", "write a number of cores"),
        ("cpu=1000000", "the most is 8192"),
        ("pids=0.5", "write a whole number"),
        ("pids=0", "the least is 1"),
        ("vcpus=1.5", "write a whole number"),
        ("cpu_weight=0", "the least is 1"),
        ("cpuset=3-1", "runs backwards; write 1-3"),
        ("cpuset=a", "write CPUs and ranges"),
        ("cpuset=0,", "write CPUs and ranges"),
        ("cpuset=99999", "no host has a CPU 99999"),
        ("cpuset=-1", "write CPUs and ranges"),
        ("memroy=1G", "did you mean memory?"),
        ("zzz=1", "there are cpu, cpu_weight"),
        ("\x1b[31m=1", "is no limit"),
    ],
)
def test_what_is_no_limit_is_refused_with_a_sentence(word: str, said: str) -> None:
    with pytest.raises(LimitError) as error:
        parse_changes([word])
    assert said in str(error.value)
    assert "\x1b" not in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("words", [["cpu=1", "cpu=2"], ["disk_read=1M", "disk-read=1M"]])
def test_a_limit_that_is_given_twice_is_refused(words: list[str]) -> None:
    with pytest.raises(LimitError, match="given twice"):
        parse_changes(words)


@given(st.sampled_from(_NUMBERS), st.data())
def test_an_amount_is_read_as_it_was_written(key: LimitKey, data: st.DataObject) -> None:
    spec = LIMITS[key]
    if spec.quantity is Quantity.CORES:
        amount: float = round(data.draw(st.floats(spec.least, spec.most)), 5)
    else:
        amount = data.draw(st.integers(int(spec.least), int(spec.most)))
    assert parse_amount(key, write_amount(key, amount)) == amount


@given(st.frozensets(st.integers(0, 200), min_size=1))
def test_a_set_of_cpus_is_read_as_it_was_written(cpus: frozenset[int]) -> None:
    written = cpus_text(cpus)
    assert parse_amount(LimitKey.CPUSET, written) == written


@given(st.sampled_from(list(LimitKey)), st.text())
def test_any_text_is_an_amount_in_range_or_a_sentence(key: LimitKey, text: str) -> None:
    try:
        amount = parse_amount(key, text)
    except LimitError as error:
        amount, sentence = None, str(error)
    else:
        sentence = ""
    assert sanitize(sentence, 1000) == sentence
    assert not isinstance(amount, int | float) or LIMITS[key].least <= amount <= LIMITS[key].most


def test_amounts_that_engines_round_are_the_same_and_none_is_no_number() -> None:
    assert is_same(LimitKey.MEMORY, 100 << 20, (100 << 20) - 4095)
    assert not is_same(LimitKey.MEMORY, 100 << 20, 101 << 20)
    assert not is_same(LimitKey.MEMORY, None, 1 << 20)
    assert is_same(LimitKey.PIDS, None, None)
    assert not is_same(LimitKey.PIDS, 10, 11)
