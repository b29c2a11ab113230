"""Hostile text through real engines: whatever they let in, nothing of it steers the terminal or moves a column."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

import pytest

from tests.helpers.hostile_text import BROKEN, TEXTS, is_inert, lines_with, misaligned, pasted, search, visit
from tests.helpers.lab.docker_engine import IMAGE, DockerLab
from tests.helpers.lab.guests import BootSector
from tests.helpers.lab.libvirt_daemon import LibvirtLab
from tests.helpers.lab.process import wait_until
from tests.helpers.pty_terminal import Terminal
from tests.unit.collectors.kernel.cgroup.test_source import LiveGroups

pytestmark = pytest.mark.lab

RUN = str(os.getpid())
LONG_NAME = RUN + "n" * 4096
DOMAINS = ("c1", "controls", "bidi", "hidden", "markup", "wide", "combining", "emoji", "option", "formula")
"""Those that XML can say; what libvirt refuses of them is left out."""
_NO_XML = dict.fromkeys((*range(9), *range(11, 13), *range(14, 32), 0xFFFE, 0xFFFF))


class Fleet(NamedTuple):
    """What was let in."""

    docker: DockerLab
    libvirt: LibvirtLab
    domains: dict[str, str]
    """What it tries -> the name that libvirt took."""

    def sources(self) -> tuple[str, ...]:
        return ("--docker", self.docker.url, "--libvirt", self.libvirt.uri)


def _container(lab: DockerLab) -> str:
    """Start a container that is hostile wherever the engine lets it be."""
    client, texts = lab.client, list(TEXTS.values())
    octal = "".join(f"\\{byte:03o}" for byte in BROKEN)
    script = f"while :; do for text; do echo \"$text\"; done; printf '{octal}\\n'; sleep 0.3; done"
    made = client.create_container(
        _image(lab),
        ["sh", "-c", script, *texts],
        name=LONG_NAME,
        labels={"com.docker.compose.project": TEXTS["c1"] + TEXTS["title"], **{text: text for text in texts}},
        environment=[f"{text.replace('=', '')}={text}" for text in texts],
        hostname="h" + TEXTS["c1"],
        working_dir="/" + TEXTS["title"].replace("/", ""),
        healthcheck={"test": ["CMD-SHELL", f"printf '{octal}'; exit 1"], "interval": 10**9, "retries": 1},
        host_config=client.create_host_config(network_mode="none", binds=[f"hostile:/{TEXTS['c1']}"]),
    )["Id"]
    client.start(made)
    return str(made)


def _image(lab: DockerLab) -> str:
    """Make an image with hostile labels and a hostile author."""
    base = lab.client.create_container(IMAGE, ["sh"])["Id"]
    conf = {"Labels": {text: text for text in TEXTS.values()}, "Cmd": list(TEXTS.values())}
    made = lab.client.commit(base, repository="hostile", tag="lab", author=TEXTS["title"], message="x", conf=conf)
    lab.remove(base)
    return str(made["Id"])


def _domains(lab: LibvirtLab) -> dict[str, str]:
    """Start domains with hostile names, titles, descriptions and metadata; return those that libvirt takes."""
    import libvirt

    taken = {}
    for number, tried in enumerate(DOMAINS):
        text = TEXTS[tried].translate(_NO_XML).replace("/", "")
        name = f"{text[:40]}-{os.getpid()}"
        xml = BootSector.IDLE.xml(f"hostile{number}", lab.folder, 4, "")
        about = f"<title>{escape(text)}</title><description>{escape(text * 20)}</description>".replace("\n", " ")
        about += f"<metadata><a:b xmlns:a='urn:{number}'>{escape(text)}</a:b></metadata>"
        plain = f"<name>hostile{number}</name>"
        try:
            lab.connection.defineXML(xml.replace(plain, f"<name>{escape(name)}</name>{about}")).create()
        except libvirt.libvirtError:
            continue
        taken[tried] = name
    return taken


def _end(lab: LibvirtLab, name: str) -> None:
    """End a domain by its QEMU: a destroy takes two seconds for each."""
    domain = lab.connection.lookupByName(name)
    mine = domain.UUIDString().encode()
    for command in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if b"qemu" in (words := command.read_bytes()) and mine in words:
                os.kill(int(command.parent.name), signal.SIGKILL)
    wait_until(lambda: not domain.isActive(), 30, "the end of a domain")
    domain.undefine()


@pytest.fixture(scope="module")
def fleet(docker_lab: DockerLab, libvirt_lab: LibvirtLab) -> Iterator[Fleet]:
    """Hostile workloads of every kind, beside honest ones."""
    with ExitStack() as undo:
        for name in (_container(docker_lab), docker_lab.run(f"honest-{RUN}", "sleep 100000")):
            undo.callback(docker_lab.remove, name)
        domains = _domains(libvirt_lab)
        for name in domains.values():
            undo.callback(_end, libvirt_lab, name)
        groups = LiveGroups(f"vmtop-hostile-{os.getpid()}.slice")
        undo.callback(groups.close)
        for number, text in enumerate((*TEXTS.values(), os.fsdecode(BROKEN))):
            name = f"{number}" + os.fsdecode(os.fsencode(text.replace("/", "").replace("\n", ""))[:120])
            groups.make(name)
            if number < 3:
                groups.run(name, "import time; time.sleep(1000)")
        yield Fleet(docker_lab, libvirt_lab, domains)


@pytest.fixture
def live(fleet: Fleet, tmp_path: Path) -> Iterator[Terminal]:
    """The live screen, showing this run's workloads by name."""
    command = ["vmtop", *fleet.sources(), "--filter", RUN, "--record", str(tmp_path / "rec.vmtop.gz")]
    with closing(Terminal(command, (160, 90), {"XDG_STATE_HOME": str(tmp_path)})) as terminal:
        terminal.wait_for(lambda: "OWNED" in terminal.text() and f"honest-{RUN}" in terminal.text(), 60, "the fleet")
        visit(terminal, [("M", "▼MEM")])
        yield terminal


