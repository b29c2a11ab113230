"""The logical CPUs one by one, and the pressure on the host, from procfs."""

from __future__ import annotations

from collectors.analysis.counter_rates import Rates
from collectors.kernel.procfs import read_bytes
from collectors.model.machine import Core, Pressure
from collectors.safety.sanitize import sanitize

_BUSY = (0, 1, 2, 5, 6)
"""user, nice, system, irq, softirq: what the host's CPU% counts; guests are in user and nice already."""
_STEAL = 7
_ALL = 8
"""Without guest and guest_nice, which would count twice."""


def read_cores(proc: str, sys: str, rates: Rates) -> tuple[Core, ...]:
    """Read every core that the host has; those that are switched off have no numbers.

    Args:
        proc: Where procfs is mounted.
        sys: Where sysfs is mounted.
        rates: Remembers the counters; shares are known from the second reading on.
    """
    cores: dict[int, Core] = {}
    for line in (read_bytes(f"{proc}/stat") or b"").splitlines():
        fields = line.split()
        number = fields[0][3:] if fields and fields[0].startswith(b"cpu") else b""
        if number.isdigit() and len(fields) > _ALL and all(field.isdigit() for field in fields[1 : _ALL + 1]):
            cores[int(number)] = _core(int(number), [int(field) for field in fields[1 : _ALL + 1]], rates)
    for number_off in _list(read_bytes(f"{sys}/devices/system/cpu/offline") or b""):
        cores.setdefault(number_off, Core(number_off, None, None, is_online=False))
    return tuple(cores[number] for number in sorted(cores))


def _core(number: int, ticks: list[int], rates: Rates) -> Core:
    growth = [rates.growth(f"cpu{number} {index}", value, 0.0) for index, value in enumerate(ticks)]
    # The idle time of a core may seem to run backwards: it counts as none then.
    known = [value or 0.0 for value in growth]
    total = sum(known)
    if all(value is None for value in growth) or total <= 0:
        return Core(number, None, None)
    return Core(number, sum(known[index] for index in _BUSY) / total * 100, known[_STEAL] / total * 100)


def _list(text: bytes) -> list[int]:
    """Parse the kernel's list of numbers, `1,4-7`."""
    numbers: list[int] = []
    for part in text.decode("ascii", "replace").strip().split(","):
        first, _, last = part.partition("-")
        if first.isdigit() and (not last or last.isdigit()):
            numbers += range(int(first), min(int(last or first), int(first) + 4096) + 1)
    return numbers


def cpu_model(proc: str) -> str:
    """Return what the processor calls itself; empty where the kernel does not say."""
    for line in (read_bytes(f"{proc}/cpuinfo") or b"").splitlines():
        key, _, value = line.partition(b":")
        if key.strip() in (b"model name", b"Model", b"cpu model"):
            return " ".join(sanitize(value.strip()).split())
    return ""


def read_pressures(proc: str) -> tuple[Pressure, ...]:
    """Read the pressure on CPU, memory and I/O; nothing where the kernel does not measure it."""
    found = []
    for resource, name in (("CPU", "cpu"), ("memory", "memory"), ("I/O", "io")):
        lines = {
            fields[0]: _averages(fields[1:4])
            for line in (read_bytes(f"{proc}/pressure/{name}") or b"").splitlines()
            if len(fields := line.split()) >= 4
        }
        if (some := lines.get(b"some")) is not None:
            found.append(Pressure(resource, some, None if name == "cpu" else lines.get(b"full")))
    return tuple(found)


def _averages(words: list[bytes]) -> tuple[float, float, float] | None:
    try:
        ten, minute, five = (float(word.partition(b"=")[2]) for word in words)
    except ValueError:
        return None
    return ten, minute, five
