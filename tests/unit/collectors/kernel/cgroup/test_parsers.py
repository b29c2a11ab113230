"""The parsers of cgroup files, on texts that kernels wrote and on texts that none would."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.cgroup import parsers

CPU_STAT_V2 = b"""usage_usec 30959
user_usec 8853
system_usec 22105
nice_usec 0
core_sched.force_idle_usec 0
nr_periods 120
nr_throttled 60
throttled_usec 3000000
nr_bursts 0
burst_usec 0
"""
CPU_STAT_V2_WITHOUT_CONTROLLER = b"usage_usec 30959\nuser_usec 8853\nsystem_usec 22105\n"
CPU_STAT_V1 = b"nr_periods 120\nnr_throttled 60\nthrottled_time 3000000000\nnr_bursts 0\nburst_time 0\n"
CPU_STAT_V1_WITHOUT_QUOTA = b"nr_periods 0\nnr_throttled 0\nthrottled_time 0\nnr_bursts 0\nburst_time 0\n"
MEMORY_STAT_V1 = b"""cache 9252864
rss 9797632
inactive_file 12288
active_file 155648
hierarchical_memory_limit 9223372036854771712
total_cache 874024960
total_swap 4096
total_inactive_file 338755584
total_active_file 283557888
"""
MEMORY_STAT_V2 = (
    b"anon 4096\nfile 8192\nkernel 100\ninactive_anon 1\nactive_anon 2\ninactive_file 8192\nactive_file 0\n"
)
IO_STAT = b"""8:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0
253:0 rbytes=100 wbytes=200 rios=3 wios=4 dbytes=0 dios=0 cost.usage=12
7:0
259:1 wios=1
"""
BLKIO = b"""254:0 Read 1048576
254:0 Write 4096
254:0 Sync 1052672
254:0 Async 0
254:0 Discard 0
254:0 Total 1052672
254:16 Read 1
Total 1052673
"""
PRESSURE = b"""some avg10=48.58 avg60=17.77 avg300=7.63 total=66368550
full avg10=21.50 avg60=7.02 avg300=2.10 total=41000007
"""
NET_DEV = b"""Inter-|   Receive                                                |  Transmit
 face |bytes packets errs drop fifo frame compressed multicast|bytes packets errs drop fifo colls carrier compressed
    lo: 3193 29 0 0 0 0 0 0 3193 29 0 0 0 0 0 0
  eth0: 357365949 8935 0 7 0 0 0 0 695142 5808 0 3 0 0 0 0
  eth1:28 1 0 0 0 0 0 0 854 9 0 0 0 0 0 0
