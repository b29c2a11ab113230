"""Acting through the keyboard in a real terminal, and from scripts, on real containers and domains."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT as CHECKOUT
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.pty_terminal import Terminal

pytestmark = pytest.mark.lab
VMTOP = str(Path(sys.executable).with_name("vmtop"))
POLITE = "trap 'exit 0' TERM; while :; do sleep 0.1; done"
RIGHT = "\x1b[C"


def docker_states(lab: DockerLab) -> dict[str, str]:
    """What `docker ps --all` shows: name -> state."""
    return {one["Names"][0].lstrip("/"): one["State"] for one in lab.client.containers(all=True)}


def virsh_states(lab: LibvirtLab) -> dict[str, str]:
    """What `virsh list --all` shows: name -> state."""
    text = subprocess.run(
        ["virsh", "--connect", lab.uri, "list", "--all"], capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(maxsplit=2) for line in text.splitlines()[2:] if line.strip()]
    return {row[1]: row[2].strip() for row in rows}


@contextmanager
def screen(folder: Path, *options: str) -> Iterator[Terminal]:
    """Run vmtop in a terminal with a state folder of its own."""
    environment = {"XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")}
    with closing(Terminal(["vmtop", *options], (120, 40), environment)) as terminal:
        yield terminal


def stands(terminal: Terminal, sign: str, name: str) -> None:
    """Wait until the table shows the state that the menu goes by."""
    terminal.wait_for(lambda: f"{sign} {name}" in terminal.text(), 60, f"{name} with {sign}")
    terminal.read(0.3)


def choose(terminal: Terminal, words: str) -> None:
    """Show only what matches, stopped ones too, and wait for it."""
    terminal.wait_for(lambda: "NAME" in terminal.text() and "WAITING" not in terminal.text(), 20, "the table")
    terminal.press("a")
    terminal.wait_for(lambda: "showing stopped workloads" in terminal.text(), 10, "the stopped ones")
    terminal.press("/" + words)
    terminal.wait_for(lambda: f"filter {words}" in terminal.text(), 10, "the filter")
    terminal.press("\r")
    terminal.read(0.3)


def act(terminal: Terminal, key: str, title: str, typed: str = "") -> None:
    """Press x, the verb's key, and confirm."""
    terminal.press("x")
    terminal.wait_for(lambda: "key or Enter chooses" in terminal.text(), 30, "the menu")
    terminal.press(key)
    terminal.wait_for(lambda: title in terminal.text() and "The same by hand" in terminal.text(), 30, title)
    if typed:
        press_until(terminal, typed, lambda: typed in dialog(terminal))
    else:
        press_until(terminal, RIGHT, lambda: not is_focused(terminal, "Cancel"))
    terminal.press("\r")


def press_until(terminal: Terminal, keys: str, condition: Callable[[], bool]) -> None:
    """Press keys again until the confirmation takes them: it ignores those typed before it can be read."""
    for _ in range(60):
        terminal.press(keys)
        terminal.read(1.0)
        if condition():
            return
        terminal.press("\x15")  # Ctrl-U: what was typed when it became ready is half of the word
        terminal.read(0.3)
    raise AssertionError(f"the confirmation takes no keys:\n{terminal.text()}")


def dialog(terminal: Terminal) -> list[str]:
    """Return what stands in each line of the box on top."""
    return [line.split("│")[1].strip() for line in terminal.text().splitlines() if line.count("│") == 2]


def is_focused(terminal: Terminal, button: str) -> bool:
    """Return whether a button of the confirmation is drawn in reverse."""
    number = next(number for number in range(terminal.screen.lines) if f" {button} " in terminal.line(number))
    return bool(terminal.screen.buffer[number][terminal.line(number).index(button)].reverse)


def told(terminal: Terminal, words: str) -> None:
    """Wait for a notification, and let it go."""
    terminal.wait_for(lambda: words in terminal.text(), 90, words)


def test_a_container_is_acted_on_from_the_keyboard(docker_lab: DockerLab, tmp_path: Path) -> None:
    one = docker_lab.run("key-web", POLITE)
    try:
        with screen(tmp_path, "--docker", docker_lab.url) as terminal:
            choose(terminal, "key-web")
            for sign, key, title, typed, words, state in (
                ("●", "p", "Pause container key-web?", "", "key-web was paused", "paused"),
                ("‖", "u", "Resume container key-web?", "", "key-web was resumed", "running"),
                ("●", "r", "Restart container key-web?", "", "key-web was restarted", "running"),
                ("●", "t", "Stop container key-web?", "", "key-web was stopped", "exited"),
                ("○", "s", "Start container key-web?", "", "key-web was started", "running"),
                ("●", "K", "Kill container key-web?", "key-web", "key-web was killed", "exited"),
            ):
                stands(terminal, sign, "key-web")
                act(terminal, key, title, typed)
                told(terminal, words)
                assert docker_states(docker_lab)["key-web"] == state, title
        written = (tmp_path / "vmtop" / "actions.log").read_text()
        entries = [json.loads(line) for line in written.splitlines()]
        assert [entry["verb"] for entry in entries] == ["pause", "resume", "restart", "stop", "start", "kill"]
        assert {entry["result"] for entry in entries} == {"done"}
        assert entries[3]["command"] == f"docker -H {docker_lab.url} stop -t 10 {one}"
        assert (tmp_path / "vmtop" / "actions.log").stat().st_mode & 0o777 == 0o600
    finally:
        docker_lab.remove(one)


