"""Command lines of VMMs as their managers write them, shortened only where nothing is read."""

from __future__ import annotations

from typing import NamedTuple

UUID = "1b4e28ba-2fa1-11d2-883f-0016d3cca427"
SANDBOX = "5a" * 32


class VmmCommand(NamedTuple):
    """A VMM's command line, and how the machine is to be described."""

    program: str
    """The path of the executable."""
    arguments: str
    engine: str
    id: str
    name: str
    vcpus: int | None = None
    memory_bytes: int | None = None
    disks: tuple[str, ...] = ()
    control_socket: str | None = None
    config_path: str | None = None

    @property
    def words(self) -> list[str]:
        """The whole command line; `␣` stands for a space in a word."""
        return [self.program, *(word.replace("␣", " ") for word in self.arguments.split())]


QEMU = "/usr/bin/qemu-system-x86_64"

COMMANDS: dict[str, VmmCommand] = {
    "plain QEMU": VmmCommand(
        QEMU,
        f"-enable-kvm -name web,debug-threads=on -uuid {UUID} -smp 4,sockets=1,cores=4 -m 2G -nic tap,ifname=tap0 "
        "-drive file=/vm/web.qcow2,if=virtio -drive file=/iso/d.iso,media=cdrom "
        "-drive if=pflash,file=/usr/share/OVMF/OVMF_CODE.fd -qmp unix:/run/web.qmp,server=on,wait=off",
        "vmm", UUID, "web", 4, 2 << 30, ("/vm/web.qcow2",), "/run/web.qmp",
    ),
    "QEMU without a name": VmmCommand(
        QEMU, "-m 512 -hda disks/build␣host.img -nographic",
        "vmm", "42-500", "build host", 1, 512 << 20, ("disks/build host.img",),
    ),
    "libvirt": VmmCommand(
        QEMU,
        "-name guest=db,debug-threads=on -S "
        '-object {"qom-type":"secret","id":"masterKey0","file":"/var/lib/libvirt/qemu/domain-1-db/k.aes"} '
        f"-machine pc-i440fx-7.2 -m size=4194304k,slots=16,maxmem=8388608k -smp 2,maxcpus=4,sockets=4 -uuid {UUID} "
        "-chardev socket,id=charmonitor,fd=26,server=on,wait=off -mon chardev=charmonitor,id=monitor,mode=control "
        '-blockdev {"driver":"file","filename":"/vm/db.qcow2","node-name":"libvirt-1-storage"} '
        '-blockdev {"node-name":"libvirt-1-format","driver":"qcow2","file":"libvirt-1-storage"}',
        "qemu", UUID, "db", 2, 4 << 30, ("/vm/db.qcow2",),
    ),
    "Proxmox VE": VmmCommand(
        "/usr/bin/qemu-system-x86_64",
        "-id 101 -name web,debug-threads=on -chardev socket,id=qmp,path=/var/run/qemu-server/101.qmp,server=on "
        f"-mon chardev=qmp,mode=control -pidfile /var/run/qemu-server/101.pid -smbios type=1,uuid={UUID} "
        "-smp 2,sockets=1,cores=2,maxcpus=2 -m 2048 -drive file=/dev/pve/vm-101-disk-0,if=none,id=drive-scsi0",
        "proxmox", "101", "web", 2, 2 << 30, ("/dev/pve/vm-101-disk-0",), "/var/run/qemu-server/101.qmp",
        "/etc/pve/qemu-server/101.conf",
    ),
    "Incus": VmmCommand(
        "/opt/incus/bin/qemu-system-x86_64",
        f"-S -name build -uuid {UUID} -daemonize -cpu host -nographic -readconfig /run/incus/ci_build/qemu.conf "
        "-spice unix=on,disable-ticketing=on,addr=/run/incus/ci_build/qemu.spice -pidfile /run/incus/ci_build/qemu.pid",
        "incus", "ci/build", "build", 1, 128 << 20, config_path="/run/incus/ci_build/qemu.conf",
    ),
    "LXD snap": VmmCommand(
        "/snap/lxd/24322/bin/qemu-system-x86_64",
        f"-S -name vm1 -uuid {UUID} -readconfig /var/snap/lxd/common/lxd/logs/vm1/qemu.conf -smp 2 -m 1024M",
        "lxd", "default/vm1", "vm1", 2, 1 << 30, config_path="/var/snap/lxd/common/lxd/logs/vm1/qemu.conf",
    ),
    "Lima": VmmCommand(
        "/usr/local/bin/qemu-system-x86_64",
        "-m 4096 -cpu host -smp 4,sockets=1,cores=4,threads=1 -drive file=/home/u/.lima/default/diffdisk,if=virtio "
        "-chardev socket,id=char-qmp,path=/home/u/.lima/default/qmp.sock,server=on,wait=off -qmp chardev:char-qmp "
        "-name lima-default -pidfile /home/u/.lima/default/qemu.pid",
        "lima", "default", "default", 4, 4 << 30, ("/home/u/.lima/default/diffdisk",),
        "/home/u/.lima/default/qmp.sock", "/home/u/.lima/default/lima.yaml",
    ),
    "Multipass": VmmCommand(
        "/snap/multipass/10614/usr/bin/qemu-system-x86_64",
        "--enable-kvm -cpu host -nic tap,ifname=tap-1,model=virtio-net-pci -device virtio-scsi-pci,id=s0 "
        "-drive file=/var/snap/multipass/common/data/multipassd/vault/instances/primary/ubuntu-22.04.img,if=none "
        "-smp 2 -m 1024M -qmp stdio -chardev null,id=char0 -serial chardev:char0 -nographic",
        "multipass", "primary", "primary", 2, 1 << 30,
        ("/var/snap/multipass/common/data/multipassd/vault/instances/primary/ubuntu-22.04.img",),
    ),
    "Kata with QEMU": VmmCommand(
        "/opt/kata/bin/qemu-system-x86_64",
        f"-name sandbox-{SANDBOX},debug-threads=on -uuid {UUID} -machine q35,accel=kvm -m 2048M,slots=10,maxmem=16384M "
        f"-qmp unix:/run/vc/vm/{SANDBOX}/qmp.sock,server=on,wait=off -smp 1,cores=1,threads=1,sockets=8,maxcpus=8",
        "kata", SANDBOX, SANDBOX[:12], 1, 2 << 30, control_socket=f"/run/vc/vm/{SANDBOX}/qmp.sock",
    ),
    "VirtualBox": VmmCommand(
        "/usr/lib/virtualbox/VirtualBoxVM",
        f"--comment dev␣box --startvm {UUID} --no-startvm-errormsgbox",
        "virtualbox", UUID, "dev box",
    ),
    "VirtualBox headless by hand": VmmCommand(
        "/usr/lib/virtualbox/VBoxHeadless", "-s ci", "virtualbox", "ci", "ci",
    ),
    "VMware": VmmCommand(
        "/usr/lib/vmware/bin/vmware-vmx",
        "-s vmx.stdio.keep=TRUE -# product=1;name=VMware␣Workstation;version=17.0.0 -@ pipe=/run/v/vmx1;msgs=ui "
        "/home/u/vmware/w/w11.vmx",
        "vmware", "/home/u/vmware/w/w11.vmx", "w11", config_path="/home/u/vmware/w/w11.vmx",
    ),
    "Firecracker in a jail": VmmCommand(
        "/firecracker", "--id vm-7 --start-time-us 1 --start-time-cpu-us 1 --parent-cpu-time-us 1",
        "firecracker", "vm-7", "vm-7", control_socket="/run/firecracker.socket",
    ),
    "Firecracker": VmmCommand(
        "/usr/local/bin/firecracker-v1.7.0-x86_64", "--api-sock /run/fc-a.socket --config-file /vm/a.json",
        "firecracker", "/run/fc-a.socket", "fc-a", control_socket="/run/fc-a.socket", config_path="/vm/a.json",
    ),
    "Cloud Hypervisor": VmmCommand(
        "/usr/bin/cloud-hypervisor-static",
        "--api-socket path=/run/ch/web.sock --cpus boot=2,max=4 --memory size=1G,shared=on "
        "--disk path=/vm/web.raw path=/vm/data.raw,readonly=on --net tap=tap1",
        "cloud-hypervisor", "/run/ch/web.sock", "web", 2, 1 << 30, ("/vm/web.raw", "/vm/data.raw"), "/run/ch/web.sock",
    ),
    "Kata with Cloud Hypervisor": VmmCommand(
        "/opt/kata/bin/cloud-hypervisor", f"--api-socket /run/vc/vm/{SANDBOX}/clh-api.sock",
        "kata", SANDBOX, SANDBOX[:12], control_socket=f"/run/vc/vm/{SANDBOX}/clh-api.sock",
    ),
    "crosvm": VmmCommand(
        "/usr/bin/crosvm", "run --cpus 2 --mem 1024 --socket /run/cros/a.sock --rwdisk /vm/a.img /boot/vmlinux",
        "vmm", "42-500", "a", 2, 1 << 30, ("/vm/a.img",), "/run/cros/a.sock",
    ),
}  # fmt: skip
"""By what runs them. The pid is 42 and the start 500 ticks after the boot."""

NO_MACHINES: tuple[tuple[str, str], ...] = (
    (QEMU, "-S -no-user-config -nodefaults -nographic -machine none,accel=kvm:tcg -qmp unix:/run/q,server=on,wait=off"),
    (QEMU, "-machine help"),
    (QEMU, "--version"),
    ("/usr/lib/virtualbox/VBoxHeadless", "--version"),
    ("/usr/lib/virtualbox/VBoxSVC", "--auto-shutdown"),
    ("/usr/lib/virtualbox/VBoxXPCOMIPCD", ""),
    ("/usr/lib/vmware/bin/vmware-vmx", "--version"),
    ("/usr/bin/firecracker-containerd", "--config /etc/f.toml"),
    ("/usr/bin/firecracker", "--version"),
    ("/usr/bin/crosvm", "stop /run/a.sock"),
    ("/usr/bin/qemu-img", "create a.img 1G"),
    ("/usr/bin/qemu-x86_64-static", "/bin/true"),
)
"""Programs of VMMs that run no machine."""
