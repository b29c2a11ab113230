"""The words for the ssh client, and the sentences for how it ends."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.hosts import HostSpec
from collectors.fleet.ssh import client_environment, control_path, ssh_words, why_ended
from collectors.model.workloads import Availability

HOST = HostSpec("hv01", "admin@hv01:2222")
CHANGED = """@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
Host key verification failed.
"""


def test_ssh_is_asked_for_no_terminal_and_asks_for_nothing() -> None:
    words = ssh_words(HOST, ["record", "-"], environ={})
    assert words[:2] == ["ssh", "-T"]
    assert words[-5:] == ["-p", "2222", "--", "admin@hv01", "vmtop record -"]
    assert {"BatchMode=yes", "ConnectTimeout=8", "ServerAliveInterval=5", "ForwardAgent=no"} <= set(words)


@given(st.text(st.characters(exclude_characters="\0"), max_size=60))
def test_an_argument_stays_one_argument_in_the_shell_there(argument: str) -> None:
    assert shlex.split(ssh_words(HOST, ["stop", "--", argument])[-1])[1:] == ["stop", "--", argument]


def test_the_command_of_the_configuration_is_for_the_shell_there() -> None:
    host = HostSpec("hv02", "hv02", "sudo -n ~/bin/vmtop")
    assert ssh_words(host, ["record", "-"])[-1] == "sudo -n ~/bin/vmtop record -"


def test_nothing_can_ask_for_a_password() -> None:
    assert "SSH_ASKPASS" not in client_environment({"SSH_ASKPASS": "/usr/bin/ask", "HOME": "/root"})


def test_connections_are_shared_in_a_folder_of_this_user_alone(tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir(mode=0o700)
    environ = {"XDG_RUNTIME_DIR": str(own)}
    is_short = len(str(own)) < 30
    assert control_path(environ) == f"{own}/vmtop-%C" or not is_short
    own.chmod(0o777)
    assert control_path(environ) != f"{own}/vmtop-%C"


@pytest.mark.parametrize(
    ("code", "messages", "sentence", "remedy"),
    [
        (255, CHANGED, "the host key of hv01 is not the one", "ssh -p 2222 admin@hv01"),
        (255, "Host key verification failed.", "ssh does not know the host key of hv01", "accept the key"),
        (255, "hv01: Permission denied (publickey).", "accepts no key of this user", "ssh-copy-id -p 2222"),
        (255, "ssh: connect to host hv01: Connection timed out", "ssh to hv01: ssh: connect to host", "ssh -p"),
        (255, "ssh: connect to host hv01 port 2222: Connection refused", "nothing listens for ssh at hv01", "sshd"),
        (255, "Authenticated to hv01.\nTransferred: sent 1, received 2", "ssh to hv01: the connection ended", "ssh"),
        (127, "sh: 1: vmtop: not found", "hv01 has no vmtop", "vmtop host add hv01"),
        (1, "sudo: a password is required", "sudo on hv01 asks for a password", "NOPASSWD:"),
        (1, "sudo: vmtop: command not found", "sudo on hv01 does not find the program", "add hv01 --command 'sudo"),
        (2, "Usage: vmtop record\nError: No such option: --control", "too old for this one", "vmtop host add hv01"),
        (1, "vmtop: \x1b[2Jsampling failed", "vmtop on hv01: ", "ssh -p 2222 admin@hv01 vmtop doctor"),
        (137, "", "the vmtop on hv01, or the ssh to it, was ended by signal 9", "doctor"),
        (1, "", "the vmtop on hv01, or the ssh to it, ended with exit code 1", "doctor"),
    ],
)  # fmt: skip
def test_how_the_client_ends_is_one_sentence_with_a_remedy(
    code: int, messages: str, sentence: str, remedy: str
) -> None:
    error = why_ended(HOST, code, messages)
    assert sentence in error.reason
    assert remedy in error.remedy
    assert error.availability in (Availability.DOWN, Availability.DENIED)
    assert error.reason.isprintable()


@given(st.integers(0, 255), st.text(max_size=200))
def test_whatever_ssh_prints_is_safe_to_show(code: int, messages: str) -> None:
    error = why_ended(HOST, code, messages)
    assert "\x1b" not in error.reason
    assert "\n" not in error.reason
