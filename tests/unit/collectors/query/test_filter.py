"""The filter language: what it means, what it refuses, and that nothing else comes out of it."""

from __future__ import annotations

import random
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.rates import Reading
from collectors.model.metrics import ALIASES, METRICS
from collectors.model.workloads import Kind, Sample, State
from collectors.query.filter import QueryError, parse
from collectors.query.order import sort_key
from collectors.query.regex import Pattern, PatternError
from tests.helpers.strategies import NS, busy, reading, readings, workload

WEB = busy(
    workload(
        "shop-web-1",
        image="registry/shop/Web:1.2",
        project="shop",
        health="healthy",
        labels=(("com.example.tier", "front"), ("note", "two words")),
        ports="*:443→8443/tcp, 127.0.0.1:8080→80/tcp",
        addresses=("172.18.0.2",),
        restarts=5,
    ),
    60.0,
    3 << 29,
)
DB = busy(workload("db primary", Kind.VM, "qemu", state=State.PAUSED), 5.0, 64 << 30)
SILENT = reading(workload("quiet.service", Kind.SERVICE, "systemd"))
ALL = (WEB, DB, SILENT)

MEANINGS = [
    ("", ALL),
    ("   ", ALL),
    ("SHOP", (WEB,)),
    ("web:1.2", (WEB,)),
    ("shop primary", ()),
    ("shop or primary", (WEB, DB)),
    ("kind=vm", (DB,)),
    ("KIND=VM", (DB,)),
    ("kind!=vm", (WEB, SILENT)),
    ("!kind=vm", (WEB, SILENT)),
    ("!!kind=vm", (DB,)),
    ("engine=systemd", (SILENT,)),
    ("state=paused", (DB,)),
    ("health=healthy", (WEB,)),
    ("health!=healthy", (DB, SILENT)),
    ("project=shop cpu>50", (WEB,)),
    ("project=shop cpu>70", ()),
    ("name~^shop-.*-[0-9]+$", (WEB,)),
    ("name~SERVICE$", (SILENT,)),
    ("id=shop-web-1", (WEB,)),
    ("label.com.example.tier=front", (WEB,)),
    ("label.com.example.tier!=front", (DB, SILENT)),
    ('label.note="two words"', (WEB,)),
    ('"db primary"', (DB,)),
    ("'db primary'", (DB,)),
    ('name="db primary" or quiet', (DB, SILENT)),
    ('"kind=vm"', ()),
    ("ports~443", (WEB,)),
    (r"ports~^\*:443", (WEB,)),
    ("ip=172.18.0.2", (WEB,)),
    ("restarts>3", (WEB,)),
    ("restarts<=3", ()),
    ("exit=137", ()),
    ("cpu>50", (WEB,)),
    ("cpu>=60%", (WEB,)),
    ("cpu_percent<50", (DB,)),
    ("!cpu>50", (DB, SILENT)),
    ("cpu=5", (DB,)),
    ("cpu!=5", (WEB,)),
    ("mem>1.5G", (DB,)),
    ("mem>=1.5G", (WEB, DB)),
    ("mem<=1536M", (WEB,)),
    ("mem>1.4GiB", (WEB, DB)),
    ("mem=1610612736", (WEB,)),
    ("time<1m", (WEB, DB)),
    ("read>1M/s", ()),
    ("kind=vm cpu>1 or kind=service", (DB, SILENT)),
    ("id!=shop-web-1", (DB, SILENT)),
    ("id!='db primary'", (WEB, SILENT)),
    ("name!=shop-web-1", (DB, SILENT)),
]


@pytest.mark.parametrize(("text", "passing"), MEANINGS, ids=[text for text, _ in MEANINGS])
def test_filter_lets_through_what_it_says(text: str, passing: tuple[Reading, ...]) -> None:
    query = parse(text)
    assert [one.workload.name for one in ALL if query.matches(one)] == [one.workload.name for one in passing]


