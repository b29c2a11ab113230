"""`vmtop serve` and `vmtop textfile` as commands."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families as prometheus

from collectors.exposition import textfile
from tui.cli.main import main


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run vmtop without engines; it is ended at the end of the block."""
    command = [sys.executable, "-c", "import sys; from tui.cli.main import main; sys.exit(main())", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _ended(process: subprocess.Popen[str], number: int) -> tuple[int, str]:
    process.send_signal(number)
    _, said = process.communicate(timeout=20)
    return process.returncode, said


def test_it_serves_at_loopback_until_it_is_told_to_end() -> None:
    with running("serve", "--listen", "127.0.0.1:0") as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        port = int(re.fullmatch(r"vmtop: serving http://127\.0\.0\.1:([0-9]+)/metrics\n", said)[1])  # type: ignore[index]  # or the test fails
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        assert "vmtop_host_cpu_seconds_total" in text
        assert _ended(process, signal.SIGTERM) == (0, "")


def test_a_unix_socket_is_served_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "vmtop.sock"
    with running("serve", "--listen", f"unix:{path}") as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"vmtop: serving unix:{path}\n"
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            connection.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert connection.recv(4096).startswith(b"HTTP/1.1 ")
        assert _ended(process, signal.SIGINT)[0] == 0
    assert not path.exists()


def test_an_open_address_is_warned_of() -> None:
    with running("serve", "--listen", ":0") as process:
        assert process.stderr is not None
        process.stderr.readline()
        assert "everyone who reaches this address can read" in process.stderr.readline()


def test_a_mistake_in_the_configuration_does_not_leave_it_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text('[serve]\nweb_confg = "/etc/vmtop/web.yml"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    result = CliRunner().invoke(main, ["serve", "--listen", "127.0.0.1:0"])
    assert result.exit_code == 1
    assert "'web_confg' is unknown" in result.output
    assert "serving" not in result.output


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("serve", "--listen", "nowhere"), "an address is HOST:PORT"),
        (("serve", "--listen", "127.0.0.1:0", "--web-config", "/none.yml"), "/none.yml cannot be read"),
        (("serve", "--label", "a.b", "--label", "a/b"), "two of them would be exposed under one name"),
        (("serve", "--max-workloads", "0"), "0 is not in the range"),
        (("textfile", "/none"), "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code in (1, 2)
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_a_text_file_is_what_node_exporter_reads(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["textfile", str(tmp_path), "--once"])
    assert result.exit_code == 0, result.output
    path = tmp_path / "vmtop.prom"
    assert os.stat(path).st_mode & 0o777 == 0o644
    assert list(tmp_path.iterdir()) == [path]
    families = {family.name: family.type for family in prometheus(path.read_text())}
    assert families["vmtop_host_cpu_seconds"] == "counter"
    assert families["vmtop_build_info"] == "gauge"
    assert "info" not in families.values()


def test_a_text_file_goes_with_the_vmtop_that_wrote_it(tmp_path: Path) -> None:
    with running("textfile", str(tmp_path), "--interval", "1") as process:
        path = tmp_path / "vmtop.prom"
        deadline = time.monotonic() + 120
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        first = path.stat().st_ino
        while path.stat().st_ino == first:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert _ended(process, signal.SIGTERM) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_a_text_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "vmtop.prom").mkdir()
    (tmp_path / "vmtop.prom" / "mine").touch()
    result = CliRunner().invoke(main, ["textfile", str(tmp_path), "--once"])
    assert result.exit_code == 1
    assert result.output.startswith(f"vmtop: {tmp_path}/vmtop.prom cannot be written: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["vmtop.prom"]


def test_a_link_in_place_of_the_text_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / textfile.NAME).symlink_to(tmp_path / "mine")
    (tmp_path / f".{textfile.NAME}.{os.getpid()}").symlink_to(tmp_path / "mine")
    textfile.write(tmp_path, b"text")
    assert (tmp_path / "mine").read_text() == "mine"
    assert (tmp_path / textfile.NAME).read_bytes() == b"text"
