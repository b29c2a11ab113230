"""A machine's configuration file may be anything that its owner puts there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.vmm.configuration import (
    Configured,
    parse_firecracker,
    parse_qemu_conf,
    parse_vmx,
    read_configuration,
)
from collectors.kernel.vmm.families import FAMILIES
from collectors.kernel.vmm.machine_facts import MachineFacts
from collectors.kernel.vmm.process import VmmProcess

VMX = b"""#!/usr/bin/vmware
.encoding = "UTF-8"
displayName = "Windows 11 (office)"
numvcpus = "4"
memsize = "8192"
scsi0:0.fileName = "w11-cl1.vmdk"
nvme0:0.fileName = "/big/data.vmdk"
ide1:0.fileName = "/isos/tools.iso"
"""
QEMU_CONF = b"""# Machine
[machine]
graphics = "off"
accel = "kvm"
[memory]
size = "2048M"
[smp-opts]
cpus = "2"
sockets = "1"
[device "dev-qemu_rng"]
size = "9G"
"""
FIRECRACKER = b"""{"boot-source": {"kernel_image_path": "vmlinux"},
"machine-config": {"vcpu_count": 2, "mem_size_mib": 1024},
"drives": [{"drive_id": "rootfs", "path_on_host": "rootfs.ext4", "is_root_device": true}]}"""


def process(tmp_path: Path, path: str) -> VmmProcess:
    (tmp_path / "proc/42").mkdir(parents=True, exist_ok=True)
    (tmp_path / "root").mkdir(exist_ok=True)
    if not (tmp_path / "proc/42/root").exists():
        (tmp_path / "proc/42/root").symlink_to(tmp_path / "root")
    facts = MachineFacts("vmm", config_path=path)
    return VmmProcess(42, 500, os.geteuid(), (), facts, FAMILIES[0], None, 1)


def read(tmp_path: Path, path: str) -> Configured | None:
    return read_configuration(process(tmp_path, path), str(tmp_path / "proc"))


def write(tmp_path: Path, name: str, text: bytes) -> Path:
    file = tmp_path / "root" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)
    return file


def test_what_the_files_of_managers_say(tmp_path: Path) -> None:
    write(tmp_path, "vm/w/w11.vmx", VMX)
    write(tmp_path, "run/incus/web/qemu.conf", QEMU_CONF)
    write(tmp_path, "fc.json", FIRECRACKER)
    disks = ("/vm/w/w11-cl1.vmdk", "/big/data.vmdk")
    assert read(tmp_path, "/vm/w/w11.vmx") == Configured("Windows 11 (office)", 4, 8 << 30, disks)
    assert read(tmp_path, "/run/incus/web/qemu.conf") == Configured(None, 2, 2 << 30)
    assert read(tmp_path, "/fc.json") == Configured(None, 2, 1 << 30, ("rootfs.ext4",))


def test_no_link_is_followed_and_nothing_but_a_file_is_opened(tmp_path: Path) -> None:
    file = write(tmp_path, "real/a.vmx", VMX)
    (file.parent / "link.vmx").symlink_to(file)
    (tmp_path / "root/folder").symlink_to(file.parent)
    os.mkfifo(file.parent / "pipe.vmx")
    (file.parent / "dir.vmx").mkdir()
    for path in (
        "/real/link.vmx",
        "/folder/a.vmx",
        "/real/pipe.vmx",
        "/real/dir.vmx",
        "/real/../real/a.vmx",
        "real/a.vmx",
    ):
        assert read(tmp_path, path) is None, path
    assert read(tmp_path, "/real/a.vmx") is not None


def test_a_file_that_is_too_large_or_of_another_user_is_not_read(tmp_path: Path) -> None:
    write(tmp_path, "large.vmx", b"x" * (1 << 21))
    assert read(tmp_path, "/large.vmx") is None
    if os.geteuid() == 0:
        file = write(tmp_path, "others.vmx", VMX)
        os.chown(file, 4242, 4242)
        assert read(tmp_path, "/others.vmx") is None


@pytest.mark.parametrize("path", ["", "/", "/missing.vmx", "/a\0b.vmx", "/" + "d/" * 100 + "a.vmx", "/x.txt"])
def test_a_path_that_leads_nowhere_is_no_configuration(tmp_path: Path, path: str) -> None:
    assert read(tmp_path, path) is None


@given(st.one_of(st.binary(max_size=200), st.sampled_from([VMX, QEMU_CONF, FIRECRACKER]).map(lambda text: text[::-1])))
def test_no_file_breaks_a_parser(text: bytes) -> None:
    for parse in (parse_qemu_conf, parse_vmx, parse_firecracker):
        found = parse(text, "/a/b")
        assert found is None or found.memory_bytes is None or found.memory_bytes > 0
