"""An engine that ran into a time-out is not asked for the facts of the next workload: that would take as long."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.comparison.facts import EngineAnswers
from collectors.model.errors import NotInTime, SourceError
from tests.helpers.strategies import workload


class FailingAccess:
    """An access whose facts cannot be read."""

    def __init__(self, error: SourceError) -> None:
        self.calls = 0
        self._error = error

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[Any]:
        yield self._read

    def _read(self, subject: object) -> dict[str, Any]:
        self.calls += 1
        raise self._error


@pytest.mark.parametrize(("error", "calls"), [(NotInTime("no answer within 30 s"), 1), (SourceError("refused"), 3)])
def test_engine_is_asked_again_only_after_an_answer(error: SourceError, calls: int) -> None:
    access = FailingAccess(error)
    with ExitStack() as stack:
        answers = EngineAnswers(SimpleNamespace(of=lambda _: access), True, stack)  # type: ignore[arg-type]  # of one engine
        reasons = [answers.of(workload(name)).reason for name in ("a", "b", "c")]
    assert reasons == [error.reason] * 3
    assert access.calls == calls
