"""A plugin of pytest: coverage learns which test is running, and a file is written of how long each took."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import coverage
import pytest

_seconds: dict[str, float] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Tell coverage the test before it is set up, and nothing after it is torn down."""
    measuring = coverage.Coverage.current()
    assert measuring is not None
    measuring.switch_context(item.nodeid)
    result = yield
    measuring.switch_context("")
    return result


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what a test takes with its fixtures; a test that was skipped catches nothing."""
    if report.skipped:
        _seconds.pop(report.nodeid, None)
    elif report.when == "setup" or report.nodeid in _seconds:
        _seconds[report.nodeid] = _seconds.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish() -> None:
    """Write what was added up."""
    Path(os.environ["VMTOP_TEST_SECONDS"]).write_text(json.dumps(_seconds))
