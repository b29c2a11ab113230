"""What makes a terminal show a notification of the desktop, also of the one that a user's ssh comes from."""

from __future__ import annotations

from collections.abc import Mapping

from collectors.safety.sanitize import sanitize

_LONGEST = 200
_WITH_777 = ("foot", "rxvt", "urxvt")
"""Terminals, by the beginning of TERM, that know rxvt's sequence and not iTerm2's."""


def desktop_notice(title: str, text: str, environment: Mapping[str, str]) -> str:
    """Return the sequence for the terminal of an environment: OSC 777 of rxvt, or OSC 9 of iTerm2.

    VTE (GNOME Terminal and its kin), foot and rxvt have the first one; iTerm2, kitty, WezTerm, Ghostty and Windows
    Terminal the second. A terminal that knows neither ignores both. Within tmux it needs `allow-passthrough`.
    """
    plain_title, plain_text = _plain(title), _plain(text)
    terminal = environment.get("TERM", "")
    if "VTE_VERSION" in environment or terminal.startswith(_WITH_777):
        sequence = f"\x1b]777;notify;{plain_title};{plain_text}\x1b\\"
    else:
        sequence = f"\x1b]9;{plain_title}: {plain_text}\x1b\\"
    if "TMUX" in environment:
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    return sequence


def _plain(text: str) -> str:
    """Return a text that ends no sequence and separates no parameter."""
    return sanitize(text, _LONGEST).replace(";", ",")
