"""From series to workloads: what belongs together, and what nobody should be misled by."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from collectors.model.errors import SourceDown
from collectors.model.workloads import Kind, State, WorkloadId
from collectors.prometheus.answers import Series, parse
from collectors.prometheus.promql import Member
from collectors.prometheus.scrapes import HostNames, by_host, by_member
from collectors.prometheus.workloads import Clock, Epochs, samples_at, workload_of
from tests.helpers.hostile_text import is_inert

_AT = 1_700_000_000.0


def _series(name: str, *values: float, **labels: str) -> Series:
    metric = {"__name__": f"vmtop_{name}", "instance": "hv01:9922", "engine": "docker", "id": "0ba1cabcd880",
              "kind": "container", "name": "web", **labels}  # fmt: skip
    return Series(metric, None, [(_AT + 15 * number, str(value)) for number, value in enumerate(values)])


def test_values_of_one_scrape_are_one_sample() -> None:
    ((member, scrapes),) = by_member(
        [
            _series("cpu_seconds_total", 10.5, 12.0),
            _series("memory_charged_bytes", 1000, 2000),
            _series("memory_working_set_bytes", 900, 1500),
            _series("workload_info", 1, 1, state="running", image="nginx:1", full_id="0ba1" * 16),
        ]
    ).items()
    workload = workload_of(member, scrapes, "hv01")
    assert workload.id == ("docker", "0ba1cabcd880", "hv01")
    assert (workload.kind, workload.state) == (Kind.CONTAINER, State.RUNNING)
    assert workload.image == "nginx:1"
    clock, epochs = Clock(_AT, 5_000_000_000), Epochs()
    earlier, later = (samples_at(workload.id, scrapes, at, clock, epochs)[0] for at in scrapes.instants())
    assert (earlier.at_ns, later.at_ns) == (5_000_000_000, 20_000_000_000)
    assert (earlier.cpu_total_ns, later.cpu_total_ns) == (10_500_000_000, 12_000_000_000)
    assert later.memory_charged_bytes == 2000
    assert later.memory_inactive_file_bytes == 500
    assert later.disk_read_total_bytes is None  # missing is not zero


def test_the_newest_info_tells_the_state() -> None:
    """While a state changes there are two info series, and both are in the window."""
    running = _series("workload_info", 1, state="running")
    stopped = Series({**running.metric, "state": "stopped"}, None, [(_AT + 15, "1")])
    for series in ([running, stopped], [stopped, running]):
        ((member, scrapes),) = by_member(series).items()
        assert workload_of(member, scrapes, "hv01").state is State.STOPPED
        assert workload_of(member, scrapes, "hv01", _AT).state is State.RUNNING


def test_equal_ids_of_two_hosts_do_not_mix() -> None:
    found = by_member([_series("cpu_seconds_total", 1), _series("cpu_seconds_total", 2, instance="hv02:9922")])
    assert len(found) == 2
    over_ssh = by_member([_series("cpu_seconds_total", 1), _series("cpu_seconds_total", 2, host="hv02")])
    assert len(over_ssh) == 2


def test_what_was_not_asked_for_is_left_out() -> None:
    wanted = Member("hv02:9922", "", "docker", "0ba1cabcd880")
    assert by_member([_series("cpu_seconds_total", 1)], [wanted]) == {}


def test_infinity_and_what_is_no_number_are_missing() -> None:
    series = Series(_series("cpu_seconds_total").metric, None, [(_AT, "NaN"), (_AT + 1, "+Inf"), (_AT + 2, "x")])
    ((_, scrapes),) = by_member([series]).items()
    assert scrapes.values == {}


def test_a_restart_forbids_a_rate_and_a_rounded_start_does_not() -> None:
    epochs = Epochs()
    identity = WorkloadId("docker", "0ba1cabcd880", "hv01")
    first = epochs.of(identity, 1000.0)
    assert epochs.of(identity, 1000.9) == first
    assert epochs.of(identity, None) == first
    assert epochs.of(identity, 2000.0) != first


def test_hosts_are_called_as_they_are_scraped_without_the_port() -> None:
    names = HostNames()
    names.learn([("hv01.example.org:9922", ""), ("[2001:db8::1]:9922", ""), ("hv02:9922", "edge7")])
    assert names.name(("hv01.example.org:9922", "")) == "hv01.example.org"
    assert names.name(("[2001:db8::1]:9922", "")) == "2001:db8::1"
    assert names.name(("hv02:9922", "edge7")) == "edge7"
    assert names.key("edge7") == ("hv02:9922", "edge7")


def test_two_hosts_with_one_address_keep_their_ports() -> None:
    names = HostNames()
    names.learn([("127.0.0.1:9101", ""), ("127.0.0.1:9102", "")])
    assert {names.name(key) for key in names} == {"127.0.0.1:9101", "127.0.0.1:9102"}


def test_a_host_keeps_its_name_when_another_one_comes() -> None:
    names = HostNames()
    names.learn([("hv01:9922", "")])
    names.learn([("hv01:9923", "")])
    assert names.name(("hv01:9922", "")) == "hv01"
    assert names.name(("hv01:9923", "")) == "hv01:9923"


@given(st.sets(st.tuples(st.text(min_size=1, max_size=8), st.text(max_size=8)), max_size=20))
def test_names_of_hosts_are_unique_whatever_they_are_called(keys: set[tuple[str, str]]) -> None:
    names = HostNames()
    names.learn(keys)
    given_names = [names.name(key) for key in keys]
    assert len(set(given_names)) == len(keys)
    assert all(names.key(names.name(key)) == key for key in keys)


@given(
    st.dictionaries(
        st.sampled_from(["name", "id", "engine", "kind", "state", "image", "instance", "host"]), st.text(max_size=30)
    )
)
def test_hostile_labels_steer_no_terminal(labels: Mapping[str, str]) -> None:
    series = _series("workload_info", 1)
    metric = {**series.metric, **labels}
    for member, scrapes in by_member([Series(metric, None, series.values)]).items():
        names = HostNames()
        workload = workload_of(member, scrapes, names.name((member.instance, member.host)))
        shown = "".join([workload.name, workload.image or "", workload.id.id, workload.id.host, workload.id.engine])
        assert is_inert(shown)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_one_sentence(body: bytes) -> None:
    reason = ""
    try:
        by_host(parse(body, "prod"))
    except SourceDown as error:
        reason = error.reason
    assert is_inert(reason)
