"""Growth of counters between two looks."""

from __future__ import annotations


class Rates:
    """Remembers counters by name. A counter seen for the first time, or that fell, has no rate."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, float]] = {}

    def grown(self, name: str, value: float | None, at: float) -> float | None:
        """Return by how much a counter grew since the look before; `at` is a monotonic instant in seconds."""
        growth = self._step(name, value, at)
        return None if growth is None else growth[0]

    def per_second(self, name: str, value: float | None, at: float) -> float | None:
        """Return a counter's growth per second since the look before."""
        growth = self._step(name, value, at)
        return None if growth is None or growth[1] <= 0 else growth[0] / growth[1]

    def _step(self, name: str, value: float | None, at: float) -> tuple[float, float] | None:
        before = self._seen.pop(name, None)
        if value is None:
            return None
        self._seen[name] = (value, at)
        return None if before is None or value < before[0] else (value - before[0], at - before[1])
