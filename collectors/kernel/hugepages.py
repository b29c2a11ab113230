"""The host's pools of hugepages: memory set apart from all other, which neither memcg nor a resident size counts.

Source: kernel Documentation/admin-guide/mm/hugetlbpage.rst; names of sizes: mm/hugetlb_cgroup.c, mem_fmt.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from collectors.kernel.procfs import read_bytes

_PREFIX = "hugepages-"


class Pool(NamedTuple):
    """The pages of one size."""

    size_bytes: int
    pages: int
    """In use or not, surplus pages included."""
    unused: int
    """Reserved ones too, until they are touched. No other memory can be taken from them."""

    @property
    def size(self) -> str:
        """The size as the hugetlb controller writes it: `64KB`, `2MB`, `1GB`."""
        for shift, unit in ((30, "GB"), (20, "MB")):
            if self.size_bytes >> shift:
                return f"{self.size_bytes >> shift}{unit}"
        return f"{self.size_bytes >> 10}KB"


def read_pools(sys: str) -> list[Pool]:
    """Return the pools that have pages, the smallest size first; nothing on a kernel without hugepages."""
    folder = f"{sys}/kernel/mm/hugepages"
    try:
        names = [name for name in os.listdir(folder) if name.startswith(_PREFIX) and name.endswith("kB")]
    except OSError:
        return []
    pools: list[Pool] = []
    for name in names:
        size, pages = name.removeprefix(_PREFIX).removesuffix("kB"), _number(f"{folder}/{name}/nr_hugepages")
        if pages and size.isdecimal():
            pools.append(Pool(int(size) << 10, pages, _number(f"{folder}/{name}/free_hugepages")))
    return sorted(pools)


def _number(path: str) -> int:
    text = (read_bytes(path) or b"").strip()
    return int(text) if text.isdigit() else 0
