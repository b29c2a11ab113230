"""The texts of queries over all workloads: who uses most, and what those of each host use together. Pure.

They ask for recording rules where the server has them: over 100,000 workloads, a rate takes seconds.
"""

from __future__ import annotations

from collections.abc import Collection

from collectors.exposition.families import HOST_LABEL
from collectors.exposition.recorded import CPU, DISK, KIND_CPU, KIND_MEMORY, MEMORY, NETWORK
from collectors.prometheus.promql import INFO, duration, one_of, selector

_WORKLOAD = f"instance, {HOST_LABEL}, kind, engine, id"
_HELD = ("working_set", "rss", "hugetlb")
"""What makes up the memory that a host gives a workload; the second where the first is missing."""
_RULES = (CPU, MEMORY, DISK, NETWORK, KIND_CPU, KIND_MEMORY)


def known_rules(match: str) -> str:
    """Return the query whose series have the names of the rules that the server records."""
    return f"count by (rule) (label_replace({selector(match, f'__name__=~{one_of(_RULES)}')}, 'rule', '$1', " + (
        "'__name__', '(.*)'))"
    )


def rankings(match: str, window_s: float, most: int, rules: Collection[str] = (), among: str = "") -> tuple[str, ...]:
    """Return the queries for the workloads that use most: CPU, memory, disk, network.

    Args:
        match: Label matchers.
        window_s: Seconds over which rates are taken.
        most: Workloads of each ranking.
        rules: The recording rules that the server has.
        among: The query for the workloads to choose among; empty for all.
    """
    chosen = f" and on ({_WORKLOAD}) ({among})" if among else ""
    values = {
        CPU: (_growth(match, window_s, "cpu_seconds_total"),),
        MEMORY: tuple(selector(match, name=f"vmtop_memory_{part}_bytes") for part in ("working_set", "rss")),
        DISK: (_growth(match, window_s, "disk_read_bytes_total", "disk_written_bytes_total"),),
        NETWORK: (_growth(match, window_s, "network_receive_bytes_total", "network_transmit_bytes_total"),),
    }
    asked = ((selector(match, name=rule),) if rule in rules else parts for rule, parts in values.items())
    return tuple(" or ".join(f"topk({most}, ({query}){chosen})" for query in queries) for queries in asked)


def use_by_kind(match: str, window_s: float, rules: Collection[str] = ()) -> tuple[str, tuple[str, ...]]:
    """Return the queries for the cores that the workloads of each host use together, by kind, and for the bytes.

    The bytes are the sum of several: one query for them would take a server ten times as long. What is part of another
    workload's numbers is counted with that one; what runs on no host that is scraped is not.
    """
    if not match and {KIND_CPU, KIND_MEMORY} <= set(rules):  # the sums have no labels but those that they are by
        return selector("", name=KIND_CPU), (selector("", name=KIND_MEMORY),)
    elsewhere = " or ".join(selector(match, f'{label}!=""', name=INFO) for label in ("parent_id", "endpoint"))
    held, resident, huge = (selector(match, name=f"vmtop_memory_{part}_bytes") for part in _HELD)
    cpu = _growth(match, window_s, "cpu_seconds_total")

    def by_kind(value: str) -> str:
        return f"sum by (instance, {HOST_LABEL}, kind) (({value}) unless on ({_WORKLOAD}) ({elsewhere}))"

    return by_kind(cpu), (by_kind(held), by_kind(f"{resident} unless on ({_WORKLOAD}) {held}"), by_kind(huge))


def _growth(match: str, window_s: float, *names: str) -> str:
    return " + ".join(f"rate({selector(match, name=f'vmtop_{name}')}[{duration(window_s)}])" for name in names)
