"""A libvirt daemon of the test run's own, beside any other: its folders are private mounts."""

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.helpers.lab.guests import BootSector, LinuxGuest, make_linux
from tests.helpers.lab.network import Bridge, bridge
from tests.helpers.lab.process import (
    Daemon,
    LabUnavailable,
    cgroup_parents,
    find_program,
    in_private_mounts,
    listens,
    remove_cgroups,
    require_root,
    wait_until,
)

if TYPE_CHECKING:
    from libvirt import virConnect

_PRIVATE = {
    "run": "/run/libvirt",
    "lib": "/var/lib/libvirt",
    "cache": "/var/cache/libvirt",
    "log": "/var/log/libvirt",
    "etc": "/etc/libvirt",
}
_QEMU_CONF = """stdio_handler = "file"
security_driver = "none"
user = "root"
group = "root"
remember_owner = 0
hugetlbfs_mount = "/run/hugepages"
"""


class LibvirtLab:
    """A libvirt daemon with two Linux guests that boot, one domain that is shut off, and as many tiny ones as wanted.

    Names end with the process id of the run: the kernel's cgroups have one name space for all daemons.
    """

    def __init__(self, folder: Path, daemon: Daemon, net: Bridge | None = None) -> None:
        """Connect to a daemon; `start_guests` makes its domains, for which it needs a network."""
        import libvirt  # here, so that hosts without libvirt can collect the tests

        self.folder = folder
        self.daemon = daemon
        self.uri = f"qemu+unix:///system?socket={socket_of(folder)}"
        self.connection: virConnect = libvirt.open(self.uri)
        self.guests = tuple(
            LinuxGuest(_unique(name), folder, net.name, net.address(mine), net.address(other), name == "linux1")
            for name, mine, other in (("linux1", 11, 12), ("linux2", 12, 11))
            if net is not None
        )
        self.shut_off = _unique("shutoff")

    def start_guests(self) -> None:
        """Define the domains and start the Linux guests; `wait_ready` waits for them."""
        make_linux(self.folder)
        for guest in self.guests:
            self.connection.defineXML(guest.xml()).create()
        self.connection.defineXML(BootSector.IDLE.xml(self.shut_off, self.folder, 4, ""))

    def wait_ready(self, timeout_s: float = 120) -> tuple[str, str]:
        """Wait until both Linux guests are up, and return their names."""
        wait_until(lambda: all(guest.is_ready for guest in self.guests), timeout_s, "READY of both Linux guests")
        first, second = self.guests
        return first.name, second.name

    def start_tiny(
        self,
        name: str,
        sector: BootSector = BootSector.IDLE,
        memory_mib: int = 4,
        cpu_share: float | None = None,
        is_on_hugepages: bool = False,
    ) -> str:
        """Define and start a domain of one boot sector, in a fraction of a second.

        Args:
            name: Start of its name.
            sector: What it does: `IDLE`, `BUSY`, or `DISK` (one read and one write of 512 bytes a second).
            memory_mib: Memory of the domain.
            cpu_share: Quota of its vCPU in host cores.
            is_on_hugepages: Whether its memory is on hugepages, of which the host must have enough.

        Returns:
            The whole name, which `connection.lookupByName` and `remove` take.
        """
        full = _unique(name)
        extra = "" if cpu_share is None else _quota(cpu_share)
        extra += "<memoryBacking><hugepages/></memoryBacking>" if is_on_hugepages else ""
        self.connection.defineXML(sector.xml(full, self.folder, memory_mib, extra)).create()
        return full

    def pid_of(self, name: str) -> int:
        """Return the process id of the QEMU of a running domain."""
        return int((self.folder / "run" / "qemu" / f"{name}.pid").read_text())

    def remove(self, name: str) -> None:
        """Destroy a domain, if it runs, and undefine it."""
        domain = self.connection.lookupByName(name)
        if domain.isActive():
            domain.destroy()
        domain.undefine()

    def stop(self) -> None:
        """End all domains and the daemon, whatever state a test left them in."""
        import libvirt

        with suppress(ProcessLookupError):
            os.kill(self.daemon.pid, signal.SIGCONT)
        for pid_file in (self.folder / "run" / "qemu").glob(f"*-{os.getpid()}.pid"):
            with suppress(ProcessLookupError, FileNotFoundError):
                os.kill(int(pid_file.read_text()), signal.SIGKILL)  # a destroy takes two seconds for each
        with suppress(libvirt.libvirtError):  # a test may have broken the connection on purpose
            self.connection.close()
        if self.daemon.is_running:
            connection = libvirt.open(self.uri)
            wait_until(lambda: connection.numOfDomains() == 0, 30, "the end of all domains")
            connection.close()
        self.daemon.stop()
        remove_cgroups(f"machine/qemu-*-{os.getpid()}.libvirt-qemu")


@contextmanager
def libvirt_daemon(folder: Path) -> Iterator[LibvirtLab]:
    """Run a daemon with all of its state below a folder, and the lab's domains on it."""
    if not Path("/dev/net/tun").exists():
        raise LabUnavailable("there is no /dev/net/tun for the guests' network")
    with bridge("v") as net, bare_libvirt(folder, net) as lab:
        lab.start_guests()
        yield lab


@contextmanager
def bare_libvirt(folder: Path, net: Bridge | None = None) -> Iterator[LibvirtLab]:
    """Run a daemon with all of its state below a folder, without any domain."""
    require_root()
    try:
        import libvirt
    except ImportError:
        raise LabUnavailable("libvirt-python is not installed") from None
    libvirt.registerErrorHandler(lambda _context, _error: None, None)
    with ExitStack() as undo:
        undo.enter_context(cgroup_parents("machine"))
        daemon = start_libvirtd(folder)
        undo.callback(daemon.stop)
        lab = LibvirtLab(folder, daemon, net)
        undo.callback(lab.stop)  # before the first guest: an interrupted start must end it too
        yield lab


def socket_of(folder: Path) -> Path:
    """Return the socket of the daemon whose state is in a folder."""
    return folder / "run" / "libvirt-sock"


def start_libvirtd(folder: Path) -> Daemon:
    """Start libvirtd and wait until it listens; one that was killed finds its domains running."""
    for name in _PRIVATE:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "etc" / "qemu.conf").write_text(_QEMU_CONF)
    (folder / "etc" / "libvirtd.conf").write_text('auth_unix_rw = "none"\nauth_unix_ro = "none"\n')
    mounts = ["mount -t tmpfs tmpfs /run", "mkdir /run/libvirt /run/lock"]  # consoles are locked in /var/lock
    if "hugetlbfs" in Path("/proc/filesystems").read_text():
        mounts += ["mkdir /run/hugepages", "mount -t hugetlbfs hugetlbfs /run/hugepages"]
    mounts += [f"mount --bind {folder}/{name} {place}" for name, place in _PRIVATE.items()]
    argv = [find_program("libvirtd"), "-f", "/etc/libvirt/libvirtd.conf", "-p", f"{folder}/libvirtd.pid"]
    daemon = Daemon(in_private_mounts(mounts, argv), folder / "libvirtd.log")
    daemon.wait_until(lambda: listens(socket_of(folder)), 60, "libvirtd's socket")
    return daemon


def _unique(name: str) -> str:
    return f"{name}-{os.getpid()}"


def _quota(cores: float) -> str:
    return f"<cputune><period>100000</period><quota>{int(cores * 100_000)}</quota></cputune>"
