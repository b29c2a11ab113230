"""Each built-in rule about pressure on a kernel that has no hierarchy but cgroup v2, and on which vmtop runs itself."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from collectors.alerts.told import Told, told
from collectors.session.reader import Session
from tests.helpers.lab.alert_recording import shortened
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.process import require_root
from tests.helpers.lab.pure_v2 import PYTHON, run_with_pure_v2

pytestmark = pytest.mark.lab

RULES = {"cpu.service": "CPU pressure", "io.service": "I/O pressure", "memory.service": "memory pressure"}
_CONFIGURATION = shortened(
    ("CPU pressure", "wait > 50% for 3s", "wait < 30%"),
    ("I/O pressure", "iostall > 40% for 3s", "iostall < 20%"),
    ("memory pressure", "memwait > 20% or memstall > 10% for 3s", "memwait < 10%"),
)
# The two loops leave the others their time: they wait for each other. What reads past memory.high is put to sleep.
_SCRIPT = f"""
groups=/sys/fs/cgroup/system.slice
begin() {{ sh -c "echo \\$\\$ >$groups/$1.service/cgroup.procs; exec sh -c '$2'" & }}
is_recorded() {{ zcat /run/alerts.vmtop.gz 2>/dev/null | grep -q "$1"; }}
mkdir -p $groups /run/vmtop
cat >/run/vmtop/config.toml <<'END'
{_CONFIGURATION}
END
for folder in $groups/.. $groups; do echo "+cpu +memory +io +pids" >$folder/cgroup.subtree_control; done
for name in cpu io memory idle; do mkdir $groups/$name.service; done
echo 1 >$groups/cpu.service/cpu.weight
echo 8M >$groups/memory.service/memory.high
begin idle "sleep 100000"
export XDG_CONFIG_HOME=/run
{PYTHON} -c "from tui.cli.main import main; main(prog_name='vmtop')" record /run/alerts.vmtop.gz &
recorder=$!
until is_recorded '"k":"frame"'; do kill -0 $recorder || exit 1; sleep 1; done
begin cpu "while :; do :; done & while :; do :; done"
begin io "while :; do dd if=/dev/vda of=/dev/null bs=64k iflag=direct 2>/dev/null; done"
begin memory "dd if=/dev/zero of=/dev/null bs=64M"
for rule in {" ".join(f"'{rule}'" for rule in RULES.values())}; do
    until is_recorded "warning: $rule: "; do sleep 1; done
done
for name in cpu io memory; do echo 1 >$groups/$name.service/cgroup.kill; done
for rule in {" ".join(f"'{rule}'" for rule in RULES.values())}; do
    until is_recorded "\\"$rule: over"; do sleep 1; done
done
kill $recorder
wait $recorder
cat /run/alerts.vmtop.gz >/dev/ttyS1
"""


@pytest.fixture(scope="module")
def alerts(lab_root: Path) -> list[Told]:
    with skip_or_fail():
        require_root()
        recorded = run_with_pure_v2(lab_root / "pure-v2", _SCRIPT, 240)
    path = lab_root / "pure-v2" / "alerts.vmtop.gz"
    path.write_bytes(recorded)
    with closing(Session([path])) as session:
        return told(event for _, frame in session.frames() for event in frame.events)


@pytest.mark.parametrize(("name", "rule"), RULES.items())
def test_tasks_that_wait_are_an_alert_until_they_have_ended(alerts: list[Told], name: str, rule: str) -> None:
    found = [alert for alert in alerts if (alert.name, alert.rule) == (name, rule)]
    assert [alert.end for alert in found] == ["over"], alerts


def test_a_neighbour_at_rest_has_no_alert(alerts: list[Told]) -> None:
    assert {alert.name for alert in alerts} >= set(RULES)
    assert [alert for alert in alerts if alert.name == "idle.service"] == []
