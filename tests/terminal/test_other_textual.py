"""Another Textual, in which a private name has moved: vmtop runs on Textual's own painting and driver."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import textual

from tests.helpers.pty_terminal import Terminal

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).parents[2]
START = "from tui.cli.main import main\nmain()"


def moved(folder: Path, name: str) -> dict[str, str]:
    """Make a copy of Textual with another word for a private name; return what makes Python find it first."""
    copy = folder / "textual"
    shutil.copytree(Path(textual.__file__).parent, copy)
    word = re.compile(rf"(?<!\w){name}\b")
    for path in copy.rglob("*.py"):
        text = path.read_text("utf-8")
        if word.search(text):
            path.write_text(word.sub(f"{name}_moved", text), "utf-8")
    for path in copy.rglob(f"{name}.py"):
        path.rename(path.with_name(f"{name}_moved.py"))
    state = folder / "state"
    return {"PYTHONPATH": f"{folder}{os.pathsep}{CHECKOUT}", "XDG_STATE_HOME": str(state)}


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("_styles_cache", "No module named 'textual._styles_cache'"),
        ("_re_cursor_position", "cannot import name '_re_cursor_position'"),
        ("_display", "App has no _display"),
        ("_batch_count", "App has no _batch_count"),
        ("_must_signal_resume", "LinuxDriver has no _must_signal_resume"),
    ],
)
def test_a_private_name_that_moved_leaves_textual_s_own_screen(tmp_path: Path, name: str, problem: str) -> None:
    variables = moved(tmp_path, name)
    terminal = Terminal([sys.executable, "-c", START, "demo", "--workloads", "30"], environment=variables)
    try:
        terminal.wait_for(lambda: "●" in terminal.text() and " host " in terminal.text(), 30, "the fleet")
        terminal.press("M")
        terminal.wait_for(lambda: "▼MEM" in terminal.text(), 20, "the order by memory")
        terminal.press("\x0c?")
        terminal.wait_for(lambda: "Most used" in terminal.text(), 20, "the help")
        terminal.press("\x1b")
        terminal.wait_for(lambda: "Most used" not in terminal.text(), 20, "the table")
        terminal.read(1)
        terminal.press("q")
        assert terminal.wait_exit() == 0
    finally:
        terminal.close()
    log = (tmp_path / "state" / "vmtop" / "vmtop.log").read_text()
    assert log.count("Textual paints and reads keys itself") == 1
    assert problem in log
    assert "Traceback" not in log


def test_a_failure_is_a_sentence_whatever_else_has_moved(tmp_path: Path) -> None:
    fault = (
        "from tui.screens.workloads.live import LiveListScreen\n"
        "def fail(self):\n    password = 'hunter2'\n    raise RuntimeError('no such luck')\n"
        f"LiveListScreen.action_reverse = fail\n{START}"
    )
    variables = moved(tmp_path, "_batch_count")
    terminal = Terminal([sys.executable, "-c", fault, "demo", "--workloads", "10"], environment=variables)
    try:
        terminal.wait_for(lambda: " host " in terminal.text(), 30, "the fleet")
        terminal.press("r")
        assert terminal.wait_exit() == 1
        assert b"the screen failed: RuntimeError: no such luck" in terminal.received
        assert b"hunter2" not in terminal.received
    finally:
        terminal.close()


def test_doctor_names_what_is_missing(tmp_path: Path) -> None:
    environment = {**os.environ, **moved(tmp_path, "_compositor")}
    command = [sys.executable, "-c", START, "doctor", "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert "reads keys itself: No module named 'textual._compositor'" in json.loads(done.stdout)["facts"]["textual"]
