"""What a host of the lab does when it starts: its mounts, its SSH server and its engines."""

from __future__ import annotations

import shlex
from pathlib import Path

from tests.helpers.lab.docker_engine import ENGINE_MOUNTS
from tests.helpers.lab.process import CGROUPS, find_program

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_SSHD = """ListenAddress 0.0.0.0
Port 22
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
PrintMotd no
PrintLastLog no
MaxStartups 100
SetEnv PATH={folder}/bin:{path} LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
"""
_LIBVIRT = {"lib": "/var/lib/libvirt", "cache": "/var/cache/libvirt", "log": "/var/log/libvirt", "etc": "/etc/libvirt"}
_QEMU_CONF = 'stdio_handler = "file"\nsecurity_driver = "none"\nuser = "root"\ngroup = "root"\nremember_owner = 0\n'

_COMMON = """set -e
hostname {name}
export PATH={path} HOME={folder}/home LANG=C.UTF-8
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd /run/lock
mount --bind {folder}/passwd /etc/passwd
ip link set lo up
"""

V2 = """mkdir /sys/fs/cgroup/init.scope
echo $$ >/sys/fs/cgroup/init.scope/cgroup.procs
for one in cpu memory io pids; do echo "+$one" >/sys/fs/cgroup/cgroup.subtree_control || :; done
"""

_SERVE = """{engines}
{sshd} -D -e -f {folder}/sshd_config &
{waiting}
touch {folder}/ready
wait
"""


def sshd_config(folder: Path) -> str:
    """Return the configuration of a host's SSH server."""
    return _SSHD.format(folder=folder, path=_PATH)


def boot_script(folder: Path, name: str, has_docker: bool, has_libvirt: bool) -> Path:
    """Write the script that is the first process of a host in namespaces, and return its path."""
    path = folder / "boot"
    path.write_text(common(folder, name) + cgroup_mounts() + serving(folder, has_docker, has_libvirt))
    return path


def common(folder: Path, name: str) -> str:
    """Return what every host does first: its name, its user's home, and an empty /run."""
    return _COMMON.format(folder=folder, name=name, path=_PATH)


def serving(folder: Path, has_docker: bool, has_libvirt: bool) -> str:
    """Return the end of a boot script: engines and SSH server, and a mark once they take calls."""
    engines, sockets = [], []
    if has_docker:
        engines.append(_docker(folder))
        sockets.append("/run/docker.sock")
    if has_libvirt:
        engines.append(_libvirt(folder))
        sockets.append("/run/libvirt/libvirt-sock")
    waiting = [f"until [ -S {socket} ]; do sleep 0.1; done" for socket in sockets]
    waiting.append("until ss -ltn | grep -q :22; do sleep 0.1; done")
    sshd = find_program("sshd")
    return _SERVE.format(folder=folder, sshd=sshd, engines="\n".join(engines), waiting="\n".join(waiting))


def cgroup_mounts() -> str:
    """Return commands that mount this machine's hierarchies again, as seen from inside a cgroup namespace."""
    if (CGROUPS / "cgroup.procs").exists():
        return f"mount -t sysfs sysfs /sys\nmount -t cgroup2 cgroup2 {CGROUPS}\n{V2}"
    lines = ["mount -t sysfs sysfs /sys", f"mount -t tmpfs tmpfs {CGROUPS}"]
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, place, kind, options, *_ = line.split()
        if Path(place).parent == CGROUPS:
            named = [one for one in options.split(",") if one == Path(place).name or one.startswith("name=")]
            chosen = f"-o {'none,' if named[0].startswith('name=') else ''}{','.join(named)}" if named else ""
            lines += [f"mkdir {place}", f"mount -t {kind} {chosen} cgroup {place}"]
    return "\n".join(lines) + "\n"


def _docker(folder: Path) -> str:
    (folder / "daemon.json").write_text("{}")
    argv = [
        *(find_program("dockerd"), "--config-file", f"{folder}/daemon.json", "--host", "unix:///run/docker.sock"),
        *("--pidfile", "/run/docker.pid", "--data-root", f"{folder}/docker", "--exec-root", "/run/docker"),
        *("--iptables=false", "--userland-proxy=false", "--bridge=none"),
    ]
    return "\n".join([*ENGINE_MOUNTS, f"{shlex.join(argv)} >>{folder}/dockerd.log 2>&1 &"])


def _libvirt(folder: Path) -> str:
    for name in _LIBVIRT:
        (folder / "libvirt" / name).mkdir(parents=True, exist_ok=True)
    (folder / "libvirt" / "etc" / "qemu.conf").write_text(_QEMU_CONF)
    (folder / "libvirt" / "etc" / "libvirtd.conf").write_text('auth_unix_rw = "none"\nauth_unix_ro = "none"\n')
    mounts = [f"mount --bind {folder}/libvirt/{name} {place}" for name, place in _LIBVIRT.items()]
    argv = [find_program("libvirtd"), "-f", "/etc/libvirt/libvirtd.conf"]
    return "\n".join(["mkdir -p /run/libvirt", *mounts, f"{shlex.join(argv)} >>{folder}/libvirtd.log 2>&1 &"])