REFUSALS = [
    ("nmae=x", "did you mean 'name'"),
    ("cpux>5", "did you mean 'cpu'"),
    ("zzzzzzzz=1", "no field or metric 'zzzzzzzz'"),
    ("kind=vn", "vm, container, service"),
    ("state=gone", "running"),
    ("restarts~3", "is a number"),
    ("ports>3", "is text"),
    ("cpu>lots", "a number such as 50%"),
    ("mem>50%", "a number such as 1.5G"),
    ("mem>", "a number"),
    ("cpu~5", "is a number"),
    ("name>5", "is text"),
    ("name~(", "("),
    ("name~a**", "two repeats"),
    ("name~(?=a)", "look-around"),
    ("name~" + "a" * 201, "200 characters"),
    ('"open', "not closed"),
    ("name='open", "not closed"),
    ("!", "after '!'"),
    ("or web", "before 'or'"),
    ("web or", "after 'or'"),
    ("a or or b", "before 'or'"),
    ("=5", "no field before"),
    ("cpu>" + "9" * 400, "a number"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSALS, ids=[text[:20] for text, _ in REFUSALS])
def test_bad_filter_is_refused_in_one_sentence(text: str, reason: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    message = str(caught.value)
    assert reason in message
    assert "\n" not in message
    assert len(message) < 250


@pytest.mark.parametrize("name", [*ALIASES, *METRICS])
def test_every_metric_can_be_compared(name: str) -> None:
    assert not parse(f"{name}<0").matches(SILENT)
    assert not parse(f"{name}>=0").matches(reading())


_PIECES = st.sampled_from(
    (*"=~>!\"'5M%()[]*+\\|^$a ", "name", "kind", "vm", "cpu", "mem", "label.", "!=", "<=", "or", "{2,3}")
)
_FILTERS = st.text() | st.lists(_PIECES, max_size=12).map("".join)


@given(_FILTERS, readings())
def test_any_text_is_a_filter_or_a_query_error(text: str, one: Reading) -> None:
    try:
        query = parse(text)
    except QueryError:
        return
    assert query.matches(one) in (True, False)


@given(_FILTERS, st.text(max_size=40))
def test_any_pattern_matches_or_is_refused(text: str, subject: str) -> None:
    try:
        pattern = Pattern(text)
    except PatternError:
        return
    assert pattern.search(subject) in (True, False)


_REGEX = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", "1", "^", "$", ""]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "*?", "{0}"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(_REGEX, st.text("ab1", max_size=8))
def test_pattern_agrees_with_python(text: str, subject: str) -> None:
    try:
        pattern = Pattern(text)
    except PatternError:
        return
    assert pattern.search(subject) == (re.search(text, subject) is not None)


@pytest.mark.parametrize("text", ["(a+)+$", "(a|a)*b", "(.*)*x", "a?" * 60 + "a" * 60, ".*.*.*.*.*.*x", "(a*)*(a*)*b"])
def test_catastrophic_pattern_takes_no_time(text: str) -> None:
    started = time.monotonic()
    Pattern(text).search("a" * 100_000 + "!")
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    ("text", "subject", "is_match"),
    [
        ("ÄPFEL", "äpfel", True),
        (r"^\w+$", "größe_1", True),
        (r"^[\w-]+$", "größe-1", True),
        (r"\W", "größe_1", False),
        (r"^\d$", "٣", True),
        (r"^[^\d]$", "٣", False),
        (r"^\s$", "\u2003", True),
        (r"\S", "\u2003", False),
        ("^.$", "\n", True),
        (r"a\_\.b", "a_.b", True),
        ("a", "\ud800a", True),
    ],
)
def test_patterns_are_unicode_and_ignore_case(text: str, subject: str, is_match: bool) -> None:
    assert Pattern(text).search(subject) is is_match


@pytest.mark.parametrize("text", [r"(a)\1", "(?<=a)b", "(?!a)b", r"[\W]", r"\bweb", "\\", "a{9999}", "[z-a]"])
def test_patterns_that_cannot_be_used_have_a_reason(text: str) -> None:
    with pytest.raises(PatternError, match=r"not supported|too much|range"):
        Pattern(text)


def test_repeats_of_repeats_are_refused() -> None:
    with pytest.raises(PatternError, match="repeats too much"):
        Pattern("((a{90}){90}){90}")


def test_sort_puts_absent_values_last_either_way() -> None:
    assert sorted(ALL, key=sort_key("cpu")) == [WEB, DB, SILENT]
    assert sorted(ALL, key=sort_key("cpu_percent", is_descending=False)) == [DB, WEB, SILENT]
    assert sorted(ALL, key=sort_key("name")) == [DB, SILENT, WEB]
    assert sorted(ALL, key=sort_key("project"))[0] is WEB


@given(st.lists(readings(), max_size=8), st.sampled_from([*ALIASES, "name", "image"]), st.randoms())
def test_sort_does_not_depend_on_the_order_before(rows: list[Reading], key: str, chance: random.Random) -> None:
    order = sort_key(key)
    shuffled = rows[:]
    chance.shuffle(shuffled)
    assert [order(row) for row in sorted(rows, key=order)] == [order(row) for row in sorted(shuffled, key=order)]


def test_facts_that_are_numbers_are_sorted_like_metrics() -> None:
    few, many, unknown = (reading(workload(name, restarts=count)) for name, count in (("a", 2), ("b", 10), ("c", None)))
    assert sorted([unknown, few, many], key=sort_key("restarts")) == [many, few, unknown]
    assert sorted([unknown, many, few], key=sort_key("restarts", is_descending=False)) == [few, many, unknown]


def test_sort_by_nothing_known_is_refused() -> None:
    with pytest.raises(QueryError, match="did you mean 'cpu'"):
        sort_key("cpuu")


_SLOW_DISK = reading(
    workload("disk"),
    Sample("libvirt", NS, guest_disk_reads_total=0, guest_disk_read_time_total_ns=0),
    guest_disk_reads_total=1,
    guest_disk_read_time_total_ns=1_500_000_000,
    memory_charged_bytes=3 << 40,
)


@pytest.mark.parametrize(
    "text",
    [
        *("rlat=1500", "rlat=1500ms", "rlat=1.5s", "mem=3T", "mem=3tb", "mem=3TiB", "mem=3072G", "mem=3145728m"),
        *("mem=3221225472k", "mem=3298534883328b", "mem>0.002P", "mem<1E"),
    ],
)
def test_a_unit_stands_for_its_amount(text: str) -> None:
    assert parse(text).matches(_SLOW_DISK)


@pytest.mark.parametrize(
    ("text", "seconds"), [("time=90", 90), ("time=90s", 90), ("time=1.5m", 90), ("time=2h", 7200), ("time=1d", 86400)]
)
def test_a_span_of_time_is_in_seconds_minutes_hours_or_days(text: str, seconds: int) -> None:
    before = Sample("cgroup", NS, cpu_total_ns=0)
    assert parse(text).matches(reading(workload(), before, cpu_total_ns=seconds * NS))


@pytest.mark.parametrize(("short", "long"), [("ct", "container"), ("svc", "service"), ("CT", "container")])
def test_a_short_kind_means_the_long_one(short: str, long: str) -> None:
    for candidate in (DB, WEB, SILENT):
        for sign in ("=", "!="):
            assert parse(f"kind{sign}{short}").matches(candidate) == parse(f"kind{sign}{long}").matches(candidate)
