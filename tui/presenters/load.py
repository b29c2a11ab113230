"""How busy this host is, in words that explain why an answer is late."""

from __future__ import annotations

import os

from collectors.sampling.timeout import ANSWER_S


def load_words() -> str:
    """Return the load average of the last minute as ` (load 40 on 2 cores)`; empty if the cores suffice for it."""
    load, cores = os.getloadavg()[0], os.cpu_count() or 1
    return f" (load {load:.0f} on {cores} core{'' if cores == 1 else 's'})" if load > cores else ""


def longer_words(most_s: float) -> str:
    """Return how to wait longer than `most_s` seconds."""
    return f"wait longer with --wait {max(ANSWER_S, 4 * most_s):g}"


def late_words(waited_s: float, most_s: float) -> str:
    """Return how long something was waited for and what to do, to go after what has not come."""
    longer, load = longer_words(most_s), load_words()
    if not load:
        return f" in {waited_s:.0f} s; it may hang: check it, or {longer}"
    return f" in {waited_s:.0f} s{load}; it may be slow or hang: {longer}, or try again when this host is less busy"
