"""Temperatures and fans, from sysfs.

psutil reads the same files, but only of this host (its path is fixed), and raises what a broken sensor answers.

Source: Documentation/hwmon/sysfs-interface.rst and Documentation/driver-api/thermal/sysfs-api.rst of the kernel.
"""

from __future__ import annotations

import os
import re

from collectors.model.machine import Sensor
from collectors.safety.sanitize import sanitize

_LOWEST_C, _HIGHEST_C = -40.0, 126.0
"""Real sensors stay between these; -128, 127, 128 and 255 are what unconnected ones report, as is exactly 0."""
_FASTEST_RPM = 60_000
_TEMPERATURE = re.compile(r"temp(\d+)_input")
_FAN = re.compile(r"fan(\d+)_input")


def read_sensors(sys: str) -> tuple[tuple[Sensor, ...], tuple[Sensor, ...]]:
    """Return temperatures and fans; thermal zones where no chip reports a temperature."""
    temperatures: list[Sensor] = []
    fans: list[Sensor] = []
    for chip in _folders(f"{sys}/class/hwmon", "hwmon"):
        folder = chip if os.path.exists(f"{chip}/name") else f"{chip}/device"
        name = _text(f"{folder}/name") or "unknown"
        for entry in _names(folder):
            if match := _TEMPERATURE.fullmatch(entry):
                temperatures.append(_temperature(name, folder, f"temp{match[1]}"))
            elif match := _FAN.fullmatch(entry):
                fans.append(_fan(name, folder, f"fan{match[1]}"))
    if not temperatures:
        for zone in _folders(f"{sys}/class/thermal", "thermal_zone"):
            value, why = _celsius(f"{zone}/temp")
            temperatures.append(Sensor("zone", _text(f"{zone}/type") or os.path.basename(zone), value, why=why))
    return tuple(temperatures), tuple(fans)


def _temperature(chip: str, folder: str, key: str) -> Sensor:
    value, why = _celsius(f"{folder}/{key}_input")
    high, _ = _celsius(f"{folder}/{key}_max")
    critical, _ = _celsius(f"{folder}/{key}_crit")
    return Sensor(chip, _text(f"{folder}/{key}_label") or key, value, high, critical, why)


def _fan(chip: str, folder: str, key: str) -> Sensor:
    label = _text(f"{folder}/{key}_label") or key
    value, why = _number(f"{folder}/{key}_input")
    if value is not None and not 0 <= value <= _FASTEST_RPM:
        return Sensor(chip, label, None, why=f"it reports {value:g} rpm")
    return Sensor(chip, label, value, why=why)


def _celsius(path: str) -> tuple[float | None, str]:
    value, why = _number(path)
    if value is None:
        return None, why
    celsius = value / 1000
    if celsius == 0 or not _LOWEST_C < celsius < _HIGHEST_C:
        return None, f"it reports {celsius:g} °C"
    return celsius, ""


def _number(path: str) -> tuple[float | None, str]:
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return float(int(file.read(32))), ""
    except OSError as error:
        return None, sanitize(error.strerror or str(error)).lower()
    except ValueError:
        return None, "it reports no number"


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return sanitize(file.read(128).strip())
    except OSError:
        return ""


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder), key=_natural)
    except OSError:
        return []


def _folders(parent: str, prefix: str) -> list[str]:
    return [f"{parent}/{name}" for name in _names(parent) if name.startswith(prefix)]


def _natural(name: str) -> list[tuple[int, str]]:
    """Sort `temp2` before `temp10`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
