"""What the cache of ZFS gives back when others need memory: the kernel does not count it as available.

Source: OpenZFS module/os/linux/zfs/arc_os.c, arc_shrinker_func, which stops at the least size of the cache.
"""

from __future__ import annotations

import re

from collectors.kernel.procfs import read_bytes

_ROW = re.compile(rb"^(size|c_min)[ \t]+\d+[ \t]+(\d+)$", re.MULTILINE)


def returnable_bytes(proc: str) -> int:
    """Return the bytes of the cache above its least size; 0 where ZFS is not loaded, or says nothing of the kind."""
    rows = dict(_ROW.findall(read_bytes(f"{proc}/spl/kstat/zfs/arcstats") or b""))
    return max(0, int(rows[b"size"]) - int(rows[b"c_min"])) if len(rows) == len((b"size", b"c_min")) else 0
