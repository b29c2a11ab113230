"""Reads TOML of the configuration, the themes and the state: bounded, without blocking, owned by the right user."""

from __future__ import annotations

import errno
import os
import re
import stat
from pathlib import Path
from typing import Any

from collectors.safety.own_folder import check_path

LARGEST = 64 << 10
"""Bytes of a file."""
_DEEPEST = 16
"""Levels of tables and arrays. What vmtop reads has four."""
_MOST_DOTS = 40
_LONG_KEY = re.compile(rf"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){{{_MOST_DOTS}}}""")
"""Refused before it is parsed: `tomllib` takes quadratic time for it."""


class TooDeep(ValueError):
    """A text is nested so deeply that reading it could take very long; a clause with its line."""


def read_text(path: Path, largest: int = LARGEST) -> str:
    """Return the text of a file. A pipe or a device in its place neither blocks nor is read.

    Raises:
        OSError: It cannot be read, another user could change it, or it is no regular file of a reasonable size.
        UnicodeDecodeError: It is not UTF-8.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if status.st_size > largest:
            raise OSError(errno.EFBIG, f"it is longer than {largest >> 10} KiB")
        check_path(path)
        return os.read(descriptor, largest).decode("utf-8")
    finally:
        os.close(descriptor)


def parse_toml(text: str) -> dict[str, Any]:
    """Return the document of a text.

    Raises:
        TooDeep: It is nested too deeply.
        ValueError: It is not TOML; the message has the line.
    """
    import tomllib  # late: most runs have no such file

    if long_key := _LONG_KEY.search(text):
        raise _too_deep(text, long_key.start())
    try:
        document = tomllib.loads(text)
    except RecursionError as error:
        raise TooDeep(f"it is nested deeper than {_DEEPEST} levels") from error
    level: list[tuple[str, Any]] = list(document.items())
    for _ in range(_DEEPEST):
        level = [(key, inner) for key, value in level for inner in _values(value)]
    if level:
        heading = re.search(rf"""^[ \t\[]*["']?{re.escape(level[0][0])}""", text, re.MULTILINE)
        raise _too_deep(text, heading.end() if heading else 0)
    return document


def _values(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


def _too_deep(text: str, position: int) -> TooDeep:
    line = text.count("\n", 0, position) + 1
    return TooDeep(f"it is nested deeper than {_DEEPEST} levels (at line {line})")
