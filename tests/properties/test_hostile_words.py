"""Hostile words on the command line, in the environment and in sessions: what is said of them steers no terminal."""

from __future__ import annotations

import gzip
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.helpers.demo_fleet import Fleet
from tests.helpers.hostile_text import TEXTS, is_inert, misaligned, pasted, search, visit
from tests.helpers.pty_terminal import Start, Terminal
from tests.unit.collectors.session.test_session_file import write

pytestmark = pytest.mark.slow

HARM = "".join(TEXTS[tried] for tried in ("title", "clear", "c1", "markup", "bidi"))
NAMELESS = HARM.replace("/", "")


def said(*words: str, **environment: str) -> tuple[int, bytes]:
    """Run vmtop on a terminal; return its exit code and all that it said there."""
    with closing(Terminal(["vmtop", *words], (200, 50), environment)) as terminal:
        code = terminal.wait_exit(60)
        terminal.read(0.3)
        return code, bytes(terminal.received).replace(b"\r\n", b"\n")


@pytest.mark.parametrize(
    "words",
    [
        *(("list", "--filter", f"cpu>{HARM}"), ("list", "--filter", f"name~[{HARM}"), ("list", "--sort", HARM)),
        *(("list", "--docker", HARM), (HARM,), (f"--{HARM}",), ("replay", NAMELESS), ("info", NAMELESS)),
        *(("export", "--metric", HARM, "x"), ("stop", HARM, "--yes"), ("record", f"/none/{NAMELESS}")),
        *(("record", "--rotate-size", HARM, "x"), ("--record", f"/none/{NAMELESS}"), ("--interval", HARM)),
    ],
    ids=range(14),
)
def test_an_error_about_hostile_words_is_one_safe_sentence(words: tuple[str, ...], tmp_path: Path) -> None:
    code, told = said(*words, XDG_STATE_HOME=str(tmp_path))
    assert code in (1, 2, 3)
    assert told.startswith(b"vmtop: ")
    assert is_inert(told)
    assert b"Traceback" not in told


def test_a_hostile_place_of_the_configuration_is_safe_to_show(tmp_path: Path) -> None:
    folder = tmp_path / NAMELESS[:100]
    (folder / "vmtop").mkdir(parents=True)
    (folder / "vmtop" / "config.toml").write_text(f"'{TEXTS['c1']}' = 1\n")
    code, told = said("stop", "x", "--yes", XDG_CONFIG_HOME=str(folder))
    assert code == 1
    assert b"line 1: " in told
    assert is_inert(told)


def test_a_hostile_name_of_a_recording_is_safe_to_show(tmp_path: Path) -> None:
    path = tmp_path / f"{NAMELESS[:60]}.vmtop.gz"
    command = ["vmtop", "demo", "--workloads", "3", "--record", str(path)]
    with closing(Terminal(command, environment={"XDG_STATE_HOME": str(tmp_path / "state")})) as terminal:
        terminal.wait_for(lambda: "REC" in terminal.text() and "●" in terminal.text(), 30, "the recording")
        terminal.press("q")
        assert terminal.wait_exit(20) == 0
        terminal.read(0.3)
        assert b"vmtop: recorded" in terminal.received
        assert search(bytes(terminal.received)).found == []


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session whose every text means harm: its writer did not make them inert."""
    fleet, frames, tried = Fleet(len(TEXTS)), [], list(TEXTS.values())
    for _ in range(5):
        frame = fleet.frame()
        workloads = {
            identity: msgspec.structs.replace(
                one, name=text, image=text, project=text, health=text, ports=text, labels=((text, text),),
                description=text, cgroup=text, addresses=(text,),
            )
            for (identity, one), text in zip(frame.workloads.items(), tried, strict=False)
        }  # fmt: skip
        events = [msgspec.structs.replace(one, what=HARM, detail=HARM, name=HARM) for one in frame.events]
        facts = dict.fromkeys(("hostname", "kernel", HARM), HARM)
        frames.append(msgspec.structs.replace(frame, workloads=workloads, events=tuple(events), facts=facts))
    path = write(tmp_path / "hostile.vmtop.gz", frames)
    assert "]0;OWNED" in gzip.decompress(path.read_bytes()).decode(), "it is in the file"
    return path


def test_a_replay_of_a_hostile_session_moves_no_column_and_steers_nothing(session: Path) -> None:
    with closing(Terminal(["vmtop", "replay", str(session), "--at", "end"], (160, 45))) as terminal:
        terminal.wait_for(lambda: all(words in terminal.text() for words in ("OWNED", "/LIMIT")), 30, "the replay")
        terminal.read(1)
        assert misaligned(terminal) == []
        for _ in range(len(TEXTS)):
            visit(terminal, [("j", "/LIMIT")], pause=0.1)
        visit(
            terminal,
            [("g", "/LIMIT"), ("\r", "Events"), ("5", "Start-up time"), ("\x1b", "/LIMIT"), ("w", "Where the")],
        )
        visit(terminal, [("\x1b", "/LIMIT"), ("a", "/LIMIT"), ("t", "▾"), ("t", "/LIMIT"), ("!", "Sources")])
        terminal.press("\x1b")
        terminal.read(0.5)
        terminal.press("q")
        assert terminal.wait_exit(20) == 0
        assert search(bytes(terminal.received)).found == []


def test_hostile_text_that_is_typed_and_pasted_steers_nothing(start: Start, tmp_path: Path) -> None:
    terminal = start("demo", "--workloads", "5", environment={"XDG_STATE_HOME": str(tmp_path)})
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    for tried in ("c1", "bidi", "hidden", "markup"):
        visit(terminal, [("/", "/LIMIT"), (pasted(TEXTS[tried]), "/LIMIT"), ("\r", "/LIMIT"), ("\x1b", "/LIMIT")])
        visit(terminal, [("\x1b", "/LIMIT")])
    terminal.press("q")
    assert terminal.wait_exit(20) == 0
    assert search(bytes(terminal.received)).found == []


@pytest.mark.parametrize("words", [("info",), ("info", "--json"), ("export",), ("export", "--format", "openmetrics")])
def test_what_is_told_of_a_hostile_session_is_safe(words: tuple[str, ...], session: Path) -> None:
    code, told = said(*words, str(session))
    assert code == 0
    for own in (b"\r", b"\x1b[?25l", b"\x1b[?25h", b"\x1b[K"):  # those of a bar of progress
        told = told.replace(own, b"")
    assert is_inert(told)
