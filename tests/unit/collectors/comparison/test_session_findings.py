"""Findings of a whole session: of what has gone too, of each host by itself, and never of too few frames."""

from __future__ import annotations

from msgspec.structs import replace

from collectors.comparison.findings import READINGS
from collectors.comparison.session_findings import SessionFindings
from collectors.model.workloads import Kind
from tests.helpers.alert_frames import Host
from tests.helpers.strategies import workload

ROOMY = {"memory_charged_bytes": 1 << 20, "memory_limit_bytes": 1 << 30}


def watched(host: Host, frames: int) -> SessionFindings:
    found = SessionFindings()
    for _ in range(frames):
        found.take(host.moment())
    return found


def test_a_session_of_too_few_frames_is_not_judged() -> None:
    host = Host()
    host.measure(host.add("web"), **ROOMY)
    found = watched(host, READINGS - 1)
    assert not found.is_judged
    assert found.found() == []


def test_what_was_gone_before_the_end_is_judged_as_it_last_was() -> None:
    host = Host()
    web = host.add("web")
    host.measure(web, **ROOMY)
    found = watched(host, READINGS)
    del host.workloads[web]
    for _ in range(5):
        found.take(host.moment())
    assert found.is_judged
    assert [finding.rule for finding in found.found()] == ["memory-limit-unused"]


def test_workloads_of_two_hosts_do_not_wait_together_and_have_their_hosts_in_their_names() -> None:
    host = Host()
    for name in ("hv01", "hv02"):
        described = workload("web")
        identity = described.id._replace(host=name)
        host.workloads[identity] = replace(described, id=identity)
        host.cpu_percent[identity] = 1.0
        host.measure(identity, **ROOMY)
    found = watched(host, READINGS).found()
    assert [finding.names for finding in found] == [("hv01/web",), ("hv02/web",)]


def test_a_host_among_the_workloads_is_not_one_of_them() -> None:
    host = Host()
    host.measure(host.add("hv02", kind=Kind.HOST), **ROOMY)
    assert watched(host, READINGS).found() == []
