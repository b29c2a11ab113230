"""The fleet's screen when its server misbehaves: one sentence in the header, and the rest goes on."""

from __future__ import annotations

import json
import time

import pytest

from collectors.prometheus.access import FleetAccess
from collectors.prometheus.server import Server
from tests.app.test_workload_list import screen_text
from tests.helpers.pilot_wait import until
from tests.helpers.query_server import Exchange, query_server
from tui.app.fleet import FleetApp
from tui.settings.screen_options import ScreenOptions

_HOST = {"job": "vmtop", "instance": "hv01:9922"}
_WEB = {**_HOST, "kind": "container", "engine": "docker", "id": "0ba1cabcd880", "name": "web"}


class Scripted:
    """Answers as a server does that scrapes one host with one container, as long as it is not told otherwise."""

    def __init__(self) -> None:
        self.status = 200
        self.refused = ""
        """What a query has in it that is refused."""

    def __call__(self, exchange: Exchange) -> None:
        query = exchange.parameters["query"]
        if self.status != 200 or (self.refused and self.refused in query):
            error = {"status": "error", "error": "query processing would load too many samples into memory"}
            exchange.send(json.dumps(error).encode(), self.status if self.status != 200 else 422)
        elif query == "vector(time())":
            exchange.send_series({"metric": {}, "value": [time.time(), str(time.time())]})
        elif query.startswith("count by"):
            exchange.send_series({"metric": _HOST, "value": [time.time(), "1"]})
        elif query.startswith("topk"):
            exchange.send_series({"metric": _WEB, "value": [time.time(), "1"]})
        elif "vmtop_host_cpu_seconds_total" in query:
            exchange.send_series(_grown("vmtop_host_cpu_seconds_total", _HOST, 2.0), _cpus(), kind="matrix")
        elif "vmtop_cpu_seconds_total" in query and "__name__" in query:
            exchange.send_series(_grown("vmtop_cpu_seconds_total", _WEB, 0.5), kind="matrix")
        else:
            exchange.send_series()


def _grown(name: str, labels: dict[str, str], per_s: float) -> dict[str, object]:
    now = int(time.time())
    values = [[at, str(at * per_s)] for at in range(now - 4, now + 1)]
    return {"metric": {"__name__": name, **labels}, "values": values}


def _cpus() -> dict[str, object]:
    return {"metric": {"__name__": "vmtop_host_cpus", **_HOST}, "values": [[int(time.time()), "8"]]}


def _app(url: str) -> FleetApp:
    return FleetApp(FleetAccess(Server(url)), ScreenOptions(), lambda host, workload: None)


async def test_a_fleet_has_a_row_with_a_rate_at_once() -> None:
    with query_server(Scripted()) as (url, _):
        app = _app(url)
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: "web" in screen_text(app) and " 50.0" in screen_text(app))
            assert "FLEET" in screen_text(app)
        app.sampler.stop()


@pytest.mark.parametrize(("status", "words"), [(422, "HTTP 422"), (503, "HTTP 503"), (401, "does not allow it")])
async def test_a_refusal_is_told_in_the_header_and_the_screen_goes_on(status: int, words: str) -> None:
    scripted = Scripted()
    scripted.status = status
    with query_server(scripted) as (url, _):
        app = _app(url)
        async with app.run_test(size=(150, 30)) as pilot:
            await until(pilot, lambda: words in screen_text(app))
            scripted.status = 200
            await until(pilot, lambda: "web" in screen_text(app))
        app.sampler.stop()


async def test_one_question_that_is_refused_leaves_the_others() -> None:
    scripted = Scripted()
    scripted.refused = "count by"
    with query_server(scripted) as (url, _):
        app = _app(url)
        async with app.run_test(size=(150, 30)) as pilot:
            await until(pilot, lambda: "web" in screen_text(app) and "HTTP 422" in screen_text(app))
        app.sampler.stop()


async def test_enter_without_a_way_to_the_host_shows_the_charts_and_says_why() -> None:
    with query_server(Scripted()) as (url, _):
        app = _app(url)
        async with app.run_test(size=(120, 30)) as pilot:
            await until(pilot, lambda: "web" in screen_text(app))
            await pilot.press("down", "enter")
            await until(pilot, lambda: "1w" in screen_text(app) and "every" in screen_text(app))
            assert any("no [[hosts]] entry" in words for _, _, words in app.notices)
        app.sampler.stop()
