"""Real containers of plain LXC: their rows, stopped ones, actions, logs, shells and configuration."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.analysis.rates import Reading
from collectors.engines.connections import EngineConnections
from collectors.engines.lxc.access import LxcAccess
from collectors.engines.lxc.source import LxcSource
from collectors.inspection.details import DetailsReader
from collectors.kernel.cgroup.source import CgroupSource
from collectors.model.actions import AfterTimeout, Result, Verb
from collectors.model.workloads import Sample, State, Workload
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.container_root import GREETING
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.lxc import LIMIT, LxcLab, lxc_containers
from tests.helpers.lab.process import CGROUPS, wait_until
from tests.lab.test_lxd import act
from tui.cli.sampling import gather

pytestmark = pytest.mark.lab

SPECS = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("lxc")]
OWN = f"vmtop-{os.getpid()}"


@pytest.fixture
def lab(lab_root: Path, request: pytest.FixtureRequest) -> Iterator[LxcLab]:
    with skip_or_fail(), lxc_containers(lab_root / f"lxc-{abs(hash(request.node.name)) % 10**6}") as lxc:
        yield lxc


def row_of(workload: Workload) -> Reading:
    return gather(SPECS).readings[workload.id]


def test_a_container_is_one_row_with_the_place_it_lives_in(lab: LxcLab) -> None:
    web = lab.start(f"{OWN}-web")
    lab.create(f"{OWN}-idle")
    rows = {key.id: row for key, row in gather(SPECS).readings.items() if OWN in row.workload.name}
    assert set(rows) == {web.id.id, f"{lab.folder}/{OWN}-idle"}  # the folder of a running one is looked into
    row = rows[web.id.id]
    assert (row.workload.name, row.workload.state, row.workload.is_listed) == (web.name, State.RUNNING, True)
    assert rows[f"{lab.folder}/{OWN}-idle"].workload.state is State.STOPPED
    assert row.value("memory_limit_bytes") == LIMIT


def test_cpu_and_memory_are_those_of_its_cgroup_and_the_ledger_has_them(lab: LxcLab) -> None:
    busy = lab.start(f"{OWN}-busy")
    lab.run("lxc-attach", busy.name, "--", "touch", "/busy")
    source = CgroupSource()
    source.open(lambda: None)

    def sample() -> Sample:
        source.read_all_next()
        return source.read().samples[busy.id][0]

    sample()
    before, told, after = sample(), _cpu_ns(busy.name), sample()
    source.close()
    assert before.cpu_total_ns is not None
    assert after.cpu_total_ns is not None
    slack = 20_000_000  # two ticks: version 1 counts apart from version 2
    assert before.cpu_total_ns - slack <= told <= after.cpu_total_ns + slack
    moment = gather(SPECS, over_s=1.0)
    used = moment.readings[busy.id].value("cpu_percent")
    assert used is not None
    assert used > 5
    assert moment.ledger.cpu_cores is not None
    assert (moment.ledger.cpu_cores.container or 0) * 100 >= used


def _cpu_ns(name: str) -> int:
    """Return what the kernel counts for a container, by the file of its own kind of hierarchy."""
    for path in (CGROUPS / f"cpuacct/lxc.payload.{name}/cpuacct.usage",):
        if path.exists():
            return int(path.read_text())
    text = (CGROUPS / f"lxc.payload.{name}/cpu.stat").read_text()
    return int(dict(line.split() for line in text.splitlines())["usage_usec"]) * 1000


def test_each_action_does_what_lxc_then_shows(lab: LxcLab, tmp_path: Path) -> None:
    web = lab.start(f"{OWN}-act")
    for verb, expected in (
        (Verb.PAUSE, "FROZEN"),
        (Verb.RESUME, "RUNNING"),
        (Verb.RESTART, "RUNNING"),
        (Verb.STOP, "STOPPED"),
        (Verb.START, "RUNNING"),
        (Verb.KILL, "STOPPED"),
    ):
        outcome = act(web, verb, tmp_path)
        assert (outcome.result, lab.state(web.name)) == (Result.DONE, expected), (verb, outcome)


def test_one_that_does_not_end_in_time_is_left_or_killed(lab: LxcLab, tmp_path: Path) -> None:
    deaf = lab.create(f"{OWN}-deaf")
    with (lab.folder / f"{OWN}-deaf" / "config").open("a") as config:
        config.write("lxc.signal.halt = SIGWINCH\n")
    lab.run("lxc-start", deaf.name)
    left = act(deaf, Verb.STOP, tmp_path, timeout_s=1.0, after=AfterTimeout.LEAVE)
    assert (left.result, lab.state(deaf.name)) == (Result.TIMED_OUT, "RUNNING")
    forced = act(deaf, Verb.STOP, tmp_path, timeout_s=1.0)
    assert (forced.result, lab.state(deaf.name)) == (Result.DONE, "STOPPED")


def test_its_console_is_its_log_and_a_shell_is_in_it(lab: LxcLab) -> None:
    web = lab.start(f"{OWN}-log")
    console_log = lab.folder / web.name / "console.log"
    wait_until(lambda: GREETING in console_log.read_text(), 20, "the first line")
    log = EngineConnections(SPECS).of(web).open_log(web)
    assert [line.text for line in log.last(10)] == [GREETING]
    log.close()
    console = LxcAccess().open_console(web)
    console.resize(91, 33)
    time.sleep(0.3)
    console.write(b"stty size; hostname; exit 4\r")
    printed = b""
    while data := console.read():
        printed += data
    assert b"33 91" in printed
    assert web.name.encode() in printed
    assert console.ending() == "the shell ended with exit code 4"
    console.close()
    command = LxcAccess().run_command(web, ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert sorted(command.output()) == [(False, b"out\n"), (True, b"err\n")]
    assert command.exit_code() == 3
    command.close()


def test_the_details_have_its_configuration_without_secrets(lab: LxcLab) -> None:
    web = lab.create(f"{OWN}-page")
    details = DetailsReader(EngineConnections(SPECS)).read(web)
    settings = [fact for table in details.tables if table.title == "Configuration" for fact in table.facts]
    assert ("lxc.uts.name", web.name) in [fact[:2] for fact in settings]
    description = EngineConnections(SPECS).of(web).raw_description(web)
    assert description is not None
    assert "do-not-show" not in description.text + str(details)


def test_a_container_of_another_user_is_started_with_that_users_rights(lab: LxcLab, tmp_path: Path) -> None:
    """A hook in a configuration runs with them: root's vmtop must not lend a user its own."""
    web = lab.create(f"{OWN}-theirs")
    proof = tmp_path / "who"
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    with (lab.folder / web.name / "config").open("a") as config:
        config.write(f"lxc.hook.pre-start = /bin/sh -c 'id -u >{proof}'\n")
    for path in (lab.folder, lab.folder / web.name, lab.folder / web.name / "config"):
        os.chown(path, 65534, 65534)
    outcome = act(web, Verb.START, tmp_path)
    assert outcome.result is not Result.DONE
    assert not proof.exists() or proof.read_text().strip() == "65534"
    for path in (lab.folder, lab.folder / web.name, lab.folder / web.name / "config"):
        os.chown(path, 0, 0)


def test_lxc_that_is_not_installed_is_absent(tmp_path: Path) -> None:
    source = LxcSource(folder=str(tmp_path / "none"))
    with pytest.raises(Exception, match="not installed"):
        source.open(lambda: None)
