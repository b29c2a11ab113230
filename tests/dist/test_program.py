"""The program of one file that needs no Python: copied to a system, used there, and deleted."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dist.conftest import artefact, shows_the_demo
from tests.helpers.checkout import FIXTURES
from tests.helpers.fresh_root import RELEASES, FreshRoot
from tests.helpers.pty_terminal import Terminal

pytestmark = [pytest.mark.dist, pytest.mark.parametrize("release", RELEASES)]
_PLACE = "/usr/local/bin/vmtop"


@pytest.fixture
def root(
    release: str, new_root: Callable[[str], FreshRoot], record_property: Callable[[str, object], None]
) -> FreshRoot:
    """A fresh system with the program in its place."""
    program, root = artefact("vmtop-*-linux-*"), new_root(release)
    record_property("artefact", program.name)
    record_property("system", release)
    root.put(program, _PLACE)
    return root


def test_it_lists_checks_and_shows(root: FreshRoot) -> None:
    assert json.loads(root.run("vmtop", "list", "--json", "--wait", "5"))["schema"]
    assert "its own" in root.run("vmtop", "doctor", codes=(0, 1))
    shows_the_demo(root.command("vmtop", "demo"))


def test_it_reads_recordings_of_0_1_0(root: FreshRoot) -> None:
    root.put(FIXTURES / "0.1.0.vmtop.gz", "/root/old.vmtop.gz")
    expected = json.loads((FIXTURES / "0.1.0.json").read_text())
    assert json.loads(root.run("vmtop", "info", "--json", "/root/old.vmtop.gz"))["frames"] == expected["frames"]


def test_programs_that_it_starts_get_their_own_libraries(root: FreshRoot, tmp_path: Path) -> None:
    client = tmp_path / "ssh"
    client.write_text("#!/bin/sh\nenv >/root/seen\nexit 255\n")
    client.chmod(0o755)
    root.put(client, "/usr/local/bin/ssh")
    root.run("vmtop", "list", "--host", "hv01", "--wait", "20", codes=(1, 8))
    seen = root.run("cat", "/root/seen")
    assert "HOME=/root" in seen
    assert "LD_LIBRARY_PATH" not in seen


def test_a_command_of_ones_own_gets_the_terminal(root: FreshRoot, tmp_path: Path) -> None:
    settings = tmp_path / "config.toml"
    script = "echo over the controlling one >/dev/tty"
    settings.write_text(f'[[commands]]\nlabel = "who"\nkey = "ctrl+y"\nrun = ["sh", "-c", "{script}"]\nsafe = true\n')
    root.put(settings, "/root/.config/vmtop/config.toml")
    terminal = Terminal(root.command("vmtop", "--only", "service"))
    try:
        terminal.wait_for(lambda: "svc" in terminal.text(), 30, "a row")
        terminal.press("\x1b[B\x19")
        terminal.wait_for(lambda: "any key comes back" in terminal.text(), 20, "the end of the command")
        assert "over the controlling one" in terminal.text()
    finally:
        terminal.close()


def test_what_it_unpacks_is_its_users_alone_and_gone_at_the_end(root: FreshRoot) -> None:
    terminal = Terminal(root.command("vmtop", "demo"))
    try:
        terminal.wait_for(lambda: "NAME" in terminal.text(), 30, "the table")
        (folder,) = (root.layer / "tmp").glob("_MEI*")
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
        terminal.press("q")
        assert terminal.wait_exit() == 0
    finally:
        terminal.close()
    assert not folder.exists()


def test_its_file_is_all_that_there_is(root: FreshRoot) -> None:
    root.run("vmtop", "list")
    root.run("rm", _PLACE)
    assert root.changed() == set()

