"""Several hosts on this machine: each has namespaces, cgroups, a home, an SSH server, engines and a vmtop of its own.

What they share is the kernel: CPU and memory of the host are the machine's. One with a kernel and a clock of its own is
in `tests.helpers.lab.far_kernel`.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.helpers.lab.docker_engine import IMAGE, busybox_archive
from tests.helpers.lab.far_boot import boot_script, sshd_config
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.network import Bridge, bridge
from tests.helpers.lab.process import (
    CGROUPS,
    Daemon,
    LabUnavailable,
    cgroups_named,
    end_cgroups,
    find_program,
    made_anew,
    require_root,
)
from tests.helpers.patience import EXTERNAL_S

_INNER = "192.168.77.{}"
"""Addresses of the cable between a jump host and the one behind it."""
_CLIENT = """Host {names}
  User root
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  LogLevel ERROR
"""


@dataclass
class FarHost:
    """A host that is started, loses its power, and is started again with the same address and keys."""

    name: str
    number: int
    folder: Path
    net: Bridge
    behind: FarHost | None = None
    has_docker: bool = True
    has_libvirt: bool = False
    has_vmtop: bool = True
    daemon: Daemon | None = None
    started: set[str] = field(default_factory=set)
    """The names of containers that were started here."""

    @property
    def address(self) -> str:
        """Where its SSH server listens; of one behind a jump host, as that one sees it."""
        return _INNER.format(self.number) if self.behind else self.net.address(10 + self.number)

    @property
    def port(self) -> str:
        """Its end on the lab's bridge."""
        return f"vmh{os.getpid()}{self.number}"

    @property
    def home(self) -> Path:
        """Home of the user over there."""
        return self.folder / "home"

    @property
    def pid(self) -> int:
        """A process in its namespaces, as this machine counts."""
        assert self.daemon is not None, f"{self.name} was not started"
        return int(Path(f"/proc/{self.daemon.pid}/task/{self.daemon.pid}/children").read_text().split()[0])

    @property
    def root(self) -> Path:
        """Its root folder, through which its sockets can be reached."""
        return Path(f"/proc/{self.pid}/root")

    def start(self) -> None:
        """Power it on, and plug in its cables; `wait_ready` waits until it can be used."""
        groups = _own_cgroups(f"vmtop-far-{os.getpid()}-{self.name}")
        script = boot_script(self.folder, self.name, self.has_docker, self.has_libvirt)
        entering = "\n".join(f"echo $$ >{group}/cgroup.procs" for group in groups)
        spaces = ["--cgroup", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--mount-proc"]
        argv = [find_program("unshare"), *spaces, "--propagation", "private", "sh", str(script)]
        self.daemon = Daemon(["sh", "-ec", f"{entering}\nexec {shlex.join(argv)}"], self.folder / "log")
        self.daemon.wait_until(self._has_namespaces, 20, f"{self.name}'s namespaces")
        if self.behind is None:
            ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", str(self.daemon.pid))
            ip("link", "set", self.port, "master", self.net.name, "up")
        else:
            assert self.behind.daemon is not None
            other, own = str(self.behind.daemon.pid), str(self.daemon.pid)
            ip("link", "add", "in0", "netns", other, "type", "veth", "peer", "name", "eth0", "netns", own)
            self.behind.plug("in0", _INNER.format(254))
        self.plug("eth0", self.address)

    def plug(self, interface: str, address: str) -> None:
        """Give one of its interfaces an address."""
        last = address.rpartition(".")[2]
        mac = f"02:00:00:00:{self.number:02x}:{int(last):02x}"  # as before it lost its power: others remember it
        self.inside("ip", "link", "set", interface, "address", mac)
        self.inside("ip", "address", "add", f"{address}/24", "dev", interface)
        self.inside("ip", "link", "set", interface, "up")

    def _has_namespaces(self) -> bool:
        assert self.daemon is not None
        with suppress(OSError, IndexError):
            return os.readlink(f"/proc/{self.pid}/ns/net") != os.readlink("/proc/self/ns/net")
        return False

    def wait_ready(self, timeout_s: float = 60) -> None:
        """Wait until its SSH server and its engines take calls."""
        assert self.daemon is not None
        self.daemon.wait_until((self.folder / "ready").exists, timeout_s, f"the start of {self.name}")
        if self.has_docker and not (self.folder / "image.tar").exists():
            self.load_image()

    def inside(self, *words: str) -> str:
        """Run a command in its namespaces, without SSH; return what it printed."""
        assert self.daemon is not None
        argv = [find_program("nsenter"), "-t", str(self.pid), "--mount", "--net", "--uts", "--pid", "--root", *words]
        return subprocess.run(argv, check=True, capture_output=True, text=True, timeout=EXTERNAL_S).stdout

    def kill(self) -> None:
        """Cut its power: nothing tidies up, and nobody is told that connections end."""
        if self.daemon is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.daemon.pid, signal.SIGKILL)
            self.daemon.kill()
            (self.folder / "ready").unlink(missing_ok=True)
            name = f"vmtop-far-{os.getpid()}-{self.name}"
            for frozen in (CGROUPS / "freezer" / name).rglob("freezer.state"):  # a paused container does not even die
                frozen.write_text("THAWED")
            for _ in range(20):  # on a busy machine the last processes take a while to end
                end_cgroups(name)
                if not cgroups_named(name):
                    break

    def set_link(self, is_up: bool) -> None:
        """Pull the cable out, or plug it in again: the host itself lives on."""
        ip("link", "set", self.port, "up" if is_up else "down")

    def load_image(self) -> None:
        """Give its engine the image that `run` starts."""
        (self.folder / "image.tar").write_bytes(busybox_archive())
        self.inside("docker", "import", str(self.folder / "image.tar"), IMAGE)

    def run(self, name: str, command: str = "sleep 100000", *options: str) -> str:
        """Start a container, and return its full id. One of its name that a failed try has left is removed."""
        if name in self.started and name in self.container_names("-a"):
            self.inside("docker", "rm", "-f", name)
        self.started.add(name)
        words = ["docker", "run", "-d", "--name", name, "--network", "none", *options, IMAGE, "sh", "-c", command]
        return self.inside(*words).strip()

    def start_domain(self, name: str, uuid: str) -> None:
        """Define and start a tiny virtual machine, whose name and UUID may be those of one on another host."""
        path = self.folder / f"{name}.xml"
        path.write_text(BootSector.IDLE.xml(name, self.folder, 4, f"<uuid>{uuid}</uuid>"))
        self.inside("virsh", "-c", "qemu:///system", "define", str(path))
        self.inside("virsh", "-c", "qemu:///system", "start", name)

    def stop_domain(self, name: str) -> None:
        """Force a virtual machine off if it runs, and forget it."""
        if name in self.domain_names():
            self.inside("virsh", "-c", "qemu:///system", "destroy", name)
        self.inside("virsh", "-c", "qemu:///system", "undefine", name)

    def container_names(self, *options: str) -> set[str]:
        """Return what `docker ps` prints there."""
        return set(self.inside("docker", "ps", "--format", "{{.Names}}", *options).split())

    def domain_names(self) -> set[str]:
        """Return the running domains, as `virsh list` prints them there."""
        return set(self.inside("virsh", "-c", "qemu:///system", "list", "--name").split())


