"""Recording under fire: writers killed at any moment, places that cannot be written to, two writers, and no secrets."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers.hostile_text import visit
from tests.helpers.kill_writers import KILLS, kill_writers
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.helpers.patience import EXTERNAL_S
from tests.helpers.pty_terminal import Start, Terminal
from tests.lab.test_sessions import vmtop
from tests.terminal.test_sessions import frames_of, is_whole
from tests.unit.tui.cli.test_main import FLEET_COMMAND

pytestmark = pytest.mark.slow


def test_a_writer_that_is_killed_loses_at_most_the_frame_in_flight(tmp_path: Path) -> None:
    tally = kill_writers(KILLS, tmp_path)
    assert (tally.kills, tally.lost, tally.damaged) == (KILLS, 0, 0)
    assert tally.acknowledged <= tally.kept <= tally.acknowledged + KILLS


@contextmanager
def recording(path: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Record a fleet that does not exist."""
    command = [*FLEET_COMMAND, "record", str(path), "--interval", "0.2", *options]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=EXTERNAL_S)


def test_a_killed_recorder_leaves_a_whole_file_of_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    for least in (1, 3, 7):
        with recording(path) as process:
            wait_until(lambda least=least: frames_of(path) >= least, 30, "frames")  # type: ignore[misc]  # used at once
            before = frames_of(path)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(10)
        assert is_whole(path)
        assert frames_of(path) >= before
        assert path.stat().st_mode & 0o777 == 0o600
        path.unlink()


def refused(path: Path, *options: str) -> str:
    """Return why a recording does not begin."""
    with recording(path, *options) as process:
        assert process.wait(30) == 1
        assert process.stderr is not None
        return process.stderr.read()


def test_two_writers_of_one_file_are_one(tmp_path: Path) -> None:
    path = tmp_path / "a.vmtop.gz"
    with recording(path) as first:
        wait_until(lambda: frames_of(path) > 1, 30, "frames")
        for options in ((), ("--force",)):
            assert "already exists and is being written: choose another name\n" in refused(path, *options)
        assert first.poll() is None
        before = frames_of(path)
        wait_until(lambda: frames_of(path) > before, 30, "more frames of the first")
        first.send_signal(signal.SIGINT)
        assert first.wait(20) == 0
    assert is_whole(path)


def test_a_link_or_a_missing_folder_is_refused_and_nothing_is_touched(start: Start, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    (tmp_path / "link").symlink_to(target)
    for options in ((), ("--force",)):
        assert "is a symbolic link, which vmtop does not follow" in refused(tmp_path / "link", *options)
    assert "cannot be created: No such file or directory" in refused(tmp_path / "none" / "a")
    terminal = start("demo", "--workloads", "5", environment={"XDG_STATE_HOME": str(tmp_path)})
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    visit(terminal, [("R", "Record"), ("\x15", "Record"), (f"{tmp_path}/link\r", "choose another name")])
    assert target.read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "vmtop") == ["link", "precious"]


@pytest.mark.lab
def test_a_read_only_folder_is_told_and_the_screen_goes_on(start: Start, tmp_path: Path) -> None:
    folder = tmp_path / "fixed"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "vmtop-lab", str(folder)], check=True)
    try:
        assert "cannot be created: Read-only file system" in refused(folder / "a.vmtop.gz")
        terminal = start("demo", "--workloads", "5", environment={"XDG_STATE_HOME": str(folder)})
        terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
        visit(terminal, [("R", "Record"), ("\x15", "Record"), (f"{folder}/b\r", "Read-only"), ("M", "▼MEM")])
        terminal.press("q")
        assert terminal.wait_exit(20) == 0
        assert b"Traceback" not in terminal.received
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


CANARY = "zq7canary"
"""What must come out nowhere; a digit behind it tells which."""


def _secretive(docker: DockerLab, libvirt: LibvirtLab) -> tuple[str, str]:
    """Start a container and a domain with secrets wherever they are kept."""
    import libvirt as binding

    made = docker.client.create_container(
        "busybox:lab",
        ["sh", "-c", "sleep 100000", f"--password={CANARY}1", "--token", f"{CANARY}2", f"http://u:{CANARY}3@h/"],
        name=f"secretive-{os.getpid()}",
        environment={"DB_PASSWORD": f"{CANARY}4", "PLAIN": f"{CANARY}5"},
        labels={"api_key": f"{CANARY}6", "url": f"postgres://u:{CANARY}7@db/x", "com.docker.compose.project": "p"},
        host_config=docker.client.create_host_config(network_mode="none"),
    )["Id"]
    docker.client.start(made)
    name = libvirt.start_tiny("secretive", BootSector.IDLE)
    domain = libvirt.connection.lookupByName(name)
    text = f"password={CANARY}8 http://u:{CANARY}9@h"
    for kind in (binding.VIR_DOMAIN_METADATA_DESCRIPTION, binding.VIR_DOMAIN_METADATA_TITLE):
        domain.setMetadata(kind, text, None, None, binding.VIR_DOMAIN_AFFECT_CONFIG | binding.VIR_DOMAIN_AFFECT_LIVE)
    return str(made), name


@pytest.mark.lab
def test_no_secret_comes_out_in_sessions_logs_or_documents(
    docker_lab: DockerLab, libvirt_lab: LibvirtLab, tmp_path: Path
) -> None:
    container, domain = _secretive(docker_lab, libvirt_lab)
    path, sources = tmp_path / "a.vmtop.gz", ("--docker", docker_lab.url, "--libvirt", libvirt_lab.uri)
    command = ["vmtop", *sources, "--filter", "secretive", "--record", str(path)]
    try:
        with closing(Terminal(command, (160, 50), {"XDG_STATE_HOME": str(tmp_path)})) as terminal:
            terminal.wait_for(lambda: terminal.text().count("secretive-") > 2, 60, "both")
            visit(terminal, [("3g", "container only"), ("\r", "2 Facts"), ("2", "Environment"), ("\x1b", "/LIMIT")])
            visit(terminal, [("i", "inspection"), ("\x1b", "/LIMIT"), ("A", "Actions"), ("\x1b", "/LIMIT")])
            terminal.read(2)
            terminal.press("q")
            assert terminal.wait_exit(20) == 0
            shown = bytes(terminal.received).decode()
        assert set(f"{CANARY}{digit}" for digit in "123467") & set(shown.split()) == set()
        printed = {words: vmtop(*words, *sources) for words in (("list", "--json"), ("list", "--csv"), ("list",))}
        printed |= {("info",): vmtop("info", "--json", str(path)), ("export",): vmtop("export", str(path))}
        printed |= {("report",): vmtop("report", str(path), "-o", str(tmp_path / "r.html"))}
    finally:
        docker_lab.remove(container)
        libvirt_lab.remove(domain)
    told = {str(words): text for words, text in printed.items()}
    told |= {str(one): one.read_bytes().decode() for one in tmp_path.rglob("*.log")}
    told |= {"the page": (tmp_path / "r.html").read_text(), "the session": gzip.decompress(path.read_bytes()).decode()}
    assert f"secretive-{os.getpid()}" in told["the session"]
    assert json.loads(printed["list", "--json"])
    assert [where for where, text in told.items() if CANARY in text] == []
    assert path.stat().st_mode & 0o777 == 0o600
