"""The alerting rules: one row each, with thresholds of the metrics' own table, and examples that promtool checks."""

from __future__ import annotations

from collectors.exposition.alert_type import Alert, Case
from collectors.exposition.expressions import expression
from collectors.model.metrics import METRICS
from collectors.model.workloads import PAUSING_FAULTS

_OF = {"instance": "hv01", "kind": "container", "engine": "docker", "id": "4f1c2d3e5a6b", "name": "web"}
_VM = _OF | {"kind": "vm", "engine": "libvirt", "id": "a", "name": "db"}
_HOST_MEMORY = (
    "1 - vmtop_host_memory_available_bytes / (vmtop_host_memory_bytes"
    " - (vmtop_host_memory_hugepages_bytes or 0 * vmtop_host_memory_bytes))"
)
"""The share in use of what is not in pools of hugepages: nobody else can take from those, however full they are."""
_NAMED = "{{ $labels.kind }} {{ $labels.name }} on {{ $labels.instance }}"
_PERCENT = '{{ $value | printf "%.0f" }}%'


_UNRECLAIMABLE_OF_LIMIT = (
    "(100 * vmtop_memory_inside_bytes / (vmtop_memory_assigned_bytes > 0)"
    ' or 100 * vmtop_memory_unreclaimable_bytes{kind!="vm"} / (vmtop_memory_limit_bytes > 0))'
)


def _series(name: str, labels: dict[str, str]) -> str:
    matchers = ", ".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{matchers}}}"


def _bad(key: str) -> float:
    """Return from which value on the screen colours a metric as bad."""
    thresholds = METRICS[key].thresholds
    assert thresholds is not None  # noqa: S101  # the tests evaluate every row
    return thresholds[1]


def _above(key: str) -> str:
    return f"({expression(key, window='5m')}) > {_bad(key):g}"


def _waits(name: str, key: str, family: str, wait: str, severity: str, text: str, tasks: str = "All") -> Alert:
    """Return the alert for a share of time that grows beyond what the screen colours as bad."""
    limit = _bad(key)
    growing = {_series(family, _OF): f"0+{limit * 0.6 + 30:g}x60"}
    calm = {_series(family, _OF): f"0+{limit * 0.6 - 2:g}x60"}
    return Alert(
        name, _above(key), wait, severity, f"{_NAMED} {text}",
        f"{tasks} of its tasks waited for {_PERCENT} of the last 5 minutes. Compare it with the host it runs on.",
        (Case("50m", growing, _OF, f"{limit + 50:.0f}"), Case("50m", calm, None)),
    )  # fmt: skip


def _info(**facts: str) -> str:
    return _series("vmtop_workload_info", _OF | facts)


