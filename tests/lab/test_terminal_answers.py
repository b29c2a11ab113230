"""A real terminal's answers on a real screen: none becomes a key, also not those that a container asked for."""

from __future__ import annotations

import random
from contextlib import closing
from pathlib import Path

import pytest

from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.late_terminal import ANSWERS, LateTerminal
from tests.helpers.pty_terminal import Start, Terminal
from tests.terminal.test_consoles import assert_sane, container_with_shell
from tests.unit.tui.terminal.test_terminal_replies import ANSWERS as REPLIES

ASKING = "#!/bin/sh\n" + "".join(
    f"printf '{question.decode().encode('unicode_escape').decode()}'\n" for question in ANSWERS
).replace("\\x1b", "\\033").replace("\\x07", "\\007")
"""Asks the terminal whatever it may be asked."""


def assert_nothing_was_typed(terminal: Terminal, name: str) -> None:
    """The table is shown as at the start: no dialogue, the first order, the workloads that were there."""
    text = terminal.text()
    assert "▼CPU%" in text, text
    assert f"● {name}" in text, text
    assert not any(word in text for word in ("╭", "hidden", " only ", "REC", "actions locked")), text


@pytest.mark.slow
def test_answers_of_every_kind_cut_anywhere_do_nothing(start: Start) -> None:
    # Mute, as an answer of its own in the middle of another is what no terminal gives.
    terminal = start("demo", "--workloads", "20", "--interval", "0.2", is_mute=True)
    terminal.wait_for(lambda: "●" in terminal.text(), 30, "the fleet")
    chance = random.Random(5)  # noqa: S311  # the same places each time
    for reply in REPLIES:
        raw = reply.encode()
        place = chance.randint(1, len(raw) - 1)
        terminal.press_bytes(raw[:place])
        terminal.read(chance.choice([0.0, 0.02, 0.3]) if place > 1 else 0.0)
        terminal.press_bytes(raw[place:])
        terminal.read(0.1)
        assert_nothing_was_typed(terminal, "ci-runner")
    terminal.press("M")
    terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "an answer to a key")


@pytest.mark.lab
@pytest.mark.parametrize("delay_s", [0.0, 0.4, 2.0])
def test_a_container_that_asks_a_hundred_questions_and_ends_changes_nothing(
    docker_lab: DockerLab, tmp_path: Path, delay_s: float
) -> None:
    environment = {"XDG_STATE_HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path)}
    argv = ["vmtop", "--docker", docker_lab.url, "--filter", "asking"]
    with (
        container_with_shell(docker_lab, "asking", ASKING * 20),
        closing(LateTerminal(argv, delay_s, size=(100, 30), environment=environment)) as terminal,
    ):
        terminal.wait_for(lambda: "● asking" in terminal.text(), 30, "the container")
        terminal.read(delay_s + 0.5)
        before = terminal.answered
        terminal.press("e")
        terminal.wait_for(lambda: "asking: the shell ended" in terminal.text(), 30, "the screen")
        assert b"Ctrl-] comes back" in terminal.received
        terminal.read(delay_s + 0.5)
        assert_nothing_was_typed(terminal, "asking")
        assert terminal.answered - before >= 20 * len(ANSWERS)
        terminal.press("M")
        terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "an answer to a key")
        terminal.press("q")
        assert terminal.wait_exit() == 0
        assert_sane(terminal)
