"""Real machines of systemd-nspawn, started by hand: rows, images at rest, actions and shells."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.actions.rules import engine_forbids
from collectors.analysis.rates import Moment, Reading
from collectors.engines.connections import EngineConnections
from collectors.engines.nspawn.access import NspawnAccess
from collectors.engines.nspawn.source import NspawnSource
from collectors.inspection.details import DetailsReader
from collectors.model.actions import Result, Verb
from collectors.model.errors import SourceAbsent
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.fixtures import skip_or_fail
from tests.helpers.lab.nspawn import NspawnLab, nspawn_machines
from tests.helpers.lab.process import CGROUPS, wait_until
from tests.lab.test_lxd import act
from tui.cli.sampling import gather

pytestmark = pytest.mark.lab

SPECS = [SourceSpec("host"), SourceSpec("cgroup"), SourceSpec("nspawn")]
OWN = f"vmtop-{os.getpid()}"
PARENT = f"{OWN}-nspawn.service"


@pytest.fixture
def lab(lab_root: Path, request: pytest.FixtureRequest) -> Iterator[NspawnLab]:
    folder = lab_root / f"nspawn-{abs(hash(request.node.name)) % 10**6}"
    with skip_or_fail(), nspawn_machines(folder, PARENT) as nspawn:
        yield nspawn


@pytest.fixture
def web(lab: NspawnLab) -> Workload:
    name = f"{OWN}-web"
    lab.make_image(name)
    lab.start(name, PARENT)
    wait_until(lambda: name in names(gather(SPECS)), 20, "the row of the machine")
    return rows(gather(SPECS))[name].workload


def rows(moment: Moment) -> dict[str, Reading]:
    return {row.workload.name: row for row in moment.readings.values()}


def names(moment: Moment) -> set[str]:
    return set(rows(moment))


def test_a_machine_started_by_hand_has_its_name_and_no_row_is_called_payload(lab: NspawnLab, web: Workload) -> None:
    assert web.id == WorkloadId("nspawn", f"{OWN}-web")
    assert (web.kind, web.state, web.cgroup) == (Kind.CONTAINER, State.RUNNING, f"/{PARENT}/payload")
    moment = gather(SPECS)
    assert not {"payload", "supervisor"} & names(moment)
    service = rows(moment)[PARENT].workload
    assert web.parent == service.id  # whose counters include the machine's: the ledger counts it once


def test_its_cpu_is_that_of_its_cgroup(lab: NspawnLab, web: Workload) -> None:
    (lab.images / web.name / "busy").touch()
    time.sleep(0.5)
    row = rows(gather(SPECS, over_s=1.0))[web.name]
    assert (row.value("cpu_percent") or 0) > 5
    root = CGROUPS if (CGROUPS / "cgroup.procs").exists() else CGROUPS / "unified"
    text = (root / PARENT / "payload" / "cpu.stat").read_text()
    assert int(dict(line.split() for line in text.splitlines())["usage_usec"]) > 0


def test_images_that_do_not_run_are_stopped_and_one_that_runs_is_not(lab: NspawnLab, web: Workload) -> None:
    lab.make_image(f"{OWN}-idle")
    (lab.images / f"{OWN}-raw.raw").write_bytes(b"")
    (lab.images / "link").symlink_to(lab.images / web.name)
    source = NspawnSource(images=str(lab.images))
    source.open(lambda: None)
    states = {workload.name: workload.state for workload in source.read().workloads.values()}
    assert states == {
        web.name: State.UNKNOWN,  # the kernel tells
        f"{OWN}-idle": State.STOPPED,
        f"{OWN}-raw": State.STOPPED,
    }


def test_it_is_asked_to_end_and_killed_but_not_started_again(lab: NspawnLab, web: Workload, tmp_path: Path) -> None:
    assert "not started by a unit" in engine_forbids(Verb.RESTART, web)
    assert act(web, Verb.STOP, tmp_path).result is Result.DONE
    assert not lab.running[0].is_running
    lab.start(web.name, PARENT)
    wait_until(lambda: web.name in names(gather(SPECS)), 20, "the row of the machine")
    assert act(web, Verb.KILL, tmp_path).result is Result.DONE
    wait_until(lambda: not lab.running[1].is_running, 10, "the end of nspawn")


def test_a_shell_and_a_command_run_inside_and_details_say_how_it_was_started(web: Workload) -> None:
    command = NspawnAccess().run_command(web, ["sh", "-c", "hostname; echo err >&2; exit 3"])
    assert sorted(command.output()) == [(False, f"{web.name}\n".encode()), (True, b"err\n")]
    assert command.exit_code() == 3
    command.close()
    console = NspawnAccess().open_console(web)
    time.sleep(0.3)
    console.write(b"echo $container; exit 4\r")
    printed = b""
    while data := console.read():
        printed += data
    assert b"systemd-nspawn" in printed
    assert console.ending() == "the shell ended with exit code 4"
    console.close()
    details = DetailsReader(EngineConnections(SPECS)).read(web)
    facts = {fact.label: fact.value for table in details.tables if table.title == "Machine" for fact in table.facts}
    assert facts["started by"] == "a command line, without machined"


def test_its_log_is_the_journal_of_the_service_around_it_if_there_is_one(web: Workload) -> None:
    log = NspawnAccess().open_log(web)
    assert log.title == f"journal of {PARENT}"
    bare = Workload(web.id, web.kind, web.name, web.state, cgroup="/payload")
    with pytest.raises(SourceAbsent, match="prints to that terminal"):
        NspawnAccess().open_log(bare)
