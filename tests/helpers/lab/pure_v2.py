"""A kernel with pure cgroup v2 that measures pressure (PSI), as user-mode Linux does not: an emulated machine.

It has one CPU, and in its memory a file system of busybox, Python, and what vmtop records with.
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.helpers.lab.guests import add_modules, find_kernel, linked_with, pack
from tests.helpers.lab.process import Daemon, find_program, made_anew

PYTHON = Path(sys.executable).resolve()
_MODULES = ("virtio_ring", "virtio", "virtio_pci_legacy_dev", "virtio_pci_modern_dev", "virtio_pci", "virtio_blk")
_USED = ("click", "jeepney", "msgspec", "platformdirs", "re2", "rich", "typing_extensions")
"""What a recording of a host without engines imports beside the standard library."""
_UNUSED = ("config-", "dist-packages", "ensurepip", "idlelib", "lib2to3", "site-packages", "test")
"""How the names of what it does not need of the standard library's folder begin."""
_INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev; mount -t tmpfs tmpfs /run
for module in {modules}; do insmod /modules/$module.ko; done
mount -t cgroup2 cgroup2 /sys/fs/cgroup
stty -F /dev/ttyS1 raw
export HOME=/run TMPDIR=/run LANG=C.UTF-8 PYTHONPATH={paths}
sh /script
poweroff -f
"""


def run_with_pure_v2(folder: Path, script: str, timeout_s: float) -> bytes:
    """Boot, run a script of busybox's shell, and halt.

    Args:
        folder: For what the machine is made of; it is made.
        script: Runs as root, in the root group. /dev/vda is an empty disk of 64 MiB that takes 10 requests a second.
        timeout_s: For all of it; what runs inside takes some 20 times as long as outside.

    Returns:
        What the script wrote to /dev/ttyS1.

    Raises:
        LabUnavailable: This machine cannot boot it.
        ChildProcessError: The script wrote nothing; the message ends with what the console said.
        TimeoutError: It took too long; the message ends likewise.
    """
    kernel, modules = find_kernel()
    made_anew(folder)
    root, disk, output = folder / "root", folder / "disk.img", folder / "output"
    for name in ("bin", "modules", "proc", "sys", "dev", "run"):
        (root / name).mkdir(parents=True)
    (root / "bin" / "busybox").symlink_to(find_program("busybox"))
    add_modules(modules, _MODULES, root)
    used = [_place(name) for name in _USED]
    (root / "script").write_text(script)
    paths = ":".join(sorted({str(path.parent) for path in used} | {str(ROOT)}))
    (root / "init").write_text(_INIT.format(modules=" ".join(_MODULES), paths=paths))
    (root / "init").chmod(0o755)
    own = [str(path.relative_to(root)) for path in [root, *sorted(root.rglob("*"))]]
    # One archive after the other: what this host's paths lead to need not be copied.
    (folder / "initrd").write_bytes(pack(root, own) + pack(Path("/"), _host_files(used)))
    with disk.open("wb") as image:
        image.truncate(64 << 20)
    machine = Daemon(
        [
            *(find_program("qemu-system-x86_64"), "-accel", "tcg", "-cpu", "max", "-m", "512M", "-nodefaults"),
            *("-display", "none", "-no-reboot", "-kernel", str(kernel), "-initrd", str(folder / "initrd")),
            *("-append", "console=ttyS0 quiet panic=-1 psi=1 mitigations=off"),
            *("-serial", "stdio", "-serial", f"file:{output}"),
            *("-drive", f"file={disk},if=virtio,format=raw,throttling.iops-total=10"),
        ],
        folder / "console",
    )
    try:
        if not machine.wait(timeout_s):
            raise TimeoutError(f"no end within {timeout_s:g} s\n{machine.log_tail()}")
    finally:
        machine.stop(2)
    written = output.read_bytes()
    if not written:
        raise ChildProcessError(f"nothing came out of the machine\n{machine.log_tail()}")
    return written


def _place(name: str) -> Path:
    """Return the folder or the file of a module."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    origin = Path(spec.origin)
    return origin.parent if origin.name == "__init__.py" else origin


def _host_files(used: list[Path]) -> list[str]:
    """Return the paths below / of Python, vmtop, what they use, and of all folders on the way."""
    library = Path(sysconfig.get_path("stdlib"))
    needed = [path for path in library.iterdir() if not path.name.startswith(_UNUSED)]
    files = [PYTHON, *(file for path in [*needed, *used, ROOT / "collectors", ROOT / "tui"] for file in _below(path))]
    linked = linked_with(str(PYTHON), *(str(file) for file in files if file.suffix == ".so"))
    files += [Path(path) for path in linked]
    folders = {folder for file in files for folder in file.parents}
    return [str(path)[1:] for path in [*sorted(folders - {Path("/")}), *sorted(set(files))]]


def _below(path: Path) -> Iterator[Path]:
    """Iterate over the files in a folder, or over the file itself.

    Bytecode that another process is writing ends in a number and vanishes.
    """
    files = path.rglob("*") if path.is_dir() else (path,)
    return (file for file in files if file.is_file() and not file.suffix[1:].isdigit())
