"""A conversation whose other end is in the same process: questions and answers go through JSON, as over the line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import msgspec

from collectors.actions.log import ActionLog
from collectors.actions.look import Looker
from collectors.actions.protection import Protection
from collectors.actions.runner import Runner
from collectors.engines.connections import EngineConnections
from collectors.fleet.questions import Answer, Ask, Question, parsed, problem_of, value_of
from collectors.model.errors import SourceError
from collectors.model.workloads import Workload
from collectors.safety.typed_json import decode
from tests.helpers.fake_engines import FakeEngine
from tests.helpers.fake_limits import FakeLimits
from tui.cli.commands.hosts.limit_answers import LimitAnswers

Value = TypeVar("Value")


class _Connections:
    """The engines over there, which need an address when something is typed by hand."""

    def __init__(self, limits: FakeLimits) -> None:
        self._limits = limits

    def limits(self, workload: Workload) -> FakeLimits:
        return self._limits

    def needs_id(self, workload: Workload) -> bool:
        return False

    def command_address(self, workload: Workload) -> str:
        return ""


class FarEnd:
    """The vmtop over there, with an engine and a log of its own."""

    def __init__(self) -> None:
        self.limits, self.engine, self.log = FakeLimits(), FakeEngine(), ActionLog()
        self.runner = Runner(lambda _: self.engine, self.log, "far")
        self.asked: list[Ask] = []
        self.lost: dict[Ask, SourceError] = {}
        """What the line breaks with, after the question was answered there."""
        self.alter: Callable[[Ask, Any], Any] = lambda ask, value: value
        """Changes what is on the line: plain data, as JSON has it."""
        self.start()

    def start(self) -> None:
        """Start it anew: it remembers nothing."""
        connections = cast(EngineConnections, _Connections(self.limits))
        self.answers = LimitAnswers(connections, self.runner, Looker(self.runner, Protection()))

    def ask(self, kind: type[Value], ask: Ask, timeout_s: float = 1, **arguments: Any) -> Value:
        """Answer a question."""
        self.asked.append(ask)
        question = decode(msgspec.json.encode(Question(1, ask, **arguments)), Question)
        assert question.workload is not None
        assert not question.workload.id.host
        try:
            answer = Answer(1, self.answers.replies[ask](question, question.workload))
        except SourceError as error:
            answer = Answer(1, problem=problem_of(error))
        if ask in self.lost:
            raise self.lost[ask]
        there = msgspec.json.decode(msgspec.json.encode(answer))
        if "value" in there:
            there["value"] = self.alter(ask, there["value"])
        return value_of(parsed(msgspec.json.encode(there)), kind)

    send_once = ask
