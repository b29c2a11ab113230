"""Hugepages of this machine, for as long as a test needs them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.lab.process import LabUnavailable, require_root

_WANTED = Path("/proc/sys/vm/nr_hugepages")


@contextmanager
def hugepages(count: int) -> Iterator[None]:
    """Add pages of the default size to the machine's pool; take them away again afterwards.

    Raises:
        LabUnavailable: The kernel has no hugepages, or not enough memory in one piece.
    """
    require_root()
    if not _WANTED.exists():
        raise LabUnavailable("this kernel has no hugepages")
    before = int(_WANTED.read_text())
    try:
        _WANTED.write_text(str(before + count))
        if int(_WANTED.read_text()) < before + count:
            raise LabUnavailable(f"the kernel does not find {count} hugepages")
        yield
    finally:
        _WANTED.write_text(str(before))
