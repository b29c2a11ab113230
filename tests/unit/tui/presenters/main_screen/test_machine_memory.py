"""A guest that uses up its memory is an alarm like any other; a QEMU that holds more than the guest has is none."""

from __future__ import annotations

import pytest

from collectors.analysis.history import History
from collectors.analysis.rates import Deriver, Pair, Reading
from collectors.model.metrics import METRICS
from collectors.model.workloads import Kind, Sample
from tests.helpers.demo_fleet import Fleet
from tests.helpers.strategies import workload
from tui.presenters.main_screen.alarms import worst_alarm
from tui.presenters.main_screen.numbers import tone_of
from tui.presenters.main_screen.signs import ALARM, RUNNING, WARNING, Sign
from tui.presenters.table.cells import Cells
from tui.presenters.table.state import Scale

MIB = 1 << 20


@pytest.mark.parametrize(
    ("used_mib", "sign", "tone", "words"),
    [
        (40, RUNNING, "text", None),
        (90, WARNING, "warn", "memory at 90% of its limit"),
        (97, ALARM, "bad", "the guest's memory is used up"),
    ],
)
def test_sign_tone_and_words_follow_what_the_guest_uses(
    used_mib: int, sign: Sign, tone: str, words: str | None
) -> None:
    sample = Sample(
        "libvirt",
        1,
        vcpus=1,
        memory_limit_bytes=100 * MIB,
        memory_rss_bytes=437 * MIB,
        memory_available_bytes=100 * MIB,
        memory_usable_bytes=(100 - used_mib) * MIB,
    )
    machine = Reading(workload("db", Kind.VM, "qemu"), (Pair(None, sample),))
    moment = Deriver().feed(Fleet(1).frame())
    cells = Cells(History())
    cells.at(moment, Scale.CORE)
    metric = METRICS["memory_of_limit_percent"]
    assert cells.sign(machine).unicode == sign.unicode
    assert tone_of(machine, metric, machine.value(metric.key) or 0.0) == tone
    alarm = worst_alarm(machine, moment, History(), ascii_only=False)
    assert (alarm is None) if words is None else (alarm is not None and words in alarm[0])