@dataclass
class FarHosts:
    """The hosts of a test run, and the client's configuration that reaches them by name."""

    folder: Path
    net: Bridge
    hosts: dict[str, FarHost] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    """More names for the client, with the lines of its configuration for them."""
    known: str = ""
    """More lines of the keys that it knows."""

    @property
    def path(self) -> str:
        """A PATH on which `ssh` knows the hosts, their keys and the user's key."""
        return f"{self.folder}/bin:{os.environ['PATH']}"

    @contextmanager
    def as_client(self) -> Iterator[None]:
        """Have this process, and those that it starts, use this client configuration."""
        runtime = tempfile.mkdtemp(prefix="r", dir=self.folder)  # shared connections of its own: each checks keys anew
        before = dict(os.environ)
        os.environ |= {"PATH": self.path, "XDG_RUNTIME_DIR": runtime}
        try:
            yield
        finally:
            os.environ |= {"PATH": before["PATH"]}
            os.environ.pop("XDG_RUNTIME_DIR")
            os.environ |= {name: value for name, value in before.items() if name == "XDG_RUNTIME_DIR"}

    def add(self, name: str, **options: bool | FarHost | None) -> FarHost:
        """Make a host and start it; the options are those of `FarHost`."""
        return self.start(FarHost(name, self.next_number(), self.folder / name, self.net, **options))  # type: ignore[arg-type]

    def next_number(self) -> int:
        """Return a number that no host has."""
        return 1 + max((host.number for host in self.hosts.values()), default=0)

    def start(self, host: FarHost) -> FarHost:
        """Start a host that is made."""
        prepare(host.folder, host.has_vmtop, self.folder / "user.pub")
        self.hosts[host.name] = host
        self.write_client_files()
        host.start()
        return host

    def remove(self, name: str) -> None:
        """End a host, and forget it: another one may have its name."""
        host = self.hosts.pop(name)
        host.kill()
        earlier = len(list(self.folder.glob(f"{name}.*")))
        host.folder.rename(host.folder.with_name(f"{name}.{earlier}"))
        self.write_client_files()

    def write_client_files(self) -> None:
        """Write what the SSH client is to know of the hosts: addresses, jumps and keys."""
        config = "".join(f"Host {name}\n{lines}\n" for name, lines in self.extra.items())
        known = self.known
        for host in self.hosts.values():
            jump = f"  ProxyJump {host.behind.name}\n" if host.behind else ""
            config += f"Host {host.name}\n  HostName {host.address}\n  HostKeyAlias {host.name}\n{jump}"
            known += f"{host.name} {(host.folder / 'host_key.pub').read_text()}"
        (self.folder / "config").write_text(config + _CLIENT.format(names="*", folder=self.folder))
        (self.folder / "known_hosts").write_text(known)

    def ssh(self, name: str, *words: str, timeout_s: float = EXTERNAL_S) -> subprocess.CompletedProcess[str]:
        """Run a command on a host through SSH."""
        argv = [f"{self.folder}/bin/ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", name, shlex.join(words)]
        return subprocess.run(argv, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL)

    def wait_ready(self) -> None:
        """Wait for all of them: they start side by side."""
        for host in self.hosts.values():
            host.wait_ready()


