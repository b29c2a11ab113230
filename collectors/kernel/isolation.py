"""What keeps a workload apart from the host, as the kernel enforces it on its first process.

Namespaces are compared with the host's (namespaces(7)); seccomp, capabilities and the rest are fields of
`/proc/<pid>/status` (proc_pid_status(5)). A virtual machine is isolated by hardware virtualisation: the
isolation of its VMM process is a second barrier behind that.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes
from collectors.model.details import Fact, Page, Table
from collectors.model.workloads import Kind
from collectors.safety.sanitize import sanitize

NAMESPACES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup", "time")
_SECCOMP = {0: "off", 1: "strict", 2: "filter"}
_CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""By bit, as in capability.h of Linux 5.9 and later."""
_NAMED_AT_MOST = 16


class Isolation(NamedTuple):
    """The isolation of one process. `None`: this user may not read the value."""

    own: tuple[str, ...] | None
    """Namespaces that are not the host's."""
    shared: tuple[str, ...] | None
    """Namespaces that are the host's."""
    seccomp: str | None
    capabilities: int | None
    """The effective capabilities, one bit each."""
    no_new_privileges: bool | None
    user_ids: str | None
    """`its own: 0 is 100000 of the host`, or a text saying that they are the host's."""
    label: str | None
    """The label of SELinux, AppArmor or another security module."""
    uid: int | None
    """Effective user on the host."""


def read_isolation(pid: int, proc: str = "/proc") -> Isolation:
    """Read how a process is isolated."""
    own, shared = _namespaces(pid, proc)
    status = _status(pid, proc)
    seccomp = status.get("Seccomp", "")
    capabilities = status.get("CapEff", "")
    uids = status.get("Uid", "").split()
    return Isolation(
        own,
        shared,
        _SECCOMP.get(int(seccomp)) if seccomp.isdigit() else None,
        int(capabilities, 16) if capabilities else None,
        status["NoNewPrivs"] == "1" if "NoNewPrivs" in status else None,
        _user_ids(pid, proc),
        _label(pid, proc),
        int(uids[1]) if len(uids) > 1 else None,
    )


def capability_names(bits: int) -> list[str]:
    """Return the names of capabilities; one that this version does not know appears as its number."""
    names = [name for bit, name in enumerate(_CAPABILITIES) if bits >> bit & 1]
    return names + [str(bit) for bit in range(len(_CAPABILITIES), bits.bit_length()) if bits >> bit & 1]


def isolation_table(kind: Kind, pid: int | None, proc: str = "/proc") -> list[Table]:
    """Return a page's table for the first process of a workload."""
    if pid is None:
        return []
    isolation = read_isolation(pid, proc)
    title = "What keeps its VMM process apart" if kind is Kind.VM else "What keeps its first process apart"
    facts = (
        Fact("namespaces of its own", _joined(isolation.own)),
        Fact("shared with the host", _joined(isolation.shared)),
        Fact("user ids", isolation.user_ids),
        Fact("effective user", None if isolation.uid is None else str(isolation.uid)),
        Fact("seccomp", isolation.seccomp),
        Fact("capabilities in force", _capabilities(isolation.capabilities)),
        Fact("no new privileges", isolation.no_new_privileges),
        Fact("security label", isolation.label),
    )
    note = "" if isolation.own is not None else "namespaces of other users' processes can only be read as root"
    return [Table(Page.FACTS, title, facts=facts, note=note)]


def _joined(names: tuple[str, ...] | None) -> str | None:
    return None if names is None else ", ".join(names) or "none"


def _capabilities(bits: int | None) -> str | None:
    if bits is None:
        return None
    names = capability_names(bits)
    if not names:
        return "none"
    return f"{len(names)}" + (f": {', '.join(names)}" if len(names) <= _NAMED_AT_MOST else " (nearly all)")


def _namespaces(pid: int, proc: str) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    host = _host_process(proc)
    own: list[str] = []
    shared: list[str] = []
    for name in NAMESPACES:
        try:
            namespace, host_namespace = os.readlink(f"{proc}/{pid}/ns/{name}"), os.readlink(f"{proc}/{host}/ns/{name}")
        except FileNotFoundError:
            continue  # this kernel has no such namespace
        except OSError:
            return None, None
        (shared if namespace == host_namespace else own).append(name)
    return tuple(own), tuple(shared)


def _host_process(proc: str) -> int:
    """Return the pid of a process in the host's namespaces: kthreadd where it can be seen, otherwise process 1."""
    return 2 if (read_bytes(f"{proc}/2/comm") or b"").strip() == b"kthreadd" else 1


def _status(pid: int, proc: str) -> dict[str, str]:
    lines = (read_bytes(f"{proc}/{pid}/status") or b"").decode("utf-8", "replace").splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name: value.strip() for name, _, value in pairs}


def _user_ids(pid: int, proc: str) -> str | None:
    lines = (read_bytes(f"{proc}/{pid}/uid_map") or b"").decode("ascii", "replace").splitlines()
    rows = [row for line in lines if len(row := line.split()) == 3]
    if not rows:
        return None
    if rows == [["0", "0", "4294967295"]]:
        return "the host's: its root is the host's root"
    return "its own: " + ", ".join(f"{own_id} is {host_id} of the host" for own_id, host_id, _ in rows[:3])


def _label(pid: int, proc: str) -> str | None:
    text = (read_bytes(f"{proc}/{pid}/attr/current") or b"").decode("utf-8", "replace").strip("\0\n ")
    return sanitize(text) or None
