"""Growth of counters between two readings."""

from __future__ import annotations


class Rates:
    """Remembers counters by name. A counter seen for the first time, or that fell, has no rate."""

    def __init__(self) -> None:
        self._readings: dict[str, tuple[float, float]] = {}
        """Counter name -> its last value, and when it was read."""

    def growth(self, name: str, value: float | None, at: float) -> float | None:
        """Return how much a counter grew since its last reading; `at` is a monotonic instant in seconds."""
        step = self._step(name, value, at)
        return None if step is None else step[0]

    def per_second(self, name: str, value: float | None, at: float) -> float | None:
        """Return a counter's growth per second since its last reading."""
        step = self._step(name, value, at)
        return None if step is None or step[1] <= 0 else step[0] / step[1]

    def _step(self, name: str, value: float | None, at: float) -> tuple[float, float] | None:
        """Return a counter's growth and the seconds it took; `None` when either reading is missing or it fell."""
        previous = self._readings.pop(name, None)
        if value is None:
            return None
        self._readings[name] = (value, at)
        return None if previous is None or value < previous[0] else (value - previous[0], at - previous[1])
