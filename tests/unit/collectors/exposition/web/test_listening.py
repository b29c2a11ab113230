"""Where the server listens."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from collectors.exposition.web.listening import ListenError, Place, listen, name_of, passed_sockets, place_of, remove


def test_addresses_are_understood() -> None:
    assert place_of("127.0.0.1:9922") == Place("127.0.0.1", 9922)
    assert place_of("[::1]:80") == Place("::1", 80)
    assert place_of(":9922") == Place("", 9922)
    assert place_of("unix:/run/vmtop.sock") == Place("", 0, "/run/vmtop.sock")


@pytest.mark.parametrize("text", ["", "9922", "host", "::1:9922", "a:99999", "unix:run", "unix:/" + "x" * 107, "a/b:1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"HOST:PORT|absolute"):
        place_of(text)


def test_only_loopback_and_unix_sockets_are_near() -> None:
    assert all(place_of(text).is_near for text in ("127.0.0.1:1", "[::1]:1", "localhost:1", "unix:/x", "127.9.9.9:1"))
    assert not any(place_of(text).is_near for text in (":1", "0.0.0.0:1", "10.0.0.1:1", "hv01:1"))


def test_a_unix_socket_is_for_its_group_and_replaces_one_that_nobody_listens_at(tmp_path: Path) -> None:
    place = Place("", 0, str(tmp_path / "s"))
    with listen(place) as first:
        assert stat.S_IMODE(os.stat(place.path).st_mode) == 0o660
        assert name_of(first) == f"unix:{place.path}"
        with pytest.raises(ListenError, match="in use"):
            listen(place)
    listen(place).close()
    remove(place)
    assert not os.path.exists(place.path)


def test_a_file_in_place_of_the_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(ListenError):
        listen(Place("", 0, str(tmp_path / "s")))
    assert (tmp_path / "s").read_text() == "mine"


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with listen(Place("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        with pytest.raises(ListenError, match=f"cannot listen at 127.0.0.1:{port}: Address already in use"):
            listen(Place("127.0.0.1", port))


def test_sockets_of_systemd_are_for_the_process_that_it_names() -> None:
    assert passed_sockets({}) == []
    assert passed_sockets({"LISTEN_PID": "1", "LISTEN_FDS": "1"}) == []


_TAKE = """
import os, sys
from collectors.exposition.web.listening import ListenError, name_of, passed_sockets
try:
    print(*map(name_of, passed_sockets({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1"})))
except ListenError as error:
    print(error)
"""


def _passed(descriptor: int) -> str:
    """Return what a process finds that was passed a descriptor as systemd does."""
    program = f"import os,sys; os.dup2({descriptor}, 3); os.execv(sys.executable, [sys.executable, '-c', sys.argv[1]])"
    done = subprocess.run(
        [sys.executable, "-c", program, _TAKE], capture_output=True, text=True, pass_fds=(descriptor,), check=True
    )
    return done.stdout.strip()


def test_a_socket_of_systemd_is_taken_over(tmp_path: Path) -> None:
    with listen(Place("127.0.0.1", 0)) as listener:
        assert _passed(listener.fileno()) == name_of(listener)
    with socket.socket() as silent:
        assert "no listening stream socket" in _passed(silent.fileno())
    with (tmp_path / "file").open("w") as file:
        assert "is no socket" in _passed(file.fileno())
