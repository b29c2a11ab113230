"""The rows of CPU time by mode, and of virtual CPUs."""

from __future__ import annotations

from collectors.model.derivations import always, cpu_of_limit, emulator_percent, rate, steal_percent, vcpu_percent
from collectors.model.metric_origins import CPU_TICKS, NO_VCPUS, VCPU_THREADS, VSPHERE
from collectors.model.metric_type import Metric, Unit

# fmt: off
CPU_ROWS: tuple[Metric, ...] = (
    Metric(
        key="cpu_of_limit_percent", alias="cpulimit", label="CPU/LIM", unit=Unit.PERCENT,
        help="CPU used, as a share of CPUS; of a VM without a quota, what its vCPUs use.",
        formula="cpu_percent / cpu_limit_cores; of a VM at most 100, and vcpu_percent if its vCPUs are its limit",
        derive=cpu_of_limit, fields=("cpu_limit_cores",),
        made_of=("cpu_percent", "cpu_limit_cores"), thresholds=(80.0, 95.0),
        less_is_better=True, is_whole=True, limit=always(100.0),
    ),
    Metric(
        key="cpu_user_percent", alias="user", label="USER%", unit=Unit.PERCENT,
        help="CPU time in user mode.", formula="as CPU%",
        derive=rate("cpu_user_total_ns", 100), fields=("cpu_user_total_ns",),
        origins={"cgroup": "cpu.stat user_usec", "vmm-process": CPU_TICKS},
        less_is_better=True, chart="CPU modes",
    ),
    Metric(
        key="cpu_system_percent", alias="sys", label="SYS%", unit=Unit.PERCENT,
        help="CPU time in the kernel on its behalf.", formula="as CPU%",
        derive=rate("cpu_system_total_ns", 100), fields=("cpu_system_total_ns",),
        origins={"cgroup": "cpu.stat system_usec", "vmm-process": CPU_TICKS}, less_is_better=True, chart="CPU modes",
    ),
    Metric(
        key="vcpu_percent", alias="vcpu", label="VCPU%", unit=Unit.PERCENT,
        help="How busy the virtual CPUs are; 100 is all of them.",
        formula="growth of vcpu.N.time, summed / elapsed time / vCPUs x 100, at most 100",
        derive=vcpu_percent, fields=("vcpu_total_ns",), missing=NO_VCPUS,
        origins={"libvirt": "domain stats vcpu.N.time", "vmm": VCPU_THREADS}, chart="vCPUs and emulator",
    ),
    Metric(
        key="cpu_emulator_percent", alias="emulator", other_names=("qemu",), label="QEMU%", unit=Unit.PERCENT,
        help="CPU used by the hypervisor in addition to the vCPUs.",
        formula="(growth of cpu.time - growth of vcpu.N.time) / elapsed time x 100",
        derive=emulator_percent, fields=("vcpu_total_ns",), missing=NO_VCPUS,
        origins={"libvirt": "vcpu.N.time", "vmm": VCPU_THREADS},
        less_is_better=True, chart="vCPUs and emulator",
    ),
    Metric(
        key="cpu_steal_percent", alias="steal", label="STEAL%", unit=Unit.PERCENT,
        help="Share of time its vCPUs were ready but had to wait.",
        formula="growth of vcpu.N.delay, summed / elapsed time / vCPUs x 100, at most 100",
        derive=steal_percent, fields=("steal_total_ns",),
        origins={"libvirt": "domain stats vcpu.N.delay", "vsphere": VSPHERE + "cpu.ready", "vmm": VCPU_THREADS},
        missing=NO_VCPUS, thresholds=(5.0, 10.0), less_is_better=True,
    ),
)
# fmt: on
