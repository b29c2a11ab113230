"""A shell in a container and the console of a domain, in a real terminal, and the terminal afterwards."""

from __future__ import annotations

import io
import os
import signal
import sys
import tarfile
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from collectors.engines.connections import EngineConnections
from collectors.inspection.console import open_console
from collectors.model.console import Console
from collectors.model.errors import SourceError
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.helpers.pty_terminal import Terminal
from tui.controllers.background import run_blocking

VMTOP = str(Path(sys.executable).with_name("vmtop"))
MOUSE, PASTE, ALTERNATE = (1000, 1002, 1003, 1006), 2004, 1049
_MODES = "".join(rf"\033[?{mode}" for mode in ("1049h", "1000h", "1003h", "1006h", "2004h", "25l", "1h"))
MESS = rf"printf '{_MODES}\033[41m\033[3;5r'; stty -echo raw"


def is_set(terminal: Terminal, mode: int) -> bool:
    """Whether a private mode is on, by the last word on it in all that was received."""
    on, off = terminal.received.rfind(b"\x1b[?%dh" % mode), terminal.received.rfind(b"\x1b[?%dl" % mode)
    return on > off


def assert_sane(terminal: Terminal) -> None:
    """Echo on and as before, the cursor shown, no mouse reports, no bracketed paste, the main screen."""
    now = termios.tcgetattr(terminal.fd)
    assert now[3] & termios.ECHO
    assert now[3] & termios.ICANON
    assert now[:4] == terminal.settings[:4]
    assert not any(is_set(terminal, mode) for mode in MOUSE)
    assert not is_set(terminal, PASTE)
    assert not is_set(terminal, ALTERNATE)
    assert not terminal.screen.cursor.hidden


def listen(console: Console) -> bytearray:
    """Return what a console sends, as it grows."""
    heard = bytearray()

    def read() -> None:
        while data := console.read():
            heard.extend(data)

    threading.Thread(target=read, daemon=True).start()
    return heard


@contextmanager
def container_with_shell(lab: DockerLab, name: str, program: str) -> Iterator[str]:
    """Run a container in which `bash` is a program of the test's."""
    one = lab.run(name, "sleep 1000")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("bash")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program.encode()))
    lab.client.put_archive(one, "/bin", archive.getvalue())
    try:
        yield one
    finally:
        lab.remove(one)


@contextmanager
def on_container(lab: DockerLab, name: str, folder: Path) -> Iterator[Terminal]:
    """Run vmtop with one container shown and under the cursor."""
    environment = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    argv = ["vmtop", "--docker", lab.url, "--filter", name]  # whatever else runs on this host
    with closing(Terminal(argv, (100, 30), environment)) as terminal:
        terminal.wait_for(lambda: any(line.startswith(f" ● {name}") for line in terminal.screen.display), 20, name)
        yield terminal


def enter(terminal: Terminal) -> None:
    terminal.press("e")
    terminal.wait_for(lambda: "Ctrl-] comes back" in terminal.text() and "#" in terminal.text(), 15, "the shell")


def leave_vmtop(terminal: Terminal) -> None:
    """Press q until vmtop ends: a key typed before the screen is back is discarded with the console's answers."""
    for _ in range(10):
        terminal.press("q")
        with suppress(AssertionError):
            assert terminal.wait_exit(3) == 0
            break
    assert terminal.exit_code == 0, terminal.text()
    assert_sane(terminal)


