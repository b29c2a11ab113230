"""The recording rules: what is asked for all workloads of a fleet at once is computed once per interval, not per query.

Names follow https://prometheus.io/docs/practices/rules/: level, metric, operation.
"""

from __future__ import annotations

from typing import NamedTuple

from collectors.exposition.expressions import expression

_HOST = "job, instance, host"
_WORKLOAD = f"{_HOST}, kind, engine, id"
_HERE = f'unless on ({_WORKLOAD}) vmtop_workload_info{{endpoint!=""}}'
"""Leaves out what runs on no host that is scraped."""


class Recorded(NamedTuple):
    """One recording rule."""

    name: str
    expression: str
    metric: str = ""
    """The key of the metric that it has for every workload; empty for sums and shares."""
    scale: float = 1.0
    """What its value is multiplied by to give that metric."""


def _sum_by_kind(series: str) -> str:
    """Return what the workloads of each kind have, as the ledger splits it: what is inside of another counts once.

    A nested workload counts as its own kind, and is taken out of the kind of the one whose counters include it.
    """
    by = f"sum by ({_HOST}, kind)"
    whole = f"{by} ({series} {_HERE})"
    parents = f'max by ({_WORKLOAD}, parent_engine, parent_id) (vmtop_workload_info{{parent_id!=""}})'
    nested = f"{series} * on ({_WORKLOAD}) group_left (parent_engine, parent_id) {parents}"
    inside = f"sum by ({_HOST}, parent_engine, parent_id) ({nested})"
    for ours, theirs in (("engine", "parent_engine"), ("id", "parent_id")):
        inside = f'label_replace({inside}, "{ours}", "$1", "{theirs}", "(.+)")'
    kinds = f"max by ({_WORKLOAD}) (vmtop_workload_info)"
    taken = f"{by} ({inside} * on ({_HOST}, engine, id) group_left (kind) {kinds})"
    return f"clamp_min({whole} - ({taken} or 0 * {whole}), 0)"


CPU = "workload:vmtop_cpu_cores:rate1m"
MEMORY = "workload:vmtop_memory_held_bytes:sum"
DISK = "workload:vmtop_disk_bytes:rate1m"
NETWORK = "workload:vmtop_network_bytes:rate1m"
KIND_CPU = "instance_kind:vmtop_cpu_cores:rate1m"
KIND_MEMORY = "instance_kind:vmtop_memory_held_bytes:sum"
HOST_CPU = "instance:vmtop_cpu_used:ratio1m"
HOST_MEMORY = "instance:vmtop_memory_used:ratio"

RECORDED: tuple[Recorded, ...] = (
    Recorded(CPU, "rate(vmtop_cpu_seconds_total[1m])", "cpu_percent", 100),
    Recorded(MEMORY, expression("memory_host_bytes"), "memory_host_bytes"),
    Recorded(DISK, expression("disk_bytes_per_second"), "disk_bytes_per_second"),
    Recorded(NETWORK, expression("net_bytes_per_second"), "net_bytes_per_second"),
    Recorded(KIND_CPU, _sum_by_kind(CPU)),
    Recorded(KIND_MEMORY, _sum_by_kind(MEMORY)),
    Recorded(HOST_CPU, "rate(vmtop_host_cpu_seconds_total[1m]) / vmtop_host_cpus"),
    Recorded(HOST_MEMORY, "1 - vmtop_host_memory_available_bytes / vmtop_host_memory_bytes"),
)
"""In the order in which they are evaluated: later ones use earlier ones."""

BY_METRIC: dict[str, Recorded] = {rule.metric: rule for rule in RECORDED if rule.metric}
"""The rule that has a metric for every workload, by the metric's key."""
