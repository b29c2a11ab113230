"""The JSON document keeps its contract, `docs/list.schema.json`, for any moment."""

from __future__ import annotations

import json
import math
from typing import Any

import jsonschema
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.analysis.ledger import ledger
from collectors.analysis.rates import Deriver, Moment, Reading
from collectors.engines.demo.source import DemoSource
from collectors.json_document import LIST_SCHEMA, STREAM_SCHEMA, document
from collectors.model.metrics import METRICS
from collectors.model.workloads import Availability, Kind, SourceState, State, Workload
from docs import metric_page
from tests.helpers.checkout import DOCS
from tests.helpers.far_fleet import FarFleet
from tests.helpers.strategies import NS, frame, readings, workload

SCHEMA: dict[str, Any] = json.loads((DOCS / "list.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def checked(moment: Moment, schema: str = LIST_SCHEMA, rows: list[Reading] | None = None) -> dict[str, Any]:
    """Return the document as a reader gets it, after checking it against its contract."""
    plain: dict[str, Any] = json.loads(json.dumps(document(moment, rows, schema), allow_nan=False))
    VALIDATOR.validate(plain)
    return plain


def two_frames() -> Moment:
    deriver = Deriver()
    web = workload("web", parent=workload("pod").id, labels=(("tier", "front"),), started_at=1_700_000_000.0)
    deriver.feed(frame(1, {web: {"cpu_total_ns": 0}}, {"cpu_total_ns": 0}))
    return deriver.feed(
        frame(
            2,
            {web: {"cpu_total_ns": NS // 3, "memory_charged_bytes": 1000}},
            {"cpu_total_ns": NS, "memory_charged_bytes": 4000},
        )
    )


def test_document_says_what_was_read() -> None:
    plain = checked(two_frames())
    (web,) = plain["workloads"]
    assert (web["name"], web["engine"], web["labels"]) == ("web", "docker", {"tier": "front"})
    assert web["parent"] == {"engine": "docker", "host": None, "id": "pod"}
    assert web["started_at"] == "2023-11-14T22:13:20.000Z"
    assert web["metrics"]["cpu_percent"] == 33.333
    assert web["metrics"]["memory_host_bytes"] == 1000
    assert web["metrics"]["net_rx_bytes_per_second"] is None
    assert plain["host"]["hostname"] == "machine"
    assert plain["ledger"]["cpu_cores"] == {
        "vm": 0, "container": 0.333, "service": 0, "rest": 0.667, "host": 1.0, "capacity": 4,
    }  # fmt: skip
    assert plain["ledger"]["memory_bytes"]["host"] == 4000
    assert plain["sources"][1]["remedy"] == "join the group docker"
    assert plain["sources"][0]["cost_seconds"] == 0.0003
    assert "events" not in plain


def test_stream_has_events_too() -> None:
    plain = checked(two_frames(), STREAM_SCHEMA)
    assert plain["schema"] == "vmtop.stream/1"
    assert [event["what"] for event in plain["events"]] == ["oom"]


def test_chosen_readings_come_in_their_order() -> None:
    moment = two_frames()
    row = next(iter(moment.readings.values()))
    assert len(checked(moment, rows=[row, row])["workloads"]) == 2
    assert checked(moment, rows=[])["workloads"] == []


def test_ledger_is_null_until_there_are_rates() -> None:
    moment = Deriver().feed(frame(1, {workload(): {}}))
    assert checked(moment)["ledger"] == {"cpu_cores": None, "memory_bytes": None}


@given(st.lists(readings(), max_size=3), readings())
def test_any_moment_keeps_the_contract(rows: list[Reading], host: Reading) -> None:
    by_id = {row.workload.id: row for row in rows}
    picture = frame(1, {})
    moment = Moment(picture, host, by_id, ledger(host, by_id, 4, 8 << 30))
    checked(moment)
    checked(moment, STREAM_SCHEMA)


def test_every_availability_kind_and_state_is_in_the_contract() -> None:
    states = tuple(SourceState(one.value, one) for one in Availability)
    described: dict[Workload, dict[str, int]] = {workload(one.value, state=one): {} for one in State}
    described |= {workload(one.value, kind=one): {} for one in Kind}
    checked(Deriver().feed(msgspec.structs.replace(frame(1, described), sources=states)))


def test_infinite_is_null() -> None:
    moment = two_frames()
    row = next(iter(moment.readings.values()))
    row._values = {"cpu_percent": math.inf}
    assert checked(moment)["workloads"][0]["metrics"]["cpu_percent"] is None


@pytest.mark.parametrize("count", [0, 1, 200])
def test_demo_fleet_keeps_the_contract(count: int) -> None:
    now = [NS]
    source, deriver = DemoSource(count, clock_ns=lambda: now[0], wall=lambda: 1.7e9 + now[0] / NS), Deriver()
    for _ in range(5):
        read = source.read()
        assert read.host is not None
        picture = msgspec.structs.replace(
            frame(now[0] / NS, {}),
            host=read.host,
            workloads=read.workloads,
            samples=read.samples,
            events=read.events,
            facts=read.facts,
        )
        plain = checked(deriver.feed(picture), STREAM_SCHEMA)
        assert len(plain["workloads"]) == count
        now[0] += NS


def test_contract_names_exactly_the_metrics() -> None:
    described = SCHEMA["$defs"]["metrics"]
    assert list(described["properties"]) == list(METRICS)
    assert described["required"] == list(METRICS)
    assert described["additionalProperties"] is False


def test_contract_leaves_no_object_open() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    def closed(node: object) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert "additionalProperties" in node
            for inner in node.values():
                closed(inner)

    closed(SCHEMA)


def test_metrics_page_is_generated() -> None:
    assert (DOCS / "metrics.md").read_text() == metric_page.markdown()


def test_other_hosts_are_told_with_their_values_and_are_no_workloads() -> None:
    fleet, deriver = FarFleet(), Deriver()
    for _ in range(3):
        deriver.feed(fleet.frame())
    fleet.silent.add("hv02")
    plain = checked(deriver.feed(fleet.frame(5.0)))
    first, second = plain["hosts"]
    assert (first["name"], first["availability"], first["silent_seconds"]) == ("hv01", "ok", None)
    assert (second["name"], second["availability"], second["silent_seconds"]) == ("hv02", "stale", 5.0)
    assert first["metrics"]["cpu_percent"] > 0
    assert first["ledger"]["cpu_cores"]["capacity"] == first["cpus"] == 32
    assert {row["kind"] for row in plain["workloads"]} == {"vm", "container", "service"}
    assert {row["host"] for row in plain["workloads"]} == {"hv01", "hv02"}


def test_a_host_that_never_answered_is_told_without_values() -> None:
    fleet = FarFleet(("hv01",))
    fleet.silent.add("hv01")
    (host,) = checked(Deriver().feed(fleet.frame()))["hosts"]
    assert (host["availability"], host["metrics"], host["cpus"]) == ("down", None, None)