@pytest.mark.lab
class TestContainer:
    def test_what_is_typed_runs_inside_with_the_size_of_the_terminal(
        self, docker_lab: DockerLab, tmp_path: Path
    ) -> None:
        one = docker_lab.run("shell-in", "sleep 1000")
        try:
            with on_container(docker_lab, "shell-in", tmp_path) as terminal:
                enter(terminal)
                words = (one[:12], "30 100", "answer 42")
                terminal.press("hostname; stty size; echo answer $((40+2))\r")
                terminal.wait_for(lambda: all(word in terminal.text() for word in words), 10, "the answer")
                terminal.resize(90, 25)
                for _ in range(10):  # the engine passes it on in its own time
                    terminal.press("stty size\r")
                    terminal.read(1)
                    if "25 90" in terminal.text():
                        break
                assert "25 90" in terminal.text()
                terminal.press("exit 3\r")
                terminal.wait_for(lambda: "the shell ended" in terminal.text(), 10, "the notification")
                terminal.wait_for(lambda: "LIVE" in terminal.text(), 10, "the screen in its new size")
                leave_vmtop(terminal)
        finally:
            docker_lab.remove(one)

    def test_control_bracket_comes_back_and_the_screen_goes_on(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        one = docker_lab.run("shell-back", "sleep 1000")
        try:
            with on_container(docker_lab, "shell-back", tmp_path) as terminal:
                enter(terminal)
                terminal.press("\x1d")
                terminal.wait_for(lambda: "the console was left" in terminal.text(), 10, "the screen")
                enter(terminal)
                terminal.press("exit\r")
                terminal.wait_for(lambda: "the shell ended" in terminal.text(), 10, "the screen again")
                leave_vmtop(terminal)
        finally:
            docker_lab.remove(one)

    def test_a_shell_that_is_left_ends_and_what_runs_in_it_too(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        one = docker_lab.run("shell-left", "sleep 1000")
        try:
            with on_container(docker_lab, "shell-left", tmp_path) as terminal:
                enter(terminal)
                terminal.press("sleep 4321\r")
                wait_until(lambda: "sleep 4321" in docker_lab.commands(one), 10, "the program in the shell")
                terminal.press("\x1d")
                terminal.wait_for(lambda: "the console was left" in terminal.text(), 10, "the screen")
                wait_until(lambda: docker_lab.commands(one) == ["sleep 1000"], 10, "the end of the shell")
                leave_vmtop(terminal)
        finally:
            docker_lab.remove(one)

    def test_an_abnormal_end_leaves_the_terminal_sane(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        one = docker_lab.run("shell-mess", "sleep 1000")
        try:
            with on_container(docker_lab, "shell-mess", tmp_path) as terminal:
                enter(terminal)
                terminal.press(f"{MESS}\r")
                terminal.wait_for(lambda: is_set(terminal, 1006), 10, "the mess")
                docker_lab.client.kill(one)
                terminal.wait_for(lambda: "LIVE" in terminal.text(), 15, "the screen")
                leave_vmtop(terminal)
        finally:
            docker_lab.remove(one)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
    def test_a_signal_during_a_shell_leaves_the_terminal_sane(
        self, docker_lab: DockerLab, tmp_path: Path, number: signal.Signals
    ) -> None:
        one = docker_lab.run("shell-signal", "sleep 1000")
        try:
            with on_container(docker_lab, "shell-signal", tmp_path) as terminal:
                enter(terminal)
                terminal.press(f"{MESS}\r")
                terminal.wait_for(lambda: is_set(terminal, 1006), 10, "the mess")
                os.kill(terminal.pid, number)
                assert terminal.wait_exit() == 128 + number
                assert_sane(terminal)
        finally:
            docker_lab.remove(one)

    def test_every_key_but_control_bracket_is_the_shells(self, docker_lab: DockerLab) -> None:
        one = docker_lab.run("shell-keys", "sleep 1000")
        reach = EngineConnections([SourceSpec("docker", {"url": docker_lab.url})])
        keys = bytes(number for number in range(1, 128) if number != 0x1D) + b"\x10\x10\x11"
        workload = Workload(WorkloadId("docker", one), Kind.CONTAINER, "x", State.RUNNING)
        try:
            with closing(open_console(workload, reach)) as opened:
                heard = listen(opened)
                opened.write(
                    f"stty raw -echo; echo REA''DY; head -c {len(keys)} | od -An -v -tx1; stty sane\r".encode()
                )
                wait_until(lambda: b"READY" in heard, 20, "the program that reads the keys")
                before = len(heard)
                for key in keys:
                    opened.write(bytes([key]))
                wait_until(lambda: len(heard[before:].split()) > len(keys), 20, "all keys and the prompt")
                assert bytes(int(number, 16) for number in heard[before:].split()[: len(keys)]) == keys
        finally:
            docker_lab.remove(one)

    def test_a_stopped_container_has_no_shell(self, docker_lab: DockerLab) -> None:
        reach = EngineConnections([SourceSpec("docker", {"url": docker_lab.url})])
        stopped = Workload(WorkloadId("docker", "f" * 64), Kind.CONTAINER, "x", State.STOPPED)
        with pytest.raises(SourceError, match="there is nothing to connect to"):
            open_console(stopped, reach)

    def test_a_container_that_is_gone_is_a_sentence(self, docker_lab: DockerLab) -> None:
        reach = EngineConnections([SourceSpec("docker", {"url": docker_lab.url})])
        gone = Workload(WorkloadId("docker", "f" * 64), Kind.CONTAINER, "x", State.RUNNING)
        with pytest.raises(SourceError, match="no longer has it"):
            open_console(gone, reach)


@pytest.mark.lab
class TestOddContainers:
    """Whatever runs inside, and however many descriptors are open, the screen comes back."""

    def test_a_shell_opens_with_more_descriptors_than_select_knows(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        one = docker_lab.run("shell-many", "sleep 1000")
        hoard = 'ulimit -n 20000; for i in $(seq 1030); do exec {fd}</dev/null; done; exec "$@"'
        argv = ["bash", "-c", hoard, "bash", VMTOP, "--no-spool", "--docker", docker_lab.url, "--filter", "shell-many"]
        environment = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
        try:
            with closing(Terminal(argv, (100, 30), environment)) as terminal:
                terminal.wait_for(lambda: "● shell-many" in terminal.text(), 20, "the container")
                assert max(int(name) for name in os.listdir(f"/proc/{terminal.pid}/fd")) > 1023
                enter(terminal)
                terminal.press("echo answer $((40+2))\r")
                terminal.wait_for(lambda: "answer 42" in terminal.text(), 10, "the answer")
                terminal.press("exit\r")
                terminal.wait_for(lambda: "LIVE" in terminal.text(), 15, "the screen")
                leave_vmtop(terminal)
        finally:
            docker_lab.remove(one)

    def test_one_that_does_not_read_is_left_with_control_bracket(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        program = "#!/bin/sh\nstty raw -echo; echo deaf; exec sleep 1000\n"
        with (
            container_with_shell(docker_lab, "shell-deaf", program),
            on_container(docker_lab, "shell-deaf", tmp_path) as terminal,
        ):
            terminal.press("e")
            terminal.wait_for(lambda: "deaf" in terminal.text(), 15, "the program")
            for _ in range(500):  # two megabytes: more than any buffer on the way
                terminal.press("x" * 4095 + "\r")
                terminal.take(0)
            terminal.press("\x1d")
            terminal.wait_for(lambda: "the console was left" in terminal.text(), 15, "the screen")
            leave_vmtop(terminal)

    def test_an_end_while_output_pours_leaves_the_terminal_sane(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        with (
            container_with_shell(docker_lab, "shell-yes", "#!/bin/sh\nexec yes\n"),
            on_container(docker_lab, "shell-yes", tmp_path) as terminal,
        ):
            terminal.press("e")
            terminal.wait_for(lambda: "y\ny" in terminal.text().replace(" ", ""), 15, "the output")
            time.sleep(1)  # no one reads: every buffer on the way is full
            began = time.monotonic()
            os.kill(terminal.pid, signal.SIGTERM)
            assert terminal.wait_exit(6) == 143
            assert time.monotonic() - began < 4
            assert_sane(terminal)

    def test_a_container_that_is_killed_while_its_output_pours_gives_the_screen_back(
        self, docker_lab: DockerLab, tmp_path: Path
    ) -> None:
        with (
            container_with_shell(docker_lab, "shell-pours", "#!/bin/sh\nexec yes\n") as one,
            on_container(docker_lab, "shell-pours", tmp_path) as terminal,
        ):
            terminal.press("e")
            terminal.wait_for(lambda: "y\ny" in terminal.text().replace(" ", ""), 15, "the output")
            docker_lab.client.kill(one)
            terminal.wait_for(lambda: "LIVE" in terminal.text(), 20, "the screen")
            leave_vmtop(terminal)

    def test_a_stop_and_a_continuation_in_a_shell_come_back_to_it(self, docker_lab: DockerLab, tmp_path: Path) -> None:
        one = docker_lab.run("shell-stop", "sleep 1000")
        try:
            with on_container(docker_lab, "shell-stop", tmp_path) as terminal:
                enter(terminal)
                os.kill(terminal.pid, signal.SIGTSTP)
                wait_until(lambda: is_stopped(terminal.pid), 10, "a stop")
                assert termios.tcgetattr(terminal.fd)[3] & termios.ICANON
                os.kill(terminal.pid, signal.SIGCONT)
                wait_until(lambda: not termios.tcgetattr(terminal.fd)[3] & termios.ICANON, 10, "a raw terminal")
                terminal.press("echo answer $((40+2))\r")
                terminal.wait_for(lambda: "answer 42" in terminal.text(), 10, "the answer")
                terminal.press("exit\r")
                terminal.wait_for(lambda: "LIVE" in terminal.text(), 15, "the screen")
                leave_vmtop(terminal)
        finally:
            docker_lab.remove(one)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


@pytest.mark.lab
def test_a_domain_that_is_gone_is_a_sentence(libvirt_lab: LibvirtLab) -> None:
    gone = Workload(WorkloadId("qemu", "0fd35765-dcec-421c-a624-b4a19a9da26d"), Kind.VM, "x", State.RUNNING)
    with pytest.raises(SourceError, match="no longer has it"):
        open_console(gone, EngineConnections([SourceSpec("libvirt", {"uri": libvirt_lab.uri})]))


async def test_what_no_one_foresaw_is_a_sentence_too() -> None:
    def fail() -> None:
        raise ZeroDivisionError("no such luck")

    with pytest.raises(SourceError, match="ZeroDivisionError: no such luck"):
        await run_blocking(fail)


def test_a_service_has_no_shell_of_its_own() -> None:
    service = Workload(WorkloadId("systemd", "/system.slice/x.service"), Kind.SERVICE, "x.service", State.RUNNING)
    with pytest.raises(SourceError, match="no shell of its own"):
        open_console(service, EngineConnections([]))


@pytest.mark.lab
def test_the_console_of_a_domain_speaks_both_ways(libvirt_lab: LibvirtLab, linux_guests: tuple[str, str]) -> None:
    guest = replace(libvirt_lab.guests[0], name=f"console-{os.getpid()}")
    name = guest.name
    xml = guest.xml().replace(f"<serial type='file'><source path='{guest.console}'/></serial>", "<serial type='pty'/>")
    xml = xml.replace(guest.interface, f"c.{guest.bridge}")
    xml = xml.replace("console=ttyS0 panic=1 quiet", "console=ttyS0 quiet rdinit=/bin/busybox sh")
    assert "type='pty'" in xml
    domain = libvirt_lab.connection.defineXML(xml)
    domain.create()
    try:
        reach = EngineConnections([SourceSpec("libvirt", {"uri": libvirt_lab.uri})])
        workload = Workload(WorkloadId("qemu", domain.UUIDString()), Kind.VM, name, State.RUNNING)
        with closing(open_console(workload, reach)) as opened:
            heard = listen(opened)
            # Busybox's shell takes the applet to run from the line, so no name has to be in the guest's path.
            wait_until(lambda: b"# " in heard, 60, "the guest's shell")
            opened.write(b"echo $((6 * 7))\r")
            wait_until(lambda: b"42" in heard, 20, "the answer")
            with pytest.raises(SourceError, match="cannot be opened"):
                open_console(workload, reach)
        with closing(open_console(workload, reach)) as opened:
            opened.write(b"yes\r")
            # No one reads: what waits is bounded, and libvirt's event loop, which all connections share, goes on.
            wait_until(lambda: opened._is_paused, 60, "a full console")  # type: ignore[attr-defined]
            waiting = opened._size  # type: ignore[attr-defined]
            assert waiting < 1 << 19
            assert await_event(libvirt_lab), "the event loop stands still"
            received = 0
            while received < 2 * waiting:
                received += len(opened.read())
    finally:
        libvirt_lab.remove(name)


def await_event(lab: LibvirtLab) -> bool:
    """Whether an event of another domain comes, on the event loop of this process."""
    came = threading.Event()
    connection = lab.connection
    callback = connection.domainEventRegisterAny(
        None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lambda *_: came.set(), None
    )
    tiny = lab.start_tiny("eventful")
    try:
        return came.wait(20)
    finally:
        lab.remove(tiny)
        connection.domainEventDeregisterAny(callback)


@pytest.mark.lab
def test_a_domain_without_a_console_is_told_what_it_lacks(libvirt_lab: LibvirtLab) -> None:
    tiny = libvirt_lab.start_tiny("mute")
    try:
        identity = WorkloadId("qemu", libvirt_lab.connection.lookupByName(tiny).UUIDString())
        workload = Workload(identity, Kind.VM, tiny, State.RUNNING)
        with pytest.raises(SourceError) as caught:
            open_console(workload, EngineConnections([SourceSpec("libvirt", {"uri": libvirt_lab.uri})]))
        assert caught.value.reason.startswith("the console cannot be opened: ")
        assert "internal error" not in caught.value.reason
        assert "<serial type='pty'/>" in caught.value.remedy
    finally:
        libvirt_lab.remove(tiny)
