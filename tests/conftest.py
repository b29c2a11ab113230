"""What every test may ask for. The real daemons live in `tests.lab`."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.helpers.pty_terminal import Start, Terminal

pytest_plugins = ["tests.helpers.lab.fixtures", "tests.helpers.lab.groups", "tests.helpers.lab.vcsim"]

for _size in ("COLUMNS", "LINES"):  # readline exports them to pytest's workers: they override a pty's own size
    os.environ.pop(_size, None)

os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"  # else a fork of a stand-in's gRPC server writes into libvirt's ssh tunnel

_FOLDER = tempfile.mkdtemp(prefix="vmtop-tests-")  # no test reads or changes what the user has configured
os.environ |= {"XDG_CONFIG_HOME": f"{_FOLDER}/config", "XDG_STATE_HOME": f"{_FOLDER}/state"}
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT):  # nohup and a shell's background ignore some of them,
    if signal.getsignal(_number) is signal.SIG_IGN:  # and what is ignored stays so in every program that a test starts
        signal.signal(_number, signal.default_int_handler if _number == signal.SIGINT else signal.SIG_DFL)

_ON_REAL_PROGRAMS = "tests/terminal/", "tests/unit/bench/"
"""Folders whose tests start programs and terminals, though they need no lab."""

settings.register_profile("patient", settings.default, deadline=None)  # no test is timed
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a test on real programs a second time in CI before it counts as failed (docs/decisions/0048)."""
    if os.environ.get("CI") == "true":
        for item in items:
            is_marked = item.get_closest_marker("lab") or item.get_closest_marker("slow")
            if is_marked or item.nodeid.startswith(_ON_REAL_PROGRAMS):
                item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=5))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run in CI that skipped a test: nothing may be missing there without anyone noticing."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    is_worker = hasattr(session.config, "workerinput")
    if os.environ.get("CI") == "true" and not is_worker and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Start vmtop on a pty, where nothing is remembered of another test; all are ended after the test."""
    running: list[Terminal] = []
    if os.environ["XDG_STATE_HOME"].startswith(_FOLDER):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "own-state"))

    def begin(*arguments: str, **options: object) -> Terminal:
        terminal = Terminal(["vmtop", *arguments], **options)  # type: ignore[arg-type]  # Terminal's own options
        running.append(terminal)
        return terminal

    yield begin
    for terminal in running:
        terminal.close()
