"""The fleet as a source: what is handed over, and how hosts and the server are said to be."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from collectors.analysis.rates import Deriver
from collectors.model.errors import AccessDenied, SourceDown
from collectors.model.workloads import Availability, Frame, Kind, State, Workload, WorkloadId
from collectors.prometheus.server import Server
from collectors.prometheus.source import PrometheusSource
from collectors.sampling.source import SourceReading
from tests.helpers.query_server import Exchange, query_server

_NOW = 1_700_000_000
WEB, DB = WorkloadId("docker", "web", "hv01"), WorkloadId("docker", "db", "hv01")


class Scripted:
    """Answers with two scrapes of hosts and workloads, 15 s apart."""

    def __init__(self) -> None:
        self.workloads = ["web"]
        self.hosts = {"hv01:9922": 0}
        """Scraped addresses, each with the seconds by which its scrapes are old."""
        self.gone: set[str] = set()
        """Workloads without a value at the last scrape."""
        self.down = ["hv09:9922"]
        self.total = 1

    def __call__(self, exchange: Exchange) -> None:
        query = exchange.parameters["query"]
        if query == "vector(time())":
            exchange.send_series({"metric": {}, "value": [time.time(), str(_NOW)]})
        elif query.startswith("up{"):
            exchange.send_series(*({"metric": {"instance": one}, "value": [_NOW, "0"]} for one in self.down))
        elif query.startswith("count by (instance"):
            exchange.send_series({"metric": {"instance": "hv01:9922"}, "value": [_NOW, str(self.total)]})
        elif query.startswith("topk"):
            exchange.send_series(*({"metric": _labels(one), "value": [_NOW, "1"]} for one in self.workloads))
        elif query.startswith("sum by") and "rate(" in query:
            metric = {"instance": "hv01:9922", "kind": "container"}
            exchange.send_series({"metric": metric, "value": [_NOW, "7.5"]})
        elif "vmtop_host_cpu_seconds_total" in query:
            exchange.send_series(*self._hosts(), kind="matrix")
        elif "vmtop_cpu_seconds_total" in query and "__name__" in query:
            exchange.send_series(*map(self._web, self.workloads), kind="matrix")
        else:
            exchange.send_series()

    def _hosts(self) -> Iterator[dict[str, object]]:
        for instance, age in self.hosts.items():
            steady = ("vmtop_host_cpus", "vmtop_host_memory_hugepages_bytes")
            for name, per_s in (("vmtop_host_cpu_seconds_total", 2), *((one, 0) for one in steady)):
                values = [[at - age, str(8 + at * per_s)] for at in (_NOW - 16, _NOW - 1)]
                yield {"metric": {"__name__": name, "instance": instance, "job": "vmtop"}, "values": values}
            metric = {"__name__": "vmtop_source_up", "instance": instance, "source": "docker"}
            yield {"metric": metric, "values": [[_NOW - 1, "0"]]}

    def _web(self, name: str) -> dict[str, object]:
        instants = [_NOW - 16] if name in self.gone else [_NOW - 16, _NOW - 1]
        values = [[at, str(at / 2)] for at in instants]
        return {"metric": {"__name__": "vmtop_cpu_seconds_total", **_labels(name)}, "values": values}


def _labels(name: str) -> dict[str, str]:
    return {"instance": "hv01:9922", "job": "vmtop", "kind": "container", "engine": "docker", "id": name, "name": name}


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
def source(scripted: Scripted) -> Iterator[PrometheusSource]:
    with query_server(scripted) as (url, _):
        opened = PrometheusSource(Server(url), most=10)
        opened.open(lambda: None)
        yield opened
        opened.close()


def _frame(reading: SourceReading) -> Frame:
    host = Workload(WorkloadId("host", "here"), Kind.HOST, "here", State.RUNNING)
    now_ns = time.monotonic_ns()
    return Frame(
        now_ns, time.time(), now_ns, host, reading.workloads, reading.samples, reading.sources, hosts=reading.hosts
    )


def _rates(source: PrometheusSource, deriver: Deriver) -> dict[WorkloadId, float | None]:
    """Return the CPU of each workload once the source holds nothing more."""
    moment = deriver.feed(_frame(source.read()))
    while source.holds_more:
        moment = deriver.feed(_frame(source.read()))
    return {one: reading.value("cpu_percent") for one, reading in moment.readings.items()}


def test_there_are_rates_at_once_also_of_who_comes_later(source: PrometheusSource, scripted: Scripted) -> None:
    deriver = Deriver()
    assert source.interval_s == 15
    assert _rates(source, deriver)[WEB] == pytest.approx(50)
    scripted.workloads, scripted.total = ["web", "db"], 2
    assert _rates(source, deriver)[DB] == pytest.approx(50)


def test_a_workload_that_its_host_was_scraped_without_has_ended(source: PrometheusSource, scripted: Scripted) -> None:
    scripted.workloads, scripted.total, scripted.gone = ["web", "db"], 2, {"db"}
    assert DB not in _rates(source, Deriver())


def test_a_host_keeps_its_pools_of_hugepages_which_nobody_else_can_take_from(source: PrometheusSource) -> None:
    assert source.read().hosts["hv01"].facts["hugepages_total"] == "8"


def test_the_ledger_has_those_that_are_not_shown(source: PrometheusSource, scripted: Scripted) -> None:
    scripted.total = 5000
    deriver = Deriver()
    deriver.feed(_frame(source.read()))
    moment = deriver.feed(_frame(source.read()))
    cores = moment.hosts["hv01"].ledger.cpu_cores
    assert cores is not None
    assert (cores.container, cores.host, cores.rest) == pytest.approx((7.5, 2.0, -5.5))
    assert "1 of 5,000 shown" in source.read().unseen


def test_each_host_and_its_sources_are_said_to_be_as_they_are(source: PrometheusSource, scripted: Scripted) -> None:
    scripted.hosts["hv02:9922"] = 45
    states = {(state.host, state.name): state for state in source.read().sources}
    assert states["", "hv01"].availability is Availability.OK
    assert states["", "hv02"].availability is Availability.STALE
    assert "was scraped 46 s ago" in states["", "hv02"].reason
    assert states["", "hv09"].availability is Availability.DOWN
    assert states["", "hv09"].reason.endswith("cannot scrape hv09")
    assert states["hv01", "docker"].availability is Availability.DOWN


def test_a_server_that_scrapes_no_vmtop_is_told_with_what_to_do() -> None:
    with query_server(lambda exchange: exchange.send_series()) as (url, _), pytest.raises(SourceDown) as caught:
        PrometheusSource(Server(url)).open(lambda: None)
    assert "has scraped no vmtop in the last 5 minutes" in caught.value.reason
    assert "vmtop serve" in caught.value.remedy


def test_a_refusal_to_answer_at_all_is_not_repeated_for_each_question() -> None:
    def answer(exchange: Exchange) -> None:
        exchange.send(json.dumps({"error": "no"}).encode(), 403)

    with query_server(answer) as (url, asked), pytest.raises(AccessDenied):
        PrometheusSource(Server(url)).open(lambda: None)
    assert len(asked) == 1


def test_hosts_stand_by_name_whatever_the_order_of_the_answer(source: PrometheusSource, scripted: Scripted) -> None:
    scripted.hosts, scripted.down = {"hv03:9922": 0, "hv02:9922": 0, "hv01:9922": 0}, ["hv02:9922", "hv00:9922"]
    assert [*source.read().hosts] == ["hv00", "hv01", "hv02", "hv03"]
