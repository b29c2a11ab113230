"""The disk traffic of workloads, each and together, never exceeds the host's: over generated stacks of devices."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from collectors.kernel.block_devices import BlockDevices
from collectors.kernel.cgroup.parsers import DeviceIo
from collectors.kernel.devices import Disks
from tests.helpers.block_tree import add_device, diskstats

SECTOR = 512
GROUPS = ("web", "db", "vm")


@dataclass
class Layer:
    """One device: what is below it, and what becomes of a request."""

    name: str
    number: str
    below: list[int] = field(default_factory=list)
    mirrors: bool = False
    """Whether each write goes to all devices below, or to the first alone."""
    hides: tuple[bool, bool] = (False, False)
    """Whether a thread of the kernel goes on with reads, and writes, so that they are charged to nobody."""


@st.composite
def stacks(draw: st.DrawFn) -> list[Layer]:
    """Generate disks, devices in memory, and layers on any of those before."""
    disks = [Layer(f"sd{chr(97 + index)}", f"8:{16 * index}") for index in range(draw(st.integers(1, 3)))]
    memory = [Layer(f"ram{index}", f"1:{index}") for index in range(draw(st.integers(0, 1)))]
    layers = [*disks, *memory]
    for index in range(draw(st.integers(0, 5))):
        below = draw(st.lists(st.integers(0, len(layers) - 1), max_size=3, unique=True))
        hides = draw(st.tuples(st.booleans(), st.booleans()))
        layers.append(Layer(f"dm-{index}", f"254:{index}", below, draw(st.booleans()), hides))
    return layers


@dataclass
class Host:
    """Counts requests as the kernel does: at each device that they pass."""

    layers: list[Layer]
    of_host: dict[int, list[int]] = field(default_factory=dict)
    of_group: dict[str, dict[int, list[int]]] = field(default_factory=lambda: {group: {} for group in GROUPS})
    on_disk: dict[str, list[int]] = field(default_factory=lambda: {group: [0, 0] for group in GROUPS})
    """What each group really caused on disks."""

    def submit(self, device: int, way: int, amount: int, group: str, is_charged: bool = True) -> None:
        layer = self.layers[device]
        self.of_host.setdefault(device, [0, 0])[way] += amount
        if is_charged:
            self.of_group[group].setdefault(device, [0, 0])[way] += amount
        if layer.name.startswith("sd"):
            self.on_disk[group][way] += amount
        lowers = layer.below if layer.mirrors and way == 1 else layer.below[:1]
        for lower in lowers:
            self.submit(lower, way, amount, group, is_charged and not layer.hides[way])


REQUESTS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 1), st.integers(1, 9), st.sampled_from(GROUPS)), max_size=20
)


@given(stacks(), REQUESTS)
def test_rows_never_exceed_the_host_and_lose_nothing_that_the_kernel_charges(
    layers: list[Layer], requests: list[tuple[int, int, int, str]]
) -> None:
    host = Host(layers)
    for device, way, sectors, group in requests:
        host.submit(device % len(layers), way, sectors * SECTOR, group)
    with tempfile.TemporaryDirectory() as folder:
        for layer in layers:
            add_device(Path(folder), layer.name, layer.number, [layers[lower].name for lower in layer.below])
        devices, disks = BlockDevices(folder), Disks(folder)
        table = {
            layers[device].name: (layers[device].number, read, written, read // SECTOR, written // SECTOR)
            for device, (read, written) in host.of_host.items()
        }
        whole = disks.read(diskstats(table))
    rows = {
        group: devices.total(
            {
                layers[device].number.encode(): DeviceIo(read, written, read // SECTOR, written // SECTOR)
                for device, (read, written) in counted.items()
            }
        )
        for group, counted in host.of_group.items()
    }
    for place in range(4):
        assert sum(row[place] for row in rows.values()) <= (whole[place] or 0), "the sum exceeds the host line"
    for group, row in rows.items():
        for way in (0, 1):
            assert row[way] <= host.on_disk[group][way], "more than the disks did for it"
            if not any(layer.hides[way] for layer in layers):
                assert row[way] == host.on_disk[group][way], "all that the disks did for it"
