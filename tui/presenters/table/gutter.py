"""What stands before the first column of a row: the mark or the edge of an alert, and the sign. Pure."""

from __future__ import annotations

from collectors.alerts.rule import Level

LEVEL_TONES = {Level.INFO: "accent", Level.WARNING: "warn", Level.CRITICAL: "bad"}
_MARK, _EDGE = ("▌", ">"), ("▎", "|")
"""With Unicode and with ASCII."""


def edge(is_marked: bool, level: Level | None, ascii_only: bool) -> tuple[str, str]:
    """Return the first cell of a row and its tone: of a mark, of an alert, or of both the mark in the alert's tone."""
    tone = "accent" if level is None else LEVEL_TONES[level]
    if is_marked:
        return _MARK[ascii_only], tone
    return (" ", "text") if level is None else (_EDGE[ascii_only], tone)
