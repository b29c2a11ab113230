"""A sysfs and a procfs with block devices, of ordinary files."""

from collections.abc import Iterable, Mapping
from pathlib import Path


def add_device(sys: Path, name: str, number: str = "", below: Iterable[str] = ()) -> Path:
    """Add a whole block device, after those that it is built on. Return its directory.

    Args:
        sys: Where sysfs is.
        name: Its name.
        number: Major and minor number; none for a hidden one.
        below: The devices or partitions that it is built on.
    """
    home = sys / "devices" / name
    (home / "slaves").mkdir(parents=True)
    if number:
        (home / "dev").write_text(f"{number}\n")
    for lower in below:
        whole = next(sys.glob(f"devices/**/{lower}"))
        (home / "slaves" / lower).symlink_to(whole)
    (sys / "block").mkdir(exist_ok=True)
    (sys / "block" / name).symlink_to(home)
    (sys / "dev" / "block").mkdir(parents=True, exist_ok=True)
    if number:
        (sys / "dev" / "block" / number).symlink_to(home)
    return home


def add_partition(sys: Path, disk: str, name: str) -> None:
    """Add a partition to a disk."""
    home = sys / "devices" / disk / name
    home.mkdir()
    (home / "partition").write_text("1\n")


def diskstats(devices: Mapping[str, tuple[str, int, int, int, int]]) -> bytes:
    """Return a table of devices by name: number, bytes read and written, operations of both."""
    lines = (
        f"{number.replace(':', ' ')} {name} {reads} 0 {read_bytes // 512} 0 {writes} 0 {write_bytes // 512} 0 0 0 0\n"
        for name, (number, read_bytes, write_bytes, reads, writes) in devices.items()
    )
    return "".join(lines).encode()
