"""The files that `vmtop monitoring` writes, and which are in docs/prometheus as well."""

from __future__ import annotations

from collections.abc import Sequence

from tui.presenters.monitoring.fleet_dashboard import fleet_dashboard
from tui.presenters.monitoring.host_dashboard import host_dashboard
from tui.presenters.monitoring.other_names import CADVISOR, LIBVIRT
from tui.presenters.monitoring.rules import ALERTS_FILE, RULES, TESTS, alerting_rules, recording_rules, rule_tests
from tui.presenters.monitoring.scraping import job_with_names, scrape_configuration
from tui.presenters.monitoring.workload_dashboard import workload_dashboard


def monitoring_files(targets: Sequence[str] = ()) -> dict[str, str]:
    """Return the text of each file by its path.

    Args:
        targets: The addresses `host:port` of `vmtop serve`; examples by default.
    """
    return {
        "scrape.yml": scrape_configuration(targets),
        "cadvisor-names.yml": job_with_names("vmtop-as-cadvisor", CADVISOR, targets),
        "libvirt-names.yml": job_with_names("vmtop-as-libvirt-exporter", LIBVIRT, targets),
        RULES: recording_rules(),
        ALERTS_FILE: alerting_rules(),
        TESTS: rule_tests(),
        "grafana/fleet.json": fleet_dashboard(),
        "grafana/host.json": host_dashboard(),
        "grafana/workload.json": workload_dashboard(),
    }
