"""What every test may ask for. The real daemons live in `tests.lab`."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.helpers.pty_terminal import Start, Terminal

pytest_plugins = ["tests.helpers.lab.fixtures"]

settings.register_profile("patient", settings.default, deadline=None)  # no test is timed
settings.load_profile("patient")


@pytest.fixture
def start() -> Iterator[Start]:
    """Start vmtop on a pty; all are ended after the test."""
    running: list[Terminal] = []

    def begin(*arguments: str, **options: object) -> Terminal:
        terminal = Terminal(["vmtop", *arguments], **options)  # type: ignore[arg-type]  # Terminal's own options
        running.append(terminal)
        return terminal

    yield begin
    for terminal in running:
        terminal.close()
