"""Where the values of metrics come from, and why they are missing: texts that several rows of the table share."""

from __future__ import annotations

VSPHERE = "averages over 20 s: "
DISK = {
    "cgroup": "io.stat of the cgroup, each byte once (v1: blkio.throttle.io_service_bytes_recursive)",
    "process-io": "/proc/<pid>/io of its processes, approximately: this kernel's v1 blkio does not count it",
    "vmm-process": "/proc/<pid>/io of the process that runs a virtual machine",
    "docker-stats": "Docker stats: blkio_stats.io_service_bytes_recursive, at each device of a stack",
    "host": "/proc/diskstats, each byte once; operations before the kernel merges them",
}
DISK_BYTES = {**DISK, "vsphere": VSPHERE + "disk.read, disk.write"}
GUEST_DISK = {"libvirt": "domain stats block.N.*, backing files left out"}
GUEST_DISK_BYTES = {**GUEST_DISK, "vsphere": VSPHERE + "virtualDisk.read, virtualDisk.write, of all disks"}
NET = {
    "cgroup": "/proc/<pid>/net/dev of its first process, interfaces that lead out of its namespace",
    "libvirt": "domain stats net.N.*, as the domain sees it",
    "vmm": "/proc/<pid>/net/dev: the taps that a virtual machine's process holds open, as the machine sees them",
    "docker-stats": "Docker stats: networks.*",
    "host": "/proc/net/dev, physical interfaces; where there are none, those that lead out",
}
NET_BYTES = {**NET, "vsphere": VSPHERE + "net.received, net.transmitted"}
PSI = {
    "cgroup": "cpu.pressure, some total",
    "cgroup-slow": "{memory,io}.pressure, some total",
    "host": "/proc/pressure",
}
PSI_FULL = {
    "cgroup": "cpu.pressure, full total (Linux 5.13 and newer)",
    "cgroup-slow": "{memory,io}.pressure, full total",
    "host": "/proc/pressure; of CPU it is always 0, and left out",
}
LIMIT = {
    "cgroup-slow": "memory.max and memory.high of it and its ancestors (v1: memory.limit_in_bytes)",
    "libvirt": "balloon.current",
    "vmm": "what a virtual machine was given at its start, by the command line of its process",
    "docker": "HostConfig.Memory",
    "vsphere": "memory of its configuration; of a host, what it has",
}
MEMORY_STAT = "this kernel's memory.stat does not have it"
NO_PSI = "the kernel reports no pressure (PSI) for this workload's cgroup"
NO_NET = (
    "it uses the host's network or that of another workload, has no network interface, "
    "or its network namespace may not be read"
)
CPU_CLOCK = "CPU-time clock of the process that runs a virtual machine (clock_getcpuclockid)"
CPU_TICKS = "/proc/<pid>/stat of the process that runs a virtual machine, in ticks of 10 ms"
VCPUS = "threads of the process that runs a virtual machine; where they have no names, its command line"
VCPU_THREADS = "/proc/<pid>/task/<tid>/schedstat of the virtual CPUs' threads, where these have names"
NO_VCPUS = "only virtual machines have virtual CPUs, and of this one nothing shows them"
VM_ONLY = "only libvirt reports it, and only for virtual machines"
NO_OPERATION = "no operation was completed since the reading before"
NO_DISK = "the io controller is not enabled for its cgroup (on cgroup v1: /proc/<pid>/io, which needs root)"
CPU_TIME = {
    "cgroup": "cpu.stat usage_usec (v1: cpuacct.usage)",
    "libvirt": "domain stats cpu.time",
    "vmm-process": CPU_CLOCK,
    "docker-stats": "Docker stats: cpu_usage.total_usage",
    "vsphere": VSPHERE + "cpu.usagemhz / clock of the host's cores",
    "host": "/proc/stat: user, nice, system, irq, softirq",
}
MEMORY = {
    "cgroup": "memory.current - memory.stat inactive_file (v1: usage_in_bytes - total_inactive_file)",
    "cgroup-slow": "hugepages: see HUGE",
    "libvirt": "resident size of the QEMU process (balloon.rss)",
    "vmm-process": "VmRSS of /proc/<pid>/status of the process that runs a virtual machine",
    "docker-stats": "Docker stats: usage - inactive_file",
    "vsphere": VSPHERE + "mem.consumed",
    "host": "/proc/meminfo: MemTotal - MemFree - Inactive(file), less free pages on lists of CPUs (zoneinfo)",
}
