"""Checks on an engine's address as somebody wrote it into an option or a variable."""

from __future__ import annotations

from collectors.model.errors import SourceDown


def visible(address: str, setting: str) -> str:
    """Return the address without blanks around it.

    Args:
        address: As it was given.
        setting: What it was given with, for the message.

    Raises:
        SourceDown: It contains characters that cannot be seen, such as a zero-width space; the message shows them.
    """
    stripped = address.strip()
    if not stripped.isprintable():
        raise SourceDown(f"{setting} contains characters that cannot be seen: {ascii(stripped)[1:-1][:200]}")
    return stripped
