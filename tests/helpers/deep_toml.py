"""Files that are small, and whose reading would take very long, or more levels than Python's stack has."""

from __future__ import annotations

DEEP_TOML = {
    "key": "\n" + ".".join("a" * 30_000) + " = 1",
    "quoted key": "\n" + " . ".join(["'a'"] * 42) + " = 1",
    "heading": "\n[" + ".".join("a" * 20) + "]",
    "inline table": "\nx = {" + ".".join("a" * 25_000) + " = 1}",
    "key below a heading": "\n[" + ".".join("a" * 12) + "]\n" + ".".join("b" * 12) + " = 1",
    "array": "\nx = " + "[" * 20 + "]" * 20,
}
"""All are deep in line 2."""
