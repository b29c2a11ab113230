"""Grafana's dashboard of one host: its ledger, its devices, its workloads, and what vmtop reads and costs there."""

from __future__ import annotations

from collectors.exposition import recorded
from collectors.exposition.expressions import expression
from collectors.model.metrics import METRICS
from tui.presenters.monitoring.dashboard import Choose, dashboard, variable
from tui.presenters.monitoring.fleet_dashboard import host_waiting
from tui.presenters.monitoring.panels import UNITS, WINDOW, Panel, Query, graph, number, row

_OF = 'instance="$instance", host=~"$host"'
_HOST = "instance, host"


def host_dashboard() -> str:
    """Return the dashboard as JSON."""
    bands = [
        [
            number("CPUs", _sum("vmtop_host_cpus")),
            number("CPU in use", f"avg({recorded.HOST_CPU}{{{_OF}}})", "percentunit", (0.8, 0.95)),
            number("Memory", _sum("vmtop_host_memory_bytes"), "bytes"),
            number("Memory in use", f"avg({recorded.HOST_MEMORY}{{{_OF}}})", "percentunit", (0.85, 0.95)),
            number("Workloads", _sum("vmtop_workloads")),
            number("Sources down", f"count(vmtop_source_up{{{_OF}}} == 0) or vector(0)", thresholds=(1, 2)),
        ],
        _ledger(),
        [
            graph("Some tasks waited (PSI)", _waits(), "percent"),
            graph("Disk", [_rate("disk_read_bytes", "read"), _rate("disk_written_bytes", "written")], "Bps"),
            graph("Network", [_rate("network_receive_bytes", "in"), _rate("network_transmit_bytes", "out")], "Bps"),
        ],
        [row("Workloads")],
        [_most(key) for key in ("cpu_percent", "memory_host_bytes")],
        [_most(key) for key in ("disk_bytes_per_second", "net_bytes_per_second")],
        [row("vmtop itself")],
        [
            graph("Sources: how long reading takes", [Query(f"vmtop_source_read_seconds{{{_OF}}}", "{{source}}")], "s"),
            graph("CPU, cores", [Query(f"rate(vmtop_self_cpu_seconds_total{{{_OF}}}[{WINDOW}])", "vmtop")], "short"),
            graph("Events", [Query(f"increase(vmtop_events_total{{{_OF}}}[{WINDOW}])", "{{what}}")], "short"),
        ],
    ]
    instance = variable("instance", "vmtop_host_cpus", Choose.ONE)
    return dashboard("host", "host", bands, [instance, variable("host", 'vmtop_host_cpus{instance="$instance"}')])


def _sum(family: str) -> str:
    return f"sum({family}{{{_OF}}})"


def _ledger() -> list[Panel]:
    """Return the host's CPU and memory by kind, and the rest: what no workload accounts for."""
    used = f"rate(vmtop_host_cpu_seconds_total{{{_OF}}}[{WINDOW}])"
    held = f"vmtop_host_memory_working_set_bytes{{{_OF}}}"
    return [
        _parts("CPU by kind, cores", used, recorded.KIND_CPU, "short", "The host's CPU time by who uses it."),
        _parts("Memory by kind", held, recorded.KIND_MEMORY, "bytes", "The host's memory in use, by who holds it."),
    ]


def _parts(title: str, whole: str, rule: str, unit: str, about: str) -> Panel:
    by_kind = f"{rule}{{{_OF}}}"
    rest = f"clamp_min({whole} - on ({_HOST}) sum by ({_HOST}) ({by_kind}), 0)"
    return graph(title, [Query(by_kind, "{{kind}}"), Query(rest, "rest")], unit, stacked=True, about=about)


def _waits() -> list[Query]:
    return [Query(host_waiting(what, _OF, WINDOW), what) for what in ("cpu", "memory", "io")]


def _rate(family: str, legend: str) -> Query:
    return Query(f"rate(vmtop_host_{family}_total{{{_OF}}}[{WINDOW}])", legend)


def _most(key: str) -> Panel:
    metric = METRICS[key]
    query = Query(f"topk(10, {expression(key, _OF, WINDOW)})", "{{kind}} {{name}}")
    return graph(f"{metric.label} of the 10 with the most", [query], UNITS[metric.unit], about=metric.help)
