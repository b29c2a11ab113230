"""Opening a console: what the user is told when that cannot be done."""

from __future__ import annotations

from typing import Any

import pytest

from collectors.model.errors import SourceError
from tests.helpers.demo_fleet import Fleet
from tui.controllers import console


class Told:
    """An application that only keeps what it tells."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notify(self, message: str, **_: object) -> None:
        self.notices.append(message)


async def test_what_helps_is_told_apart_from_what_is_wrong_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise SourceError("it is not using a PTY", "virsh edit")

    monkeypatch.setattr(console, "open_console", refuse)
    app: Any = Told()
    workload = next(iter(Fleet(1).frame().workloads.values()))
    await console.open_shell(app, workload, None)  # type: ignore[arg-type]  # nothing is connected to
    assert app.notices[-1] == "it is not using a PTY (fix: virsh edit)"
