"""The configuration of a scraper: a job for vmtop, and two more that give other exporters' names."""

from __future__ import annotations

from collections.abc import Sequence

from tui.presenters.monitoring.other_names import Names, relabelling
from tui.presenters.monitoring.yaml_text import Data, yaml_text

PORT = 9922
EXAMPLES = (f"hv01:{PORT}", f"hv02:{PORT}")
_HEAD = """# What Prometheus, VictoriaMetrics (-promscrape.config) or vmagent needs to scrape `vmtop serve`.
# Where it asks for a password, add:   basic_auth: {username: prometheus, password_file: /etc/prometheus/vmtop.password}
# Where it has a certificate, add:     scheme: https  and  tls_config: {ca_file: /etc/prometheus/vmtop-ca.pem}
"""


def scrape_configuration(targets: Sequence[str] = ()) -> str:
    """Return the configuration as YAML, for addresses `host:port`, or for two examples."""
    return _HEAD + yaml_text({"scrape_configs": [_job("vmtop", targets, [_SHORT_INSTANCE])]})


def job_with_names(name: str, other: Names, targets: Sequence[str] = ()) -> str:
    """Return a job that scrapes the same, and keeps what another exporter has under its names."""
    head = (
        "# Gives existing dashboards the names that they ask for. Not for hosts where that exporter is scraped too:\n"
        "# the series would be there twice. Beside the job `vmtop` it adds series; in its place it saves some.\n"
    )
    job = _job(name, targets, [_SHORT_INSTANCE])
    return head + yaml_text({"scrape_configs": [{**job, "metric_relabel_configs": relabelling(other)}]})


_SHORT_INSTANCE: Data = {
    "source_labels": ["__address__"],
    "regex": r"(.+):\d+",
    "target_label": "instance",
    "replacement": "$1",
}
"""`hv01` for `hv01:9922`: the name that the fleet view shows, and by which it finds the host in `[[hosts]]`."""


def _job(name: str, targets: Sequence[str], relabelling: list[Data]) -> dict[str, Data]:
    return {
        "job_name": name,
        "scrape_interval": "15s",
        "static_configs": [{"targets": list(targets or EXAMPLES)}],
        "relabel_configs": relabelling,
    }
