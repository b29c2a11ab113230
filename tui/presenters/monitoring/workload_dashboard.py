"""Grafana's dashboard of workloads: every metric, of one of them or of several side by side, of any kind and host."""

from __future__ import annotations

from tui.presenters.monitoring.dashboard import WORKLOAD_PAGE, Choose, dashboard, variable
from tui.presenters.monitoring.metric_panels import metric_panels
from tui.presenters.monitoring.panels import Query, table

_OF = 'instance=~"$instance", host=~"$host", kind=~"$kind", name=~"$name"'
_FACTS = ("instance", "host", "kind", "name", "state", "health", "image", "project")


def workload_dashboard() -> str:
    """Return the dashboard as JSON."""
    facts = [
        Query(f"time() - vmtop_start_time_seconds{{{_OF}}}", "UP", "s"),
        Query(f"vmtop_workload_info{{{_OF}}}", "INFO"),
    ]
    head = [table("Workloads", facts, _FACTS, ("name", WORKLOAD_PAGE))]
    variables = [
        variable("instance", "vmtop_workload_info"),
        variable("host", 'vmtop_workload_info{instance=~"$instance"}'),
        variable("kind", 'vmtop_workload_info{instance=~"$instance", host=~"$host"}'),
        variable("name", 'vmtop_workload_info{instance=~"$instance", host=~"$host", kind=~"$kind"}', Choose.SOME),
    ]
    return dashboard("workload", "workloads", [head, *metric_panels(_OF, "{{instance}} {{name}}")], variables)
