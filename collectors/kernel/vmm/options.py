"""Pieces of command lines that VMMs share: options with values, and values such as `size=1G,slots=2`. Pure.

Command lines are chosen by whoever starts the process: nothing here fails on any text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

_SIZE = re.compile(r"(\d{1,15})\s*([kKmMgGtT]?)(?:i?[bB])?")
_SCALES = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_LARGEST_SIZE = 1 << 52
_MOST_CPUS = 4096
FIRST = ""
"""Key of the first part of a value, if it has no key of its own: `-smp 4,cores=2`."""


def values(words: Sequence[str], *names: str) -> list[str]:
    """Return the values of all options of these names, as `NAME VALUE` or `--name=VALUE`, in order.

    An option without a value before another option counts as having that other option as its value.
    """
    prefixes = tuple(f"{name}=" for name in names if name.startswith("--"))
    found = [second for first, second in pairwise(words) if first in names]
    return found + [word.partition("=")[2] for word in words if prefixes and word.startswith(prefixes)]


def value(words: Sequence[str], *names: str) -> str | None:
    """Return the value of the last option of these names; `None` without one, or if it is empty."""
    found = values(words, *names)
    return (found[-1] or None) if found else None


def parts(text: str | None) -> dict[str, str]:
    """Split a value such as `web,debug-threads=on` at its commas; a doubled comma stands for one.

    A part without `=` is a flag, with an empty value, except the first one, which is the value of `FIRST`.
    """
    return dict(_parts(text)) if text else {}


def _parts(text: str) -> Iterator[tuple[str, str]]:
    for index, part in enumerate(text.replace(",,", "\0").split(",")):
        key, sign, part_value = part.replace("\0", ",").partition("=")
        if sign:
            yield key, part_value
        else:
            yield (FIRST, key) if index == 0 else (key, "")


def size_bytes(text: str | None, unit: str = "") -> int | None:
    """Return a size in bytes; `None` if it is none.

    Args:
        text: A number, with or without a suffix: `1024`, `4G`, `512MiB`.
        unit: The suffix that a number without one stands for.
    """
    match = _SIZE.fullmatch((text or "").strip())
    if match is None:
        return None
    found = int(match[1]) << _SCALES[(match[2] or unit).lower()]
    return found if 0 < found <= _LARGEST_SIZE else None


def cpu_count(text: str | None) -> int | None:
    """Return a number of virtual CPUs; `None` if it is none, or cannot be one."""
    return int(text) if text and text.isascii() and text.isdecimal() and 0 < int(text[:9]) <= _MOST_CPUS else None
