"""What stands before the first column of a row: the mark or the edge of an alert, and the sign. Pure."""

from __future__ import annotations

from collectors.alerts.rule import Level

LEVEL_TONES = {Level.INFO: "accent", Level.WARNING: "warn", Level.CRITICAL: "bad"}
_MARK, _EDGE, _BOTH = ("▌", ">"), ("▎", "|"), ("█", "#")
"""With Unicode and with ASCII; where there are no colours, only the shape tells them apart."""


def edge(is_marked: bool, level: Level | None, ascii_only: bool) -> tuple[str, str]:
    """Return the first cell of a row and its tone: a mark, the edge of an alert, or both in one in the alert's tone."""
    if level is None:
        return (_MARK[ascii_only], "accent") if is_marked else (" ", "text")
    return (_BOTH if is_marked else _EDGE)[ascii_only], LEVEL_TONES[level]
