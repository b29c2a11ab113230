"""The rows of waiting for memory and I/O, and of standing still, by the kernel's PSI."""

from __future__ import annotations

from collectors.model.derivations import share_of_time
from collectors.model.metric_origins import NO_PSI, PSI, PSI_FULL
from collectors.model.metric_type import HostChart, Metric, Unit

# fmt: off
WAITING_ROWS: tuple[Metric, ...] = (
    Metric(
        key="memory_wait_percent", alias="memwait", label="MEMWAIT", unit=Unit.PERCENT,
        help="Share of time some of its tasks waited for memory.",
        formula="growth of memory.pressure some total / elapsed time x 100, at most 100",
        derive=share_of_time("memory_stall_total_ns"), fields=("memory_stall_total_ns",), origins=PSI, missing=NO_PSI,
        thresholds=(5.0, 20.0), less_is_better=True, host_chart=HostChart.WAITING,
    ),
    Metric(
        key="io_wait_percent", alias="iowait", label="IOWAIT", unit=Unit.PERCENT,
        help="Share of time some of its tasks waited for I/O.",
        formula="growth of io.pressure some total / elapsed time x 100, at most 100",
        derive=share_of_time("io_stall_total_ns"), fields=("io_stall_total_ns",), origins=PSI, missing=NO_PSI,
        thresholds=(10.0, 30.0), less_is_better=True, host_chart=HostChart.WAITING,
    ),
    Metric(
        key="cpu_stall_percent", alias="cpustall", label="CPUSTALL", unit=Unit.PERCENT,
        help="Share of time none of its tasks ran and some waited for a CPU.",
        formula="growth of cpu.pressure full total / elapsed time x 100, at most 100",
        derive=share_of_time("cpu_stall_full_total_ns"), fields=("cpu_stall_full_total_ns",),
        origins={"cgroup": PSI_FULL["cgroup"]}, missing=NO_PSI, less_is_better=True,
    ),
    Metric(
        key="memory_stall_percent", alias="memstall", label="MEMSTALL", unit=Unit.PERCENT,
        help="Share of time all of its tasks that had work waited for memory at once.",
        formula="growth of memory.pressure full total / elapsed time x 100, at most 100",
        derive=share_of_time("memory_stall_full_total_ns"), fields=("memory_stall_full_total_ns",),
        origins=PSI_FULL, missing=NO_PSI, thresholds=(2.0, 10.0), less_is_better=True,
    ),
    Metric(
        key="io_stall_percent", alias="iostall", label="IOSTALL", unit=Unit.PERCENT,
        help="Share of time all of its tasks that had work waited for I/O at once.",
        formula="growth of io.pressure full total / elapsed time x 100, at most 100",
        derive=share_of_time("io_stall_full_total_ns"), fields=("io_stall_full_total_ns",),
        origins=PSI_FULL, missing=NO_PSI, thresholds=(10.0, 30.0), less_is_better=True,
    ),
)
# fmt: on