def prepare(folder: Path, has_vmtop: bool, user_key: Path) -> None:
    """Make the folder of a host: its home, its keys, its SSH server's configuration, and vmtop on its PATH."""
    (made_anew(folder) / "home").mkdir()
    (folder / "bin").mkdir()
    new_host_key(folder)
    shutil.copy(user_key, folder / "user.pub")
    if has_vmtop:
        place_program(folder / "bin" / "vmtop", f'exec {Path(sys.executable).with_name("vmtop")} "$@"')
    (folder / "sshd_config").write_text(sshd_config(folder))
    home = f":{folder}/home:/bin/bash"
    lines = Path("/etc/passwd").read_text().splitlines()
    own = [":".join(line.split(":")[:5]) + home if line.startswith("root:") else line for line in lines]
    (folder / "passwd").write_text("\n".join(own) + "\n")


def new_host_key(folder: Path) -> None:
    """Give a host a key; one that it has already is replaced, as after a new installation."""
    for path in folder.glob("host_key*"):
        path.unlink()
    _keygen(folder / "host_key")


def place_program(path: Path, script: str) -> None:
    """Write a shell script that can be run by its name."""
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


@contextmanager
def far_hosts(folder: Path) -> Iterator[FarHosts]:
    """Give a network without any host yet, and remove all that is added to it."""
    require_root()
    if not (CGROUPS / "cgroup.procs").exists() and not (CGROUPS / "memory").exists():
        raise LabUnavailable("there are no cgroups")
    for program in ("sshd", "unshare", "nsenter"):
        find_program(program)
    (made_anew(folder) / "bin").mkdir()
    _keygen(folder / "user")
    place_program(folder / "bin" / "ssh", f'exec {find_program("ssh")} -F {folder}/config "$@"')
    with ExitStack() as undo:
        made = FarHosts(folder, undo.enter_context(bridge("h")))
        undo.callback(_stop, made)
        yield made


def _stop(made: FarHosts) -> None:
    for host in made.hosts.values():
        host.kill()


def _own_cgroups(name: str) -> list[Path]:
    """Make cgroups of that name in every hierarchy, and let processes be put into them."""
    hierarchies = [root for root in (CGROUPS, *sorted(CGROUPS.iterdir())) if (root / "cgroup.procs").exists()]
    if (CGROUPS / "cgroup.procs").exists():
        hierarchies = [CGROUPS]
    groups = [root / name for root in hierarchies]
    for group in groups:
        group.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):  # empty at first, and then nothing can run in it
            if group.parent.name == "cpuset":
                (group / setting).write_text((group.parent / setting).read_text())
    return groups


def _keygen(path: Path) -> None:
    subprocess.run([find_program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)


def ip(*words: str) -> None:
    """Change this machine's network."""
    subprocess.run([find_program("ip"), *words], check=True)