ALERTS: tuple[Alert, ...] = (
    Alert(
        "VmtopHostDown", 'up{job="vmtop"} == 0', "2m", "critical", "{{ $labels.instance }} is not scraped",
        "Neither its workloads nor vmtop itself can be seen. On that host: systemctl status vmtop-serve",
        (
            Case("5m", {'up{job="vmtop", instance="hv01"}': "1 0x9"}, {"job": "vmtop", "instance": "hv01"}),
            Case("5m", {'up{job="vmtop", instance="hv01"}': "1x9"}, None),
        ),
    ),
    Alert(
        "VmtopSourceDown", "vmtop_source_up == 0", "5m", "warning",
        "vmtop on {{ $labels.instance }} cannot read {{ $labels.source }}",
        "Workloads of that source are missing or old. On that host: vmtop doctor",
        (
            Case("10m", {'vmtop_source_up{instance="hv01", source="libvirt"}': "0x20"},
                 {"instance": "hv01", "source": "libvirt"}),
            Case("10m", {'vmtop_source_up{instance="hv01", source="libvirt"}': "0 0 0 1x20"}, None),
        ),
    ),
    Alert(
        "VmtopOutOfMemory", "increase(vmtop_oom_kills_total[10m]) > 0", "0m", "warning",
        f"{_NAMED} ran out of memory",
        "The kernel ended one of its processes. Its limit is too low, or it leaks.",
        (
            Case("12m", {_series("vmtop_oom_kills_total", _OF): "3x8 4x10"}, _OF),
            Case("12m", {_series("vmtop_oom_kills_total", _OF): "3x20"}, None),
        ),
    ),
    Alert(
        "VmtopMemoryNearLimit", f"{_UNRECLAIMABLE_OF_LIMIT} > {_bad('memory_of_limit_percent'):g}",
        "10m", "warning", f"{_NAMED} is close to its memory limit",
        f"It uses {_PERCENT} of its limit without caches that the kernel could drop.",
        (
            Case("15m", {
                _series("vmtop_memory_unreclaimable_bytes", _OF): "97x30",
                _series("vmtop_memory_limit_bytes", _OF): "100x30",
            }, _OF, "97"),
            Case("15m", {
                _series("vmtop_memory_inside_bytes", _VM): "99x30",
                _series("vmtop_memory_assigned_bytes", _VM): "100x30",
                _series("vmtop_memory_unreclaimable_bytes", _VM): "10x30",
                _series("vmtop_memory_limit_bytes", _VM): "100x30",
            }, _VM, "99"),
            Case("15m", {
                _series("vmtop_memory_inside_bytes", _VM): "40x30",
                _series("vmtop_memory_assigned_bytes", _VM): "100x30",
                _series("vmtop_memory_unreclaimable_bytes", _VM): "97x30",
                _series("vmtop_memory_limit_bytes", _VM): "100x30",
            }, None),
        ),
    ),
    Alert(
        "VmtopThrottled", _above("cpu_throttled_percent"),
        "15m", "warning", f"{_NAMED} is throttled by its CPU quota",
        f"It was stopped in {_PERCENT} of its quota's periods. More cores, or fewer threads, would mend it.",
        (
            Case("30m", {
                _series("vmtop_cpu_periods_total", _OF): "0+600x60",
                _series("vmtop_cpu_throttled_periods_total", _OF): "0+300x60",
            }, _OF, "50"),
            Case("30m", {
                _series("vmtop_cpu_periods_total", _OF): "0+600x60",
                _series("vmtop_cpu_throttled_periods_total", _OF): "0+60x60",
            }, None),
        ),
    ),
    Alert(
        "VmtopSteal", _above("cpu_steal_percent"),
        "10m", "warning", f"{_NAMED} waits for the host's CPUs",
        f"Its virtual CPUs were ready and had to wait for {_PERCENT} of the time: the host is overcommitted.",
        (
            Case("30m", {
                _series("vmtop_vcpu_delay_seconds_total", _VM): "0+24x60", _series("vmtop_vcpus", _VM): "2x60",
            }, _VM, "20"),
            Case("30m", {
                _series("vmtop_vcpu_delay_seconds_total", _VM): "0+24x60", _series("vmtop_vcpus", _VM): "8x60",
            }, None),
        ),
    ),
    _waits("VmtopWaitsForCpu", "cpu_wait_percent", "vmtop_cpu_waiting_seconds_total", "15m", "warning",
           "waits for a CPU", "Some"),
    _waits("VmtopWaitsForMemory", "memory_wait_percent", "vmtop_memory_waiting_seconds_total", "5m", "critical",
           "waits for memory", "Some"),
    _waits("VmtopWaitsForDisk", "io_stall_percent", "vmtop_io_stalled_seconds_total", "15m", "warning",
           "waits for I/O"),
    Alert(
        "VmtopUnhealthy", 'vmtop_workload_info{health="unhealthy"} == 1', "5m", "warning", f"{_NAMED} is unhealthy",
        "Its own health check fails. On that host: vmtop logs {{ $labels.name }}",
        (
            Case("10m", {_info(health="unhealthy"): "1x20"}, _OF | {"health": "unhealthy"}, "1"),
            Case("10m", {_info(health="healthy"): "1x20"}, None),
        ),
    ),
    Alert(
        "VmtopPausedByFault",
        f'vmtop_workload_info{{state="paused", state_reason=~"{"|".join(sorted(PAUSING_FAULTS))}"}} == 1',
        "0m", "critical", f"{_NAMED} was paused by a fault",
        "{{ $labels.state_reason }}: resuming it does not help until the fault is repaired.",
        (
            Case("2m", {_info(state="paused", state_reason="I/O error"): "1x20"},
                 _OF | {"state": "paused", "state_reason": "I/O error"}),
            Case("2m", {_info(state="paused"): "1x20"}, None),
        ),
    ),
    Alert(
        "VmtopCrashed", 'vmtop_workload_info{state="crashed"} == 1', "1m", "warning", f"{_NAMED} has crashed",
        "On that host: vmtop logs {{ $labels.name }}",
        (
            Case("5m", {_info(state="crashed"): "1x20"}, _OF | {"state": "crashed"}),
            Case("5m", {_info(state="stopped"): "1x20"}, None),
        ),
    ),
    Alert(
        "VmtopRestartsAgainAndAgain", "changes(vmtop_start_time_seconds[15m]) >= 3", "0m", "warning",
        f"{_NAMED} starts again and again",
        'It has started {{ $value | printf "%.0f" }} times in 15 minutes.',
        (
            Case("14m", {_series("vmtop_start_time_seconds", _OF): "1 2 3 4x20"}, _OF, "3"),
            Case("14m", {_series("vmtop_start_time_seconds", _OF): "1 2x20"}, None),
        ),
    ),
    Alert(
        "VmtopHostMemoryShort", f"{_HOST_MEMORY} > 0.95", "10m", "critical",
        "{{ $labels.instance }} is short of memory",
        "{{ $value | humanizePercentage }} of its memory is in use, hugepages left out. On that host: vmtop --sort mem",
        (
            Case("20m", {
                'vmtop_host_memory_available_bytes{instance="hv01"}': "3x60",
                'vmtop_host_memory_bytes{instance="hv01"}': "100x60",
            }, {"instance": "hv01"}, "97%"),
            Case("20m", {
                'vmtop_host_memory_available_bytes{instance="hv01"}': "30x60",
                'vmtop_host_memory_bytes{instance="hv01"}': "100x60",
            }, None),
            Case("20m", {
                'vmtop_host_memory_available_bytes{instance="hv01"}': "3x60",
                'vmtop_host_memory_bytes{instance="hv01"}': "100x60",
                'vmtop_host_memory_hugepages_bytes{instance="hv01"}': "90x60",
            }, None),
        ),
    ),
    Alert(
        "VmtopWorkloadsOmitted", "vmtop_workloads_omitted > 0", "15m", "info",
        "vmtop on {{ $labels.instance }} does not expose all workloads",
        '{{ $value | printf "%.0f" }} workloads are left out. Raise --max-workloads of vmtop serve.',
        (
            Case("30m", {'vmtop_workloads_omitted{instance="hv01"}': "40x60"}, {"instance": "hv01"}, "40"),
            Case("30m", {'vmtop_workloads_omitted{instance="hv01"}': "0x60"}, None),
        ),
    ),
)  # fmt: skip
"""Every alert, the most serious for a whole host first."""