def test_a_domain_is_acted_on_from_the_keyboard(libvirt_lab: LibvirtLab, tmp_path: Path) -> None:
    name = libvirt_lab.start_tiny("key", BootSector.IDLE)
    try:
        (tmp_path / "config" / "vmtop").mkdir(parents=True)
        (tmp_path / "config" / "vmtop" / "config.toml").write_text("[actions.timeout_s]\nvm = 1\n")
        with screen(tmp_path, "--libvirt", libvirt_lab.uri) as terminal:
            choose(terminal, name)
            for sign, key, title, typed, words, state in (
                ("●", "p", f"Pause VM {name}?", "", "was paused", "paused"),
                ("‖", "u", f"Resume VM {name}?", "", "was resumed", "running"),
                ("●", "r", f"Reboot VM {name}?", "", "was reset", "running"),
                ("●", "K", f"Force off VM {name}?", name, "was forced off", "shut off"),
                ("○", "s", f"Start VM {name}?", "", "was started", "running"),
                ("●", "t", f"Shut down VM {name}?", "", "was forced off after the stop", "shut off"),
            ):
                stands(terminal, sign, name)
                act(terminal, key, title, typed)
                told(terminal, words)
                assert virsh_states(libvirt_lab)[name] == state, title
    finally:
        libvirt_lab.remove(name)


def test_three_marked_ones_are_stopped_at_once(docker_lab: DockerLab, tmp_path: Path) -> None:
    ids = [docker_lab.run(f"bulk-{number}", POLITE) for number in range(4)]
    try:
        with screen(tmp_path, "--docker", docker_lab.url, "--only", "container") as terminal:
            choose(terminal, "name~bulk-[012]")
            terminal.wait_for(lambda: all(f"bulk-{number}" in terminal.text() for number in range(3)), 10, "the rows")
            terminal.press("*")
            terminal.wait_for(lambda: "3 marked" in terminal.text(), 10, "the marks")
            act(terminal, "t", "Stop 3 containers?")
            terminal.wait_for(lambda: terminal.text().count("exited 0 ") >= 3, 90, "the end of all three")
        states = docker_states(docker_lab)
        assert [states[f"bulk-{number}"] for number in range(4)] == ["exited", "exited", "exited", "running"]
    finally:
        for one in ids:
            docker_lab.remove(one)


def vmtop(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([VMTOP, *words], capture_output=True, text=True, check=False, env={
        "XDG_STATE_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin",
        "PYTHONPATH": str(CHECKOUT), **environment,
    })  # fmt: skip


def test_scripts_do_the_same(docker_lab: DockerLab, libvirt_lab: LibvirtLab, tmp_path: Path) -> None:
    one = docker_lab.run("script-web", POLITE)
    tiny = libvirt_lab.start_tiny("script", BootSector.IDLE)
    places = ("--docker", docker_lab.url, "--libvirt", libvirt_lab.uri, "--yes")
    try:
        for verb, container, domain in (
            ("pause", "paused", "paused"),
            ("resume", "running", "running"),
            ("kill", "exited", "shut off"),
            ("start", "running", "running"),
        ):
            done = vmtop(tmp_path, verb, one[:10], f"vm:{tiny}", *places)
            assert done.returncode == 0, done.stderr
            assert len(done.stdout.splitlines()) == 2
            assert docker_states(docker_lab)["script-web"] == container
            assert virsh_states(libvirt_lab)[tiny] == domain
        done = vmtop(tmp_path, "restart", "script-web", "--timeout", "3", *places)
        assert (done.returncode, docker_states(docker_lab)["script-web"]) == (0, "running")
        done = vmtop(tmp_path, "stop", tiny, "--timeout", "1", "--then", "leave", *places)
        assert (done.returncode, virsh_states(libvirt_lab)[tiny]) == (6, "running")
        done = vmtop(tmp_path, "stop", "script-web", "--timeout", "3", *places)
        assert (done.returncode, docker_states(docker_lab)["script-web"]) == (0, "exited")
        done = vmtop(tmp_path, "stop", "script-web", *places)
        assert (done.returncode, "already" in done.stdout) == (0, True)
    finally:
        docker_lab.remove(one)
        libvirt_lab.remove(tiny)


def test_a_name_that_could_be_several_does_nothing(docker_lab: DockerLab, tmp_path: Path) -> None:
    first = docker_lab.run("twin-0", POLITE)
    ids = [first, docker_lab.run(first[:12], POLITE)]
    try:
        done = vmtop(tmp_path, "kill", first[:12], "--docker", docker_lab.url, "--yes")
        assert done.returncode == 3
        assert "container:twin-0" in done.stderr
        assert f"container:{first[:12]}" in done.stderr
        assert {docker_states(docker_lab)[name] for name in ("twin-0", first[:12])} == {"running"}
        done = vmtop(tmp_path, "kill", "twin-0", "--docker", docker_lab.url)
        assert (done.returncode, "--yes" in done.stderr) == (2, True)
        assert docker_states(docker_lab)["twin-0"] == "running"
    finally:
        for one in ids:
            docker_lab.remove(one)


def test_what_is_protected_is_refused_until_the_configuration_allows_it(docker_lab: DockerLab, tmp_path: Path) -> None:
    one = docker_lab.run("precious", POLITE, labels={"vmtop.protect": "true"})
    try:
        done = vmtop(tmp_path, "kill", "precious", "--docker", docker_lab.url, "--yes")
        assert (done.returncode, docker_states(docker_lab)["precious"]) == (5, "running")
        assert "vmtop.protect" in done.stderr
        (tmp_path / "vmtop").mkdir(exist_ok=True)
        (tmp_path / "vmtop" / "config.toml").write_text('[actions]\nallow_protected = ["container:precious"]\n')
        done = vmtop(tmp_path, "kill", "precious", "--docker", docker_lab.url, "--yes")
        assert (done.returncode, docker_states(docker_lab)["precious"]) == (0, "exited")
    finally:
        docker_lab.remove(one)
