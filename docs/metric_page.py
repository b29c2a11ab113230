"""Writes `docs/metrics.md` from the table of metrics; run by `make docs-generate`."""

from __future__ import annotations

from collectors.model.metrics import METRICS, Metric, Unit

_HEAD = """# Metrics

This page is generated from `collectors/model/metric_table/` by `make docs-generate`.

Every metric means the same thing for every kind of workload, so any two rows can be compared.

- 100 % CPU is one host core, everywhere.
- Memory is what the kernel charges, less the page cache that it would drop first, and the hugepages that are held.
  `docker stats` leaves hugepages out. `podman stats` reads the group `container` inside a container's scope, vmtop the
  scope itself, to which more may be charged.
- Hugepages of workloads other than VMs are known only where the hugetlb controller is enabled. Where it is not, they
  are in the rest of the ledger, and so are hugepages that nobody uses: they are not free memory.
- A share of time is at most 100. Its two clocks are not read at the same instant, and the quotient may be a bit more.
- An unknown value is absent: `-` on the screen, `null` in JSON, a gap in a graph. It is never zero.
- A rate needs two samples. A counter that fell, or whose owner was restarted, has no rate until the next sample.
- Disk traffic counts once, however devices are stacked: at the disks, or at the devices above them if the kernel
  charges more there. RAM disks, zram and loop devices are memory and do not count; a loop device with direct I/O does.
- Network traffic counts once, at the edge of the workload or of the host: bridges, VLANs, VPNs and containers inside
  add nothing. What two workloads send to each other does not reach the edge of the host.
- *Alias* is the short name for filters and `--sort`; *key* is the name in JSON and CSV. Both work in both places.
- *Origin* lists the sources that can supply the value, and the files and calls that they read.
"""

_UNITS = {
    Unit.PERCENT: "%",
    Unit.BYTES: "bytes",
    Unit.BYTES_PER_SECOND: "bytes per second",
    Unit.PER_SECOND: "per second",
    Unit.COUNT: "count",
    Unit.CORES: "cores",
    Unit.SECONDS: "seconds",
    Unit.MILLISECONDS: "milliseconds",
}


def markdown() -> str:
    """Return the whole page as Markdown."""
    rows = "".join(f"| {m.label} | `{m.alias}` | `{m.key}` | {_UNITS[m.unit]} | {m.help} |\n" for m in METRICS.values())
    table = f"| column | alias | key | unit | meaning |\n|---|---|---|---|---|\n{rows}"
    return "\n".join([_HEAD, table, *(_section(metric) for metric in METRICS.values())])


def _section(metric: Metric) -> str:
    lines = [f"## {metric.label}: `{metric.key}`", "", metric.help, "", f"- formula: {metric.formula}"]
    lines += [f"- origin `{source}`: {supply}" for source, supply in metric.origins.items()]
    lines += [f"- empty when: {metric.missing}", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(), end="")
