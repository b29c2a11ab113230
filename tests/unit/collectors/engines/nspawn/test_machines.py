"""Machines of systemd-nspawn: what started them, their images, locks and settings."""

from __future__ import annotations

import os
from pathlib import Path

from collectors.actions.rules import engine_forbids
from collectors.engines.nspawn.machines import (
    Way,
    as_service,
    is_in_use,
    list_images,
    read_registration,
    unit_of,
    way_of,
)
from collectors.engines.nspawn.shell_commands import commands
from collectors.engines.nspawn.source import NspawnSource
from collectors.model.actions import Request, Verb
from collectors.model.workloads import Kind, State, Workload, WorkloadId


def machine(name: str, cgroup: str | None) -> Workload:
    return Workload(WorkloadId("nspawn", name), Kind.CONTAINER, name, State.RUNNING, cgroup=cgroup)


UNIT = machine("my-deb", r"/machine.slice/systemd-nspawn@my\x2ddeb.service")
SCOPE = machine("my-deb", r"/machine.slice/machine-my\x2ddeb.scope")
BARE = machine("my-deb", "/system.slice/mine.service/payload")
RESTING = machine("my-deb", None)


def test_what_started_a_machine_shows_in_its_cgroup() -> None:
    assert [way_of(one) for one in (UNIT, SCOPE, BARE, RESTING)] == [Way.UNIT, Way.MACHINED, Way.BARE, Way.UNIT]
    assert unit_of(UNIT) == r"systemd-nspawn@my\x2ddeb.service", "as it was started"
    assert unit_of(RESTING) == "systemd-nspawn@my-deb.service", "as machinectl would start it"
    assert as_service(RESTING).id.id.endswith("/systemd-nspawn@my-deb.service")


def test_only_what_a_unit_runs_can_be_started_again() -> None:
    for one in (SCOPE, BARE):
        assert "not started by a unit" in engine_forbids(Verb.RESTART, one)
        assert not engine_forbids(Verb.STOP, one)
    assert not engine_forbids(Verb.RESTART, UNIT)
    assert not engine_forbids(Verb.START, RESTING)
    assert engine_forbids(Verb.PAUSE, UNIT)


def test_the_equivalent_commands_are_those_of_what_runs_it() -> None:
    assert commands(Request(Verb.STOP, UNIT))[0] == r"systemctl stop 'systemd-nspawn@my\x2ddeb.service'"
    assert commands(Request(Verb.KILL, UNIT)) == (
        r"systemctl kill --signal=SIGKILL 'systemd-nspawn@my\x2ddeb.service'",
    )
    assert commands(Request(Verb.STOP, SCOPE)) == ("machinectl poweroff my-deb",)
    assert commands(Request(Verb.KILL, SCOPE)) == ("machinectl terminate my-deb",)


def test_images_are_folders_and_raw_files_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "deb").mkdir()
    (tmp_path / "disk.raw").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "link").symlink_to("/")
    os.mkfifo(tmp_path / "pipe.raw")
    assert list_images(str(tmp_path)) == {"deb": f"{tmp_path}/deb", "disk": f"{tmp_path}/disk.raw"}
    assert list_images(str(tmp_path / "none")) == {}


def test_a_lock_that_is_held_shows_that_a_machine_runs_from_an_image(tmp_path: Path) -> None:
    image, locks, proc = tmp_path / "deb", tmp_path / "locks", tmp_path / "proc"
    for folder in (image, locks, proc):
        folder.mkdir()
    status = image.stat()
    lock = locks / f"inode-{status.st_dev}:{status.st_ino}"
    lock.touch()
    held = lock.stat()
    place = f"{os.major(held.st_dev):02x}:{os.minor(held.st_dev):02x}:{held.st_ino}"
    (proc / "locks").write_text("1: FLOCK  ADVISORY  WRITE 4189 fe:00:1 0 EOF\n")
    assert not is_in_use(str(image), str(locks), str(proc)), "a file that was left behind"
    (proc / "locks").write_text(f"1: OFDLCK ADVISORY  WRITE -1 {place} 0 EOF\n")
    assert is_in_use(str(image), str(locks), str(proc))


def test_machined_and_the_images_together(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / "images" / name).mkdir(parents=True)
    known = tmp_path / "machines"
    known.mkdir()
    (known / "b").write_text('# comment\nNAME=b\nCLASS=container\nROOT="/var/lib/machines/b"\n')
    (known / "unit:systemd-nspawn@b.service").touch()
    source = NspawnSource(str(tmp_path / "images"), str(known), str(tmp_path / "locks"))
    states = {one.name: one.state for one in source.read().workloads.values()}
    assert states == {"a": State.STOPPED, "b": State.UNKNOWN}
    assert read_registration("b", str(known))["ROOT"] == "/var/lib/machines/b"
    assert read_registration("../b", str(known)) == {}
