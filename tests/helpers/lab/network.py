"""A bridge of the lab's own, so that traffic has real counters and no existing network is touched."""

import ipaddress
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.helpers.lab.process import find_program


@dataclass(frozen=True)
class Bridge:
    """A bridge on the host with a /24 behind it."""

    name: str
    subnet: ipaddress.IPv4Network

    @property
    def gateway(self) -> str:
        """The host's own address on the bridge."""
        return self.address(1)

    def address(self, number: int) -> str:
        """Return the address of one host of the subnet, without its prefix length."""
        return str(self.subnet[number])


@contextmanager
def bridge(purpose: str) -> Iterator[Bridge]:
    """Make a bridge named after a letter and this process, and remove it afterwards.

    Both names and subnets differ between test runs (pid) and within one (`purpose`: one lowercase letter).
    """
    ip = find_program("ip")
    pid = os.getpid()
    second = 128 + (ord(purpose) - ord("a")) * 4 + (pid >> 8) % 4
    made = Bridge(f"vmtop{purpose}{pid}", ipaddress.IPv4Network(f"10.{second}.{pid % 256}.0/24"))
    subprocess.run([ip, "link", "add", made.name, "type", "bridge"], check=True)
    try:
        subprocess.run([ip, "address", "add", f"{made.gateway}/24", "dev", made.name], check=True)
        subprocess.run([ip, "link", "set", made.name, "up"], check=True)
        yield made
    finally:
        subprocess.run([ip, "link", "delete", made.name], check=True)


@contextmanager
def namespace(purpose: str) -> Iterator[str]:
    """Make a network namespace named after its purpose and this process, and remove it afterwards."""
    ip, name = find_program("ip"), f"vmtop-{purpose}-{os.getpid()}"
    subprocess.run([ip, "netns", "add", name], check=True)
    try:
        yield name
    finally:
        subprocess.run([ip, "netns", "delete", name], check=True)