def leave(terminal: Terminal) -> int:
    """Quit, search all that was sent, and return how much it was."""
    terminal.press("q")
    assert terminal.wait_exit(20) == 0
    size, found = search(bytes(terminal.received))
    assert not found
    return size


BACK = ("\x1b", "/LIMIT")
PAGE_DOWN = ("\x1b[6~", "Esc back")
INSPECTED = [("i", "Enter fold"), *[PAGE_DOWN] * 6, BACK]
ASKED = [
    *(("x", "key or Enter chooses"), ("K", "The same by hand"), BACK),
    *(("w", "Where the numbers come from"), BACK),
]
"""The menu of actions, the question before one, and where the numbers come from."""


def pages(facts: str, devices: str, processes: str = "COMMAND") -> list[tuple[str, str]]:
    """Return the way through all pages of a workload, by words of three of them."""
    return [
        *(("\r", "2 Facts"), ("2", facts), *[PAGE_DOWN] * 3, ("3", devices)),
        *(("4", processes), PAGE_DOWN, ("5", "Start-up time"), BACK),
    ]


def test_hostile_workloads_move_no_column_and_steer_nothing(live: Terminal) -> None:
    for keys, words in (("4", "service only"), ("2", "vm only"), ("1", "/LIMIT")):
        visit(live, [(keys, words)])
        live.read(2)
        assert len(lines_with(live, [" ct ", " vm ", " svc "])) > 3
        assert misaligned(live) == []
    visit(live, [("t", "▾"), ("t", "/LIMIT"), ("aU*", " marked"), ("U", "/LIMIT")])
    assert misaligned(live) == []
    leave(live)


def test_every_screen_of_a_hostile_container_is_safe(live: Terminal) -> None:
    log = [("l", "f follow"), ("w", "f follow"), ("t", "f follow"), BACK]
    panels = [("!", "Sources"), BACK, ("?", "Most used"), BACK, ("A", "Actions"), BACK]
    visit(live, [("3g", "container only"), *pages("Container", "Mounts"), *log, *INSPECTED, *ASKED, *panels])
    assert leave(live) > 100_000


def test_every_screen_of_hostile_domains_and_services_is_safe(live: Terminal) -> None:
    visit(live, [("2g", "vm only"), *pages("Domain", "Disks"), *ASKED, *INSPECTED, *[("j", "vm only")] * 12])
    visit(live, [("4g", "service only"), *pages("Service", "Devices", "nothing is known"), ("x", "chooses"), BACK])
    assert leave(live) > 100_000


def test_comparing_and_classes_of_hostile_workloads_are_safe(live: Terminal) -> None:
    visit(
        live,
        [("2g", "vm only"), (" ", "1 marked"), ("j ", "2 marked"), ("jj ", "3 marked"), ("=", "same scale"), BACK],
    )
    visit(live, [("U", "vm only"), ("=", "median of each class"), *[("j", "BARE METAL")] * 4, BACK])
    leave(live)


def test_what_is_typed_pasted_noted_and_replayed_is_safe(live: Terminal, tmp_path: Path) -> None:
    for tried in ("c1", "markup", "bidi", "controls", "wide"):
        visit(live, [("/", "/LIMIT"), (pasted(TEXTS[tried]), "/LIMIT"), ("\r", "/LIMIT"), BACK, BACK])
    visit(live, [(":", "Tab completes"), (pasted("mark " + TEXTS["c1"] + TEXTS["markup"]), "mark"), BACK])
    visit(live, [("T", "PAST"), ("T", "PAST"), ("\x1b[F", "LIVE")])
    leave(live)
    with closing(Terminal(["vmtop", "replay", str(tmp_path / "rec.vmtop.gz"), "--at", "end"], (160, 50))) as again:
        again.wait_for(lambda: "OWNED" in again.text(), 30, "the replay")
        visit(again, [("/", "/LIMIT"), (RUN + "\r", f"filter {RUN}"), ("\r", "Events"), ("5", "Start-up time"), BACK])
        assert misaligned(again) == []
        leave(again)


PRINTED = (
    *(("list",), ("list", "--json"), ("list", "--csv"), ("list", "--quiet"), ("compare",), ("doctor",)),
    ("list", "--columns", "name,project,image,ports,reason,ip"),
    *((command, "THE CONTAINER") for command in ("logs", "top", "inspect")),
)


@pytest.mark.parametrize("words", PRINTED, ids=" ".join)
def test_what_commands_print_on_a_terminal_is_safe(words: tuple[str, ...], fleet: Fleet, tmp_path: Path) -> None:
    identity = fleet.docker.client.inspect_container(LONG_NAME)["Id"]
    named = [identity if word == "THE CONTAINER" else word for word in words[1:]]
    command = ["vmtop", words[0], *fleet.sources(), *named]
    with closing(Terminal(command, (200, 50), {"XDG_STATE_HOME": str(tmp_path)})) as terminal:
        assert terminal.wait_exit(120) == 0, terminal.text()
        told = bytes(terminal.received)
        for own in (b"\r\n", b"\r", b"\x1b[?25l", b"\x1b[?25h", b"\x1b[K"):  # those of a bar of progress
            told = told.replace(own, b"")
    assert is_inert(told)
