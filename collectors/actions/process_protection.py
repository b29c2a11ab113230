"""Processes that get no signal from vmtop: those that this host, its engines or vmtop itself depend on."""

from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path

from collectors.actions.own_groups import own_and_ancestors
from collectors.actions.protection import Protection
from collectors.model.processes import Process
from collectors.model.workloads import Kind, Workload

_GROUPS: tuple[tuple[str, str], ...] = (
    (
        "it is one of the daemons that run this host's workloads",
        "dockerd containerd containerd-shim* conmon podman crio kubelet k3s* rke2* microk8s* libvirtd virt*d "
        "lxc-start lxcfs lxd incusd systemd-machine*",
    ),
    ("this host depends on it", "systemd systemd-journal* systemd-udevd* dbus-daemon dbus-broker* init"),
    (
        "it provides remote access: without it you may not get back in",
        "sshd sshd-session sshd-auth dropbear tailscaled openvpn charon* zerotier-one netbird nebula cloudflared "
        "teleport cockpit-*",
    ),
    (
        "the host's network depends on it: without it you may not get back in",
        "NetworkManager systemd-network* systemd-resolve* dhcpcd dhclient connmand iwd wpa_supplicant wickedd* "
        "ovs-vswitchd ovsdb-server",
    ),
    ("it decides who may log in or become another user", "polkitd sssd* systemd-logind* elogind* sudo su login"),
)
"""The reason, and the kernel's short names of processes, which it cuts after 15 characters."""


class ProcessProtection:
    """Decides which processes are protected, and why.

    Args:
        protection: The rules for workloads and the exceptions of the configuration; `process:NAME` excepts processes.
        proc: Where procfs is mounted.
    """

    def __init__(self, protection: Protection, proc: Path = Path("/proc")) -> None:
        self._protection = protection
        self._own = {int(pid) for pid in own_and_ancestors(proc) if pid != "self"}

    def reason(self, process: Process, workload: Workload | None) -> str:
        """Return why a process is protected; empty when it is not, or when the configuration allows it.

        Args:
            process: The process.
            workload: What it belongs to; daemons inside a container or machine are not the host's.
        """
        if process.pid == os.getpid():
            return "it is vmtop itself; q quits"
        if process.pid == 1:
            return "it is process 1: the kernel stops without it"
        if process.is_kernel_thread:
            return "it is a thread of the kernel, which takes no signals"
        if self._protection.allows(f"process:{process.name}"):
            return ""
        if process.pid in self._own:
            return "it is the shell, sudo, tmux or login that started vmtop"
        inherited = "" if workload is None else self._protection.reason_inside(workload)
        is_of_host = workload is None or workload.kind is Kind.SERVICE
        return inherited or (_by_name(process.name) if is_of_host else "")


def _by_name(name: str) -> str:
    return next(
        (reason for reason, names in _GROUPS if any(fnmatchcase(name, pattern) for pattern in names.split())), ""
    )
