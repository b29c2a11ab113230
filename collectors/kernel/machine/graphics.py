"""Graphics processors, as far as the kernel shows them: AMD's use and memory, Intel's clock, NVIDIA's name.

Source: Documentation/gpu/amdgpu/driver-misc.rst of the kernel; NVIDIA's README, chapter on /proc.
"""

from __future__ import annotations

import os
import re

from collectors.kernel.cgroup.parsers import number
from collectors.kernel.procfs import read_bytes
from collectors.model.machine import Gpu
from collectors.safety.sanitize import sanitize

_CARD = re.compile(r"card\d+")
_VENDORS = {"0x1002": "AMD", "0x8086": "Intel", "0x10de": "NVIDIA"}
"""PCI vendors of graphics processors; displays of management controllers and of virtual machines are not listed."""


def read_gpus(sys: str, proc: str) -> tuple[Gpu, ...]:
    """Return the graphics processors; nothing where there is none that the kernel shows."""
    folder = f"{sys}/class/drm"
    try:
        cards = sorted(name for name in os.listdir(folder) if _CARD.fullmatch(name))
    except OSError:
        cards = []
    gpus = [gpu for card in cards if (gpu := _card(f"{folder}/{card}", card, proc)) is not None]
    known = {gpu.name for gpu in gpus}
    return (*gpus, *(gpu for gpu in _nvidia(proc) if gpu.name not in known))


def _card(folder: str, card: str, proc: str) -> Gpu | None:
    device = f"{folder}/device"
    vendor = _VENDORS.get((read_bytes(f"{device}/vendor") or b"").decode("ascii", "replace").strip())
    if vendor is None:
        return None
    driver = os.path.basename(os.path.realpath(f"{device}/driver")) if os.path.exists(f"{device}/driver") else ""
    slot = os.path.basename(os.path.realpath(device))
    model = _model(proc, slot) if vendor == "NVIDIA" else ""
    busy = number(read_bytes(f"{device}/gpu_busy_percent") or b"")
    used = number(read_bytes(f"{device}/mem_info_vram_used") or b"")
    total = number(read_bytes(f"{device}/mem_info_vram_total") or b"")
    clock = _clock(folder)
    why = "" if busy is not None or used is not None or clock is not None else _why(vendor, driver)
    return Gpu(
        name=sanitize(model or f"{vendor} {card}"),
        driver=sanitize(driver),
        busy_percent=float(busy) if busy is not None and busy <= 100 else None,
        memory_used_bytes=used,
        memory_bytes=total,
        clock_mhz=clock,
        why=why,
    )


def _clock(folder: str) -> int | None:
    for path in ("gt_act_freq_mhz", "gt/gt0/rps_act_freq_mhz", "device/tile0/gt0/freq0/act_freq"):
        if (clock := number(read_bytes(f"{folder}/{path}") or b"")) is not None:
            return clock
    return None


def _why(vendor: str, driver: str) -> str:
    if not driver:
        return "no driver has it, or a virtual machine does"
    if driver == "vfio-pci":
        return "it is passed through to a virtual machine"
    return "its numbers need nvidia-smi" if vendor == "NVIDIA" else f"the driver {driver} reports no numbers"


def _model(proc: str, slot: str) -> str:
    text = read_bytes(f"{proc}/driver/nvidia/gpus/{slot}/information") or b""
    for line in text.decode("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "Model":
            return value.strip()
    return ""


def _nvidia(proc: str) -> list[Gpu]:
    """Return the cards of NVIDIA's own driver, which has no card in sysfs without kernel mode setting."""
    try:
        slots = sorted(os.listdir(f"{proc}/driver/nvidia/gpus"))
    except OSError:
        return []
    why = _why("NVIDIA", "nvidia")
    return [
        Gpu(sanitize(_model(proc, slot)) or f"NVIDIA {sanitize(slot)}", "nvidia", None, None, None, None, why)
        for slot in slots
    ]
