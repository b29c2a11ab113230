"""Grafana's dashboard of all hosts that are scraped. Its queries use the recording rules: it needs them loaded."""

from __future__ import annotations

from collectors.exposition import recorded
from collectors.model.metrics import METRICS
from tui.presenters.monitoring.dashboard import HOST_PAGE, WORKLOAD_PAGE, choice, dashboard, variable
from tui.presenters.monitoring.panels import Panel, Query, column_of, graph, number, row, table

_WORKLOAD = "instance, host, kind, engine, id"
_OOM = 'sum(increase(vmtop_events_total{what="oom"}[$__range]))'
_FIRING = 'ALERTS{alertstate="firing", alertname=~"Vmtop.*"}'
_CPU_SHARES, _MEMORY_SHARES = (0.8, 0.95), (0.85, 0.95)


def fleet_dashboard() -> str:
    """Return the dashboard as JSON."""
    bands = [
        [
            number("Hosts", "count(vmtop_host_cpus)"),
            number("Not scraped", 'count(up{job="vmtop"} == 0) or vector(0)', thresholds=(1, 2)),
            number("Workloads", "sum(vmtop_workloads)"),
            number("CPU in use", f"avg({recorded.HOST_CPU})", "percentunit", _CPU_SHARES),
            number("Memory in use", f"avg({recorded.HOST_MEMORY})", "percentunit", _MEMORY_SHARES),
            number("Out of memory", f"{_OOM} or vector(0)", thresholds=(1, 10)),
            number("Sources down", "count(vmtop_source_up == 0) or vector(0)", thresholds=(1, 5)),
            number("Alerts", f"count({_FIRING}) or vector(0)", thresholds=(1, 10)),
        ],
        [_by_kind("CPU in use, cores", recorded.KIND_CPU, "short"), _by_kind("Memory", recorded.KIND_MEMORY, "bytes")],
        [row("Hosts")],
        [_hosts()],
        [row("The $top workloads with the most")],
        [_top("CPU", recorded.CPU), _top("memory", recorded.MEMORY)],
        [_top("disk traffic", recorded.DISK), _top("network traffic", recorded.NETWORK)],
    ]
    return dashboard(
        "fleet", "fleet", bands, [choice("top", ["10", "20", "50"]), variable("kind", "vmtop_workload_info")]
    )


def _by_kind(title: str, rule: str, unit: str) -> Panel:
    return graph(title, [Query(f"sum by (kind) ({rule})", "{{kind}}")], unit, stacked=True)


def _hosts() -> Panel:
    waits = [("cpu", "CPUWAIT"), ("memory", "MEMWAIT"), ("io", "IOWAIT")]
    columns = [
        Query(f"100 * {recorded.HOST_CPU}", "CPU%", "percent", (80, 95)),
        Query(f"100 * {recorded.HOST_MEMORY}", "MEM%", "percent", (85, 95)),
        *(
            Query(host_waiting(what), name, "percent", METRICS[f"{what}_wait_percent"].thresholds)
            for what, name in waits
        ),
        Query("sum by (instance, host) (vmtop_workloads)", "WORKLOADS"),
        Query("sum by (instance, host) (vmtop_source_up == bool 0)", "SOURCES DOWN", thresholds=(1, 2)),
    ]
    return table("Hosts", columns, ("instance", "host"), ("instance", HOST_PAGE))


def host_waiting(what: str, matchers: str = "", window: str = "1m") -> str:
    """Return the share of time in which something on a host waited for `cpu`, `memory` or `io`, in percent."""
    of = f"{{{matchers}}}" if matchers else ""
    return f"clamp_max(100 * rate(vmtop_host_{what}_waiting_seconds_total{of}[{window}]), 100)"


def _top(words: str, rule: str) -> Panel:
    """Return the table of the workloads that have most of what a recording rule keeps, sorted by it.

    All of its columns are recorded: anything else would be computed for every workload of the fleet.
    """
    chosen = f'topk($top, {rule}{{kind=~"$kind"}})'
    rules = sorted(recorded.BY_METRIC.values(), key=lambda one: one.name != rule)
    columns = [column_of(METRICS[one.metric], f"{_scaled(one)} and on ({_WORKLOAD}) {chosen}") for one in rules]
    return table(words, columns, ("instance", "kind", "name"), ("name", WORKLOAD_PAGE))


def _scaled(rule: recorded.Recorded) -> str:
    return rule.name if rule.scale == 1 else f"{rule.scale:g} * {rule.name}"
