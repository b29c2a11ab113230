"""Programs of this host as consoles and commands."""

from __future__ import annotations

import threading

import pytest

from collectors.engines.child_process import ChildCommand, ChildConsole
from collectors.model.errors import SourceAbsent


def read_all(console: ChildConsole) -> bytes:
    return b"".join(iter(console.read, b""))


class TestConsole:
    def test_the_program_has_a_terminal_that_controls_its_session(self) -> None:
        console = ChildConsole("t", "shell", ["sh", "-c", "test -t 0 && : >/dev/tty && echo yes; exit 3"])
        assert read_all(console).strip() == b"yes"
        assert console.ending() == "the shell ended with exit code 3"
        assert console.exit_code == 3
        console.close()

    def test_what_is_typed_gets_to_it_and_its_size_can_be_set(self) -> None:
        console = ChildConsole("t", "command", ["sh", "-c", "read word; stty size; echo got $word"])
        console.resize(132, 40)
        console.write(b"hello\n")
        output = read_all(console)
        assert b"40 132" in output
        assert b"got hello" in output
        assert console.ending() == "the command ended"
        console.close()

    def test_closing_ends_the_program_and_wakes_the_reader(self) -> None:
        console = ChildConsole("t", "shell", ["sleep", "1000"])
        got: list[bytes] = []
        reader = threading.Thread(target=lambda: got.append(console.read()))
        reader.start()
        console.close()
        reader.join(20)
        assert got == [b""]
        assert console.read() == b""
        console.close()

    def test_a_program_that_ignores_the_hang_up_is_ended(self) -> None:
        console = ChildConsole("t", "shell", ["sh", "-c", "trap '' HUP; echo ready; while :; do sleep 1; done"])
        assert b"ready" in console.read()
        console.close()
        assert console.ending().startswith("the shell ended with exit code 137")


class TestCommand:
    def test_its_two_streams_and_its_exit_code_are_told_apart(self) -> None:
        command = ChildCommand(["sh", "-c", "echo out; echo err >&2; exit 4"])
        output = list(command.output())
        assert b"".join(block for is_error, block in output if not is_error) == b"out\n"
        assert b"".join(block for is_error, block in output if is_error) == b"err\n"
        assert command.exit_code() == 4
        command.close()

    def test_a_signal_is_shown_as_a_shell_shows_it(self) -> None:
        command = ChildCommand(["sh", "-c", "kill -9 $$"])
        assert list(command.output()) == []
        assert command.exit_code() == 137
        command.close()

    def test_closing_ends_it_with_what_it_started(self) -> None:
        command = ChildCommand(["sh", "-c", "sleep 1000 | cat"])
        command.close()
        assert command.exit_code() == 143

    def test_a_program_that_is_not_there_is_named(self) -> None:
        with pytest.raises(SourceAbsent, match="no program no-such-program"):
            ChildCommand(["no-such-program"])
