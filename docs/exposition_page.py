"""Writes `docs/prometheus.md`, with its table of families; run by `make docs-generate`."""

from __future__ import annotations

from textwrap import fill

from collectors.exposition.families import INFO_LABELS, WORKLOAD_LABELS, Of, families_of

_LABELS = (
    f"Every series of a workload has the labels {', '.join(f'`{name}`' for name in WORKLOAD_LABELS)}. `id` has 12 "
    "digits of a container's id, the UUID of a domain, or the path of a service. What changes while a workload "
    "lives is not among them, but on `vmtop_workload_info`, where it is known: "
    f"{', '.join(f'`{name}`' for name in INFO_LABELS)}. To have an image beside a number:"
)
_HEAD = f"""# Metrics for Prometheus and VictoriaMetrics

The tables on this page are generated from `collectors/exposition/families.py` by `make docs-generate`.

    vmtop serve                                       # http://127.0.0.1:9922/metrics
    vmtop serve --listen :9922 --web-config /etc/vmtop/web.yml
    vmtop textfile /var/lib/prometheus/node-exporter  # for node_exporter's textfile collector

Both expose raw counters, as the kernel and the engines have them; rates are made by the queries. A value that is not
known has no line: it is never zero. The sources are read when a scrape comes, and a second scraper within half a
second gets the same reading. Sources that do not answer within half a second are exposed as they were,
with their age, for a minute at most: after that their counters have no line, since a counter that stands still would
look like a workload that rests.

Dashboards, rules, alerts, a scrape configuration, and relabelling for dashboards of cAdvisor and the libvirt exporter
are in the folder `docs/prometheus/` of the source ([rules](prometheus/vmtop.rules.yml),
[alerts](prometheus/vmtop.alerts.yml), [scrape configuration](prometheus/scrape.yml)), and [dashboards](dashboards.md)
says how to use them.

## Series

{fill(_LABELS, 118)}

    vmtop_memory_working_set_bytes
      * on (instance, host, kind, engine, id, name) group_left (image) vmtop_workload_info

- A busy container has about 20 series, a virtual machine about 30.
- Of more than `--max-workloads` (2,000) workloads the busiest are exposed; `vmtop_workloads_omitted` counts the
  others.
- `--label project` puts the Compose project, pod or slice on every series, `--label NAME` a container's label, as
  `label_NAME` with `_` for what the name of a label may not have. Values that look like secrets are masked.
- A container that lives for less than two scrapes has no rate; `vmtop_events_total` counts its start and end.
- Workloads of the host that vmtop runs on have no label `host`; the scraper's `instance` tells hosts apart. With
  `--host` one vmtop exposes other hosts, whose series have `host`. A vmtop on each host is better: it reads at the
  instant of the scrape, and one host that hangs does not delay another.
- A workload whose cgroup is inside another one's is counted in both: `parent_engine` and `parent_id` name the other
  one.

## The server

`vmtop serve` listens at `127.0.0.1:9922` unless `--listen` says otherwise: `HOST:PORT`, `[IPv6]:PORT`, `:PORT` for
all addresses, or `unix:/PATH`, whose socket only its owner and group may open. Sockets that systemd passes are used
as they are. It answers GET and HEAD of `/metrics`, in OpenMetrics for those that ask for it and in Prometheus' text
format for others, by gzip if wanted, and of `/healthz` (`ok`, or 503 with a sentence). It serves 16 connections at
once; a request has 10 s to come, and an answer 30 s to be taken.

Whoever reaches it can read the names, images and numbers of all workloads. At other addresses than loopback use
`--web-config FILE`, in [the format of Prometheus'
exporters](https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md):

    tls_server_config:
      cert_file: server.crt      # relative to this file's folder
      key_file: server.key
    basic_auth_users:
      prometheus: $2y$10$...     # htpasswd -nBC 10 prometheus

Of the format vmtop has `cert_file`, `key_file`, `client_auth_type`, `client_ca_file`, `min_version`, `max_version`,
the security headers and `basic_auth_users` with bcrypt; whatever else is in the file is refused by name. A changed
file or a renewed certificate takes effect with the next connection. Passwords are checked by the C library's
crypt(3).

Units: [vmtop-serve.service](vmtop-serve.service) with [vmtop-serve.socket](vmtop-serve.socket), whose `ListenStream=`
is the address, and [vmtop-textfile.service](vmtop-textfile.service). Each begins with how it is installed.

The text file has the same families in Prometheus' text format. It is replaced as a whole every 15 s (`--interval`),
and removed when vmtop ends; `--once` writes it once and leaves it, for a timer.

## Families
"""

_TITLES = {
    Of.WORKLOAD: "Of workloads",
    Of.HOST: "Of hosts",
    Of.SOURCE: "Of sources",
    Of.EVENT: "Of events",
    Of.SELF: "Of vmtop itself",
}


def markdown() -> str:
    """Return the whole page as Markdown."""
    return "\n".join([_HEAD, *(_section(of, title) for of, title in _TITLES.items())])


def _section(of: Of, title: str) -> str:
    rows = "".join(f"| `{family.name}` | {family.type} | {family.help} |\n" for family in families_of(of))
    return f"### {title}\n\n| family | type | meaning |\n|---|---|---|\n{rows}"


if __name__ == "__main__":
    print(markdown(), end="")
