"""A domain that is paused by its own disk: the image grows on a file system that is full."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import libvirt

from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.patience import EXTERNAL_S

_SECTOR_2, _SECTOR_10 = b"\xb9\x02\x00", b"\xb9\x0a\x00"
"""The instruction of the boot sector that says which sector is read and written."""


class FullDisk:
    """The domain and its small file system, which the daemon alone sees.

    Args:
        lab: The daemon.
        name: Start of the domain's name.
    """

    def __init__(self, lab: LibvirtLab, name: str) -> None:
        self._lab = lab
        self._small = lab.folder / f"{name}-small"
        self.name = lab.start_tiny(name, BootSector.DISK)
        raw = lab.folder / f"{self.name}.img"
        xml = lab.connection.lookupByName(self.name).XMLDesc(libvirt.VIR_DOMAIN_XML_INACTIVE)
        lab.remove(self.name)
        self._small.mkdir(exist_ok=True)
        raw.write_bytes(raw.read_bytes().replace(_SECTOR_2, _SECTOR_10))  # sector 10 is in a page of its own
        image = f"{self._small}/disk.img"
        fill = f"dd if=/dev/zero of={self._small}/filler bs=4k 2>/dev/null"
        self._inside(f"mount -t tmpfs -o size=1m tmpfs {self._small} && cp --sparse=always {raw} {image} && ! {fill}")
        xml = xml.replace("type='raw'", "type='raw' error_policy='stop'").replace(str(raw), image)
        lab.connection.defineXML(xml).create()

    def make_room(self) -> None:
        """Remove what fills the file system: a domain that is resumed then goes on."""
        self._inside(f"rm {self._small}/filler")

    def remove(self) -> None:
        """Remove the domain and the file system."""
        self._lab.remove(self.name)
        self._inside(f"umount {self._small}")

    def _inside(self, script: str) -> None:
        """Run a script where the daemon's mounts are."""
        words = ["nsenter", f"--target={self._lab.daemon.pid}", "--mount", "sh", "-c", script]
        subprocess.run(words, check=True, timeout=EXTERNAL_S)


@contextmanager
def on_a_full_disk(lab: LibvirtLab, name: str) -> Iterator[FullDisk]:
    """Run such a domain."""
    disk = FullDisk(lab, name)
    try:
        yield disk
    finally:
        disk.remove()