"""


def test_v2_cpu_time_is_in_microseconds() -> None:
    assert parsers.cpu_v2(CPU_STAT_V2) == (30_959_000, 8_853_000, 22_105_000)


def test_v1_cpu_time_is_in_nanoseconds_and_its_parts_in_ticks() -> None:
    ticks = parsers.NS_PER_TICK
    assert parsers.cpu_v1(b"30959123\n", b"user 3\nsystem 7\n") == (30_959_123, 3 * ticks, 7 * ticks)


def test_throttled_time_has_another_unit_on_v1_than_on_v2() -> None:
    assert parsers.throttling(CPU_STAT_V2) == parsers.throttling(CPU_STAT_V1) == (120, 60, 3_000_000_000)


@pytest.mark.parametrize("text", [CPU_STAT_V2_WITHOUT_CONTROLLER, CPU_STAT_V1_WITHOUT_QUOTA, b""])
def test_without_a_quota_nothing_is_said_about_throttling(text: bytes) -> None:
    assert parsers.throttling(text) == (None, None, None)


def test_inactive_file_of_v1_is_the_total_with_all_below() -> None:
    assert parsers.inactive_file(MEMORY_STAT_V1) == 338_755_584
    assert parsers.inactive_file(MEMORY_STAT_V2) == 8192


def test_a_key_is_not_found_inside_another() -> None:
    assert parsers.find_value(MEMORY_STAT_V1, b"cache") == 9_252_864
    assert parsers.find_value(MEMORY_STAT_V1, b"swap") is None
    assert parsers.find_value(b"oom 3\noom_kill 2\n", b"oom") == 3


def test_what_is_not_reclaimable_is_charged_memory_without_the_caches_of_files_and_names_on_v2() -> None:
    stat = b"anon 500\nfile 900\ninactive_file 600\nactive_file 200\nslab_reclaimable 50\nslab_unreclaimable 7\n"
    assert parsers.unreclaimable(stat, 1500, 600) == 650
    assert parsers.unreclaimable(stat, 700, 600) == 0, "the files are not read at one instant"
    assert parsers.unreclaimable(stat, None, 600) is parsers.unreclaimable(stat, 1500, None) is None
    for key in (b"active_file 200\n", b"slab_reclaimable 50\n"):
        assert parsers.unreclaimable(stat.replace(key, b""), 1500, 600) is None


def test_what_is_not_reclaimable_is_without_the_kernels_memory_on_v1() -> None:
    stat = MEMORY_STAT_V1.replace(b"total_swap", b"total_rss 95313920\ntotal_swap")
    assert parsers.unreclaimable(stat, 1 << 40, 338_755_584) == 95_313_920 + 874_024_960 - 338_755_584 - 283_557_888
    assert parsers.unreclaimable(stat.replace(b"total_active_file", b"x"), 1 << 40, 338_755_584) is None
    assert parsers.unreclaimable(stat.replace(b"total_cache", b"x"), 1 << 40, 338_755_584) is None


@pytest.mark.parametrize(
    ("text", "limit"),
    [(b"max\n", None), (b"9223372036854771712\n", None), (b"9223372036854710272\n", None), (b"67108864\n", 67_108_864)],
)
def test_no_memory_limit_has_several_spellings(text: bytes, limit: int | None) -> None:
    assert parsers.limit_bytes(text) == limit


def test_io_stat_is_parsed_by_device_with_keys_missing_and_devices_without_a_number_added_up() -> None:
    assert parsers.io_v2(IO_STAT) == {b"8:0": (4096, 8192, 1, 2), b"253:0": (100, 200, 3, 4), b"259:1": (0, 0, 0, 1)}
    assert parsers.io_v2(b"98:0 \n8:0 rbytes=1\n") == {b"8:0": (1, 0, 0, 0)}
    hidden = b"(unknown) rbytes=1 wbytes=2 rios=3 wios=4\n(unknown) rbytes=10 wbytes=20 rios=30 wios=40\n"
    assert parsers.io_v2(hidden) == {b"(unknown)": (11, 22, 33, 44)}


def test_blkio_leaves_totals_and_kinds_out() -> None:
    assert parsers.blkio_v1(b"8:0 Read 3\n8:0 Write 4\n8:0 Total 7\n8:16 Write 5\n") == {
        b"8:0": (3, 4),
        b"8:16": (0, 5),
    }
    assert parsers.io_v1(BLKIO, b"254:0 Read 8\n254:0 Write 1\nTotal 9\n") == {
        b"254:0": (1_048_576, 4096, 8, 1),
        b"254:16": (1, 0, 0, 0),
    }
    assert parsers.io_v1(b"Total 0\n", None) == {}


def test_pressure_is_the_time_in_which_some_waited_and_that_in_which_all_did() -> None:
    assert parsers.stall_ns(PRESSURE, b"some") == 66_368_550_000
    assert parsers.stall_ns(PRESSURE, b"full") == 41_000_007_000
    assert parsers.stall_ns(b"", b"some") is parsers.stall_ns(b"", b"full") is None


def test_a_pressure_file_of_one_line_says_nothing_of_all() -> None:
    some = PRESSURE.partition(b"\n")[0] + b"\n"
    assert parsers.stall_ns(some, b"some") == 66_368_550_000
    assert parsers.stall_ns(some, b"full") is None, "of CPU, before Linux 5.13"
    assert parsers.stall_ns(PRESSURE.replace(b"full", b"fuller"), b"full") is None


@pytest.mark.parametrize(
    ("text", "cores"), [(b"max 100000\n", None), (b"50000 100000\n", 0.5), (b"400000 100000\n", 4.0), (b"1 0", None)]
)
def test_a_quota_is_in_cores(text: bytes, cores: float | None) -> None:
    assert parsers.quota_v2(text) == cores


def test_minus_one_is_no_quota() -> None:
    assert parsers.quota_v1(b"-1\n", b"100000\n") is None
    assert parsers.quota_v1(b"150000\n", b"100000\n") == 1.5


@pytest.mark.parametrize(
    ("text", "count"),
    [(b"0-1\n", 2), (b"0-3,8,10-11\n", 7), (b"5", 1), (b"0-1,1-2", 3), (b"0-3, 6", 5)],
)
def test_each_cpu_of_a_list_counts_once(text: bytes, count: int) -> None:
    cpus = parsers.cpu_list(text)
    assert cpus is not None
    assert len(cpus) == count


@pytest.mark.parametrize("text", [b"\n", b"3-1", b"a-b", b"0-99999999999"])
def test_what_is_no_list_of_cpus_is_none(text: bytes) -> None:
    assert parsers.cpu_list(text) is None


def test_kills_are_found_in_both_versions() -> None:
    assert parsers.oom_kills(b"oom_kill_disable 0\nunder_oom 0\noom_kill 2\n") == 2
    assert parsers.oom_kills(b"low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n") == 2


def test_a_table_of_interfaces_is_split_and_added_up() -> None:
    rows = parsers.interfaces(NET_DEV)
    assert rows is not None
    del rows[b"lo"]
    assert parsers.traffic(rows.values()) == (357_365_977, 695_996, 8936, 5817, 10)
    assert parsers.traffic([]) == (0, 0, 0, 0, 0)
    assert parsers.interfaces(b"") is None


@pytest.mark.parametrize("text", [b"", b"max", b"-1", b"1_000", b"0x10", b"1.5", b"9" * 5000, b"\xb2"])
def test_what_is_no_number_is_none(text: bytes) -> None:
    assert parsers.number(text) is None


PARSERS: list[Callable[[bytes], object]] = [
    parsers.number,
    parsers.cpu_v2,
    lambda text: parsers.cpu_v1(text, text),
    parsers.throttling,
    parsers.inactive_file,
    parsers.limit_bytes,
    parsers.io_v2,
    lambda text: parsers.io_v1(text, text),
    lambda text: parsers.stall_ns(text, b"some"),
    lambda text: parsers.stall_ns(text, b"full"),
    lambda text: parsers.unreclaimable(text, 1 << 30, 0),
    parsers.quota_v2,
    lambda text: parsers.quota_v1(text, text),
    parsers.cpu_list,
    parsers.hugetlb_bytes,
    parsers.shared_memory,
    parsers.oom_kills,
    parsers.interfaces,
]
REAL = st.sampled_from([CPU_STAT_V2, CPU_STAT_V1, MEMORY_STAT_V1, IO_STAT, BLKIO, PRESSURE, NET_DEV, b"50000 100000\n"])
BROKEN = st.tuples(REAL, st.integers(0, 400), st.binary(max_size=8)).map(
    lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + 1 :]
)


@given(st.one_of(st.binary(), BROKEN))
def test_no_parser_ever_raises(text: bytes) -> None:
    for parse in PARSERS:
        parse(text)
