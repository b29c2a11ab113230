"""What runs inside the lab's domains: two Linux systems from a kernel and an initrd, and guests of one boot sector."""

import gzip
import lzma
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.helpers.lab.process import LabUnavailable, find_program

_EXTRACTED = ROOT / ".venv" / "lab-kernel"
"""Where `.ci/setup` unpacks a kernel when the machine has none that suits."""

# In the order of their dependencies.
_MODULES = (
    *("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk"),
    *("failover", "net_failover", "virtio_net", "virtio_balloon"),
    *("button", "evdev", "virtio_console"),
)

# The kernel hands `lab_address` and `lab_peer` from its command line over as environment.
_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev
for module in MODULES; do insmod /modules/$module.ko; done
ip link set lo up; ip link set eth0 up; ip address add $lab_address/24 dev eth0
mkdir -p /etc/acpi/PWRF
printf '#!/bin/sh\nexec poweroff -f\n' >/etc/acpi/PWRF/00000080; chmod 755 /etc/acpi/PWRF/00000080
acpid -d >/dev/null 2>&1 & # so that the power button works
until ls -l /proc/$!/fd | grep -q /dev/input; do sleep 0.1; done
agent_port=$(grep -l org.qemu.guest_agent.0 /sys/class/virtio-ports/*/name)
if [ -n "$agent_port" ]; then
    mkdir -p /var/run /var/log
    qemu-ga -d -m virtio-serial -p /dev/$(basename $(dirname $agent_port))
fi
echo READY >/dev/console
ping -q -s 1400 -i 0.5 $lab_peer >/dev/null 2>&1 &
while :; do
    dd if=/dev/zero of=/dev/vda bs=64k count=16 oflag=direct 2>/dev/null
    dd if=/dev/vda of=/dev/null bs=64k count=16 iflag=direct 2>/dev/null
    count=0; while [ $count -lt 500 ]; do count=$((count + 1)); done
    sleep 0.9
done
""".replace("MODULES", " ".join(_MODULES))


_OS_RELEASE = 'NAME="Lab Linux"\nID=lab\nVERSION_ID="12"\nPRETTY_NAME="Lab Linux 12"\n'
_AGENT_CHANNEL = """<channel type='unix'><source mode='bind'/>
<target type='virtio' name='org.qemu.guest_agent.0'/></channel>"""


@dataclass(frozen=True)
class LinuxGuest:
    """A Linux domain to define: its name, the addresses it uses on the bridge, and the folder of its files."""

    name: str
    folder: Path
    bridge: str
    address: str
    peer: str
    has_agent: bool = False
    """Whether it has a channel on which its guest agent can be asked."""

    @property
    def interface(self) -> str:
        """Its interface on the host. Names of libvirt's own choice collide where several daemons run."""
        return f"t{self.address.rpartition('.')[2]}.{self.bridge}"[:15]

    @property
    def console(self) -> Path:
        """What the guest's serial console said; it says READY once the system is up."""
        return self.folder / f"{self.name}.log"

    @property
    def is_ready(self) -> bool:
        """Whether the system inside is up."""
        return self.console.exists() and "READY" in self.console.read_text(errors="replace")

    def xml(self) -> str:
        """Make its 16 MiB disk and return the domain's definition."""
        disk = _make_disk(self.folder / f"{self.name}.img", 16 << 20)
        return f"""<domain type='qemu'><name>{self.name}</name><metadata><libosinfo:libosinfo
xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'><libosinfo:os id='http://debian.org/debian/12'/>
</libosinfo:libosinfo></metadata><memory unit='MiB'>192</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type>
<kernel>{self.folder}/vmlinuz</kernel><initrd>{self.folder}/initrd.gz</initrd>
<cmdline>console=ttyS0 panic=1 quiet lab_address={self.address} lab_peer={self.peer}</cmdline></os>
<features><acpi/><apic/></features>
<devices><emulator>{find_program("qemu-system-x86_64")}</emulator>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/>
<target dev='vda' bus='virtio'/></disk>
<interface type='bridge'><source bridge='{self.bridge}'/><target dev='{self.interface}'/>
<model type='virtio'/></interface>
<serial type='file'><source path='{self.console}'/></serial>
<memballoon model='virtio'><stats period='2'/></memballoon>
{_AGENT_CHANNEL if self.has_agent else ""}</devices></domain>"""


class BootSector(Enum):
    """A guest operating system in one sector (16-bit x86)."""

    IDLE = bytes.fromhex("fa f4 eb fd")  # cli; halt: hlt; jmp halt
    BUSY = bytes.fromhex("eb fe")  # jmp .
    DISK = bytes.fromhex(  # about once a second, reads the second sector and writes it back
        "31c0 8ed8 8ec0 8ed0 bc007c"  # xor ax, ax; mov ds, es, ss, ax; mov sp, 0x7c00
        "be1200 fb f4 4e 75fb"  # turn: mov si, 18 (timer ticks); tick: sti; hlt; dec si; jnz tick
        "b80102 bb0080 b90200 ba8000 cd13"  # ax read 1 sector; bx to 0x8000; cx sector 2; dx first disk; int 0x13
        "b80103 bb0080 b90200 ba8000 cd13"  # the same with write
        "ebd6"  # jmp turn
    )

    POWER_BUTTON = bytes.fromhex(  # powers off when the button of ACPI is pressed, on a machine `pc`
        "fa ba0206 b80001 ef"  # cli; out 0x602 (PM1a_EN), 0x100 (PWRBTN_EN)
        "ba0006 ed f6c401 74fa"  # mov dx, 0x600 (PM1a_STS); wait: in ax, dx; test ah, 1; jz wait
        "ba0406 b80020 ef f4"  # out 0x604 (PM1a_CNT), 0x2000 (SLP_EN, S5); hlt
    )

    def xml(self, name: str, folder: Path, memory_mib: int, extra: str) -> str:
        """Make the 1 MiB disk that starts with this sector and return the domain's definition."""
        disk = _make_disk(folder / f"{name}.img", 1 << 20, self.value.ljust(510, b"\0") + b"\x55\xaa")
        return f"""<domain type='qemu'><name>{name}</name><memory unit='MiB'>{memory_mib}</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='pc'>hvm</type></os>{extra}
<devices><emulator>{find_program("qemu-system-x86_64")}</emulator>
<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='{disk}'/>
<target dev='hda' bus='ide'/></disk><memballoon model='none'/></devices></domain>"""


def make_linux(folder: Path) -> None:
    """Put `vmlinuz` and `initrd.gz` for the Linux guests into a folder."""
    kernel, modules = find_kernel()
    shutil.copy(kernel, folder / "vmlinuz")
    root = folder / "initrd"
    for name in ("bin", "modules", "proc", "sys", "dev"):
        (root / name).mkdir(parents=True)
    shutil.copy(find_program("busybox"), root / "bin" / "busybox")
    _add_agent(root)
    add_modules(modules, _MODULES, root)
    (root / "init").write_text(_INIT)
    (root / "init").chmod(0o755)
    names = [str(path.relative_to(root)) for path in [root, *sorted(root.rglob("*"))]]
    (folder / "initrd.gz").write_bytes(gzip.compress(pack(root, names), 1))


def add_modules(modules: Path, names: Iterable[str], root: Path) -> None:
    """Put a kernel's modules into the folder `modules` of a root; one that the kernel has built in is left out."""
    for name in names:
        for source in modules.rglob(f"{name}.ko*"):
            packed = source.read_bytes()
            (root / "modules" / f"{name}.ko").write_bytes(lzma.decompress(packed) if source.suffix == ".xz" else packed)


def pack(root: Path, names: Iterable[str]) -> bytes:
    """Return files and folders below a root as an archive that a kernel unpacks; links become what they lead to."""
    return subprocess.run(
        [find_program("cpio"), "--quiet", "-L", "-o", "-H", "newc"],
        cwd=root,
        input="\n".join(names).encode(),
        capture_output=True,
        check=True,
    ).stdout


def _add_agent(root: Path) -> None:
    """Put the guest agent, the libraries that it is linked with, and what it says of the system into a root."""
    program = find_program("qemu-ga")
    for path in (program, *linked_with(program)):
        place = root / ("bin/qemu-ga" if path == program else path[1:])
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc" / "os-release").write_text(_OS_RELEASE)


def linked_with(*programs: str) -> list[str]:
    """Return the paths of the libraries that programs, or libraries, are linked with."""
    said = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=True).stdout
    return sorted(set(re.findall(r"(?<=\s)/\S+(?= \()", said)))


def find_kernel() -> tuple[Path, Path]:
    """Return a cloud kernel and the folder of its modules."""
    if platform.machine() != "x86_64":
        raise LabUnavailable("the lab's guests are x86_64")
    for root in (Path("/"), _EXTRACTED):
        for kernel in sorted((root / "boot").glob("vmlinuz-*-cloud-amd64"), reverse=True):
            release = kernel.name.removeprefix("vmlinuz-")
            for modules in (root / "lib/modules" / release, root / "usr/lib/modules" / release):
                if modules.is_dir():
                    return kernel, modules
    raise LabUnavailable("no Debian cloud kernel for the guests (.ci/setup test unpacks one)")


def _make_disk(path: Path, size: int, start: bytes = b"") -> Path:
    with path.open("wb") as disk:
        disk.write(start)
        disk.truncate(size)
    return path
