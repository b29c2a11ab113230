"""The engine's answers as plain data: list entries, inspections, frames of statistics, events."""

import json
from typing import Any

import pytest

from collectors.engines.docker.connection.endpoint import Endpoint, translate
from collectors.engines.docker.connection.greeting import clamp_version, engine_of
from collectors.engines.docker.containers import (
    LABELS_AT_MOST,
    Facts,
    limits_sample,
    parse_time_ns,
    to_facts,
    to_workload,
)
from collectors.engines.docker.events import to_event
from collectors.engines.docker.stats import Timeline, to_sample
from collectors.model.workloads import Kind, Sample, State, WorkloadId

ID = "4e239e4b80d6c9488ba57f980198168107c9f2f77cf28c44d34470ddb26573c9"
ENTRY: dict[str, Any] = {
    "Id": ID,
    "Names": ["/other/alias", "/web"],
    "Image": "nginx:1.27",
    "State": "running",
    "Status": "Up 5 minutes (healthy)",
    "Labels": {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"},
    "Ports": [
        {"IP": "198.51.100.1", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"},
        {"PrivatePort": 53, "Type": "udp"},
    ],
    "NetworkSettings": {
        "Networks": {
            "front": {"IPAddress": "172.18.0.2", "GlobalIPv6Address": "fd00::2"},
            "back": {"IPAddress": "10.89.0.4", "GlobalIPv6Address": ""},
        }
    },
}
V1_FRAME: dict[str, Any] = {
    "read": "2026-11-23T11:41:30.500000001Z",
    "preread": "0001-01-01T00:00:00Z",
    "pids_stats": {"current": 3, "limit": 18446744073709551615},
    "blkio_stats": {"io_service_bytes_recursive": [], "io_serviced_recursive": None},
    "cpu_stats": {
        "cpu_usage": {"total_usage": 5088991388, "usage_in_usermode": 4970000000, "usage_in_kernelmode": 110000000},
        "system_cpu_usage": 14000000000000,
        "online_cpus": 2,
        "throttling_data": {"periods": 112, "throttled_periods": 82, "throttled_time": 3139624923},
    },
    "memory_stats": {
        "usage": 51064832,
        "limit": 67108864,
        "stats": {
            "inactive_file": 1,
            "total_inactive_file": 4096,
            "total_active_file": 8192,
            "total_cache": 20000,
            "total_rss": 50000000,
            "hierarchical_memory_limit": 67108864,
        },
    },
    "networks": {
        "eth0": {"rx_bytes": 100, "rx_packets": 2, "rx_dropped": 1, "tx_bytes": 30, "tx_packets": 3, "tx_dropped": 4},
        "eth1": {"rx_bytes": 11, "rx_packets": 1, "rx_dropped": 0, "tx_bytes": 7, "tx_packets": 1, "tx_dropped": 0},
    },
}


def workload(**changes: Any) -> Any:
    return to_workload({**ENTRY, **changes}, "docker", "", Facts("x", 7.0))


def test_an_entry_of_the_list_becomes_a_workload() -> None:
    found = workload()
    assert found.id == WorkloadId("docker", ID)
    assert (found.kind, found.name, found.state) == (Kind.CONTAINER, "web", State.RUNNING)
    assert (found.image, found.project, found.health) == ("nginx:1.27", "shop", "healthy")
    assert found.ports == "*:8080→80/tcp, 198.51.100.1:8080→80/tcp, 53/udp"
    assert found.addresses == ("172.18.0.2", "10.89.0.4", "fd00::2")
    assert found.started_at == 7.0
    assert ("com.docker.compose.service", "web") in found.labels


@pytest.mark.parametrize("names", [[], None, [5], "web"])
def test_a_container_without_a_name_shows_its_short_id(names: object) -> None:
    assert (workload(Names=names).name, workload(Names=names).name_is_known) == (ID[:12], False)


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ("running", State.RUNNING),
        ("paused", State.PAUSED),
        ("restarting", State.RESTARTING),
        ("exited", State.STOPPED),
        ("created", State.CREATED),
        ("dead", State.CRASHED),
        ("removing", State.STOPPING),
        ("of a later version", State.UNKNOWN),
        (None, State.UNKNOWN),
    ],
)
def test_states(said: object, state: State) -> None:
    assert workload(State=said).state is state


@pytest.mark.parametrize(
    ("status", "health", "exit_code"),
    [
        ("Up 2 hours (unhealthy)", "unhealthy", None),
        ("Up 3 seconds (health: starting)", "starting", None),
        ("Up 3 seconds", None, None),
        ("Exited (137) 3 minutes ago", None, 137),
        ("Restarting (1) 2 seconds ago", None, 1),
        (None, None, None),
    ],
)
def test_health_and_exit_code_come_from_the_status(status: object, health: str | None, exit_code: int | None) -> None:
    assert (workload(Status=status).health, workload(Status=status).exit_code) == (health, exit_code)


def test_newer_engines_tell_health_in_a_field() -> None:
    assert workload(Status="Up 1 second", Health={"Status": "unhealthy"}).health == "unhealthy"
    facts = to_facts({"State": {"Health": {"Status": "unhealthy"}}})
    podman = to_workload({**ENTRY, "Status": "Up 1 second"}, "podman", "", facts)
    assert podman is not None
    assert podman.health == "unhealthy", "where only the inspection has it"


def test_a_pod_is_the_project_of_its_containers() -> None:
    labels = {"io.kubernetes.pod.namespace": "prod", "io.kubernetes.pod.name": "db-0"}
    assert workload(Labels=labels).project == "prod/db-0"


def test_labels_are_inert_and_few_and_the_useful_ones_stay() -> None:
    many = {f"a{number}": "\x1b[2J" for number in range(100)} | ENTRY["Labels"]
    labels = workload(Labels=many).labels
    assert len(labels) == LABELS_AT_MOST
    assert dict(labels)["com.docker.compose.project"] == "shop"
    assert not any("\x1b" in value for _, value in labels)


def test_facts_come_from_the_inspection() -> None:
    facts = to_facts(
        {
            "State": {"StartedAt": "2026-11-23T11:41:30.181762484Z"},
            "RestartCount": 4,
            "HostConfig": {"Memory": 67108864, "NanoCpus": 2500000000, "CpusetCpus": "0-1"},
        }
    )
    assert facts.started_at == pytest.approx(1795434090.181762)
    assert (facts.memory_limit_bytes, facts.cpu_limit_cores) == (67108864, 2.0)
    assert facts.restarts == 4


def test_without_limits_there_is_no_sample() -> None:
    unlimited = to_facts({"State": {"StartedAt": "0001-01-01T00:00:00Z"}, "HostConfig": {"Memory": 0, "CpuQuota": -1}})
    assert unlimited == to_facts(None) == Facts()
    assert limits_sample(unlimited, 1) is None
    assert limits_sample(to_facts({"HostConfig": {"CpuQuota": 50000}}), 1) == Sample("docker", 1, cpu_limit_cores=0.5)


def test_times_have_nine_decimals_or_none_and_any_zone() -> None:
    assert parse_time_ns("2026-11-23T11:41:30.5Z") == parse_time_ns("2026-11-23T13:41:30.500+02:00")
    assert parse_time_ns("1970-01-01T00:00:01.000000001Z") == 1_000_000_001
    for unusable in ("0001-01-01T00:00:00Z", "", None, "yesterday", "2026-13-45T00:00:00Z"):
        assert parse_time_ns(unusable) is None


@pytest.mark.parametrize(
    ("oldest", "newest", "chosen"),
    [("1.12", "1.41", "1.41"), ("1.44", "1.52", "1.51"), ("1.53", "1.60", "1.53"), (None, "1.51", "1.51")],
)
def test_the_version_stays_within_what_the_engine_speaks(oldest: str | None, newest: str, chosen: str) -> None:
    assert clamp_version({"MinAPIVersion": oldest, "ApiVersion": newest}) == chosen


@pytest.mark.parametrize("socket", ["/run/podman/podman.sock", "/run/user/1000/podman/podman.sock"])
def test_no_group_opens_podmans_socket(socket: str) -> None:
    error = translate(PermissionError(13, "denied"), Endpoint(f"unix://{socket}"))
    assert "usermod" not in error.remedy
    assert "docker" in translate(PermissionError(13, "denied"), Endpoint("unix:///nonexistent/docker.sock")).remedy


def test_an_engine_without_a_version_is_broken_and_podman_is_told_apart() -> None:
    with pytest.raises(ValueError, match="ApiVersion"):
        clamp_version({})
    assert engine_of({"Components": [{"Name": "Podman Engine"}]}) == "podman"
    assert engine_of({"Components": [{"Name": "Engine"}, {}, None]}) == engine_of({}) == "docker"


def test_a_frame_of_cgroup_v1_becomes_a_sample() -> None:
    sample = to_sample(V1_FRAME, "start", 9)
    assert sample is not None
    assert (sample.source, sample.epoch, sample.at_ns) == ("docker-stats", "start", 9)
    assert (sample.cpu_total_ns, sample.cpu_throttled_total_ns, sample.cpu_periods_total) == (
        5088991388,
        3139624923,
        112,
    )
    assert (sample.memory_charged_bytes, sample.memory_inactive_file_bytes) == (51064832, 4096)
    assert sample.memory_unreclaimable_bytes == 50000000 + 20000 - 4096 - 8192
    assert sample.memory_limit_bytes == 67108864
    assert sample.disk_read_total_bytes is None  # this kernel does not count: an empty list is not zero
    assert (sample.net_rx_total_bytes, sample.net_tx_total_bytes, sample.net_drops_total) == (111, 37, 5)
    assert (sample.pids, sample.pids_limit) == (3, None)


def test_a_frame_of_cgroup_v2_becomes_a_sample() -> None:
    operations = [{"major": 8, "minor": 0, "op": name, "value": value} for name, value in (("read", 5), ("write", 6))]
    stats = {"inactive_file": 3000, "active_file": 1000, "slab_reclaimable": 500}
    frame = {
        **V1_FRAME,
        "memory_stats": {"usage": 10000, "stats": stats, "limit": 1 << 34},
        "blkio_stats": {"io_service_bytes_recursive": [*operations, *operations], "io_serviced_recursive": None},
        "networks": None,
    }
    sample = to_sample(frame, "", 1)
    assert sample is not None
    assert (sample.memory_inactive_file_bytes, sample.memory_unreclaimable_bytes) == (3000, 5500)
    assert (sample.disk_read_total_bytes, sample.disk_write_total_bytes, sample.disk_reads_total) == (10, 12, None)
    assert sample.net_rx_total_bytes is None


def test_loop_devices_and_ram_disks_of_another_host_are_memory_there_too() -> None:
    sizes = [{"major": major, "minor": 0, "op": "read", "value": value} for major, value in ((8, 10), (7, 3), (1, 4))]
    blkio_stats = {"io_service_bytes_recursive": sizes, "io_serviced_recursive": None}
    sample = to_sample({**V1_FRAME, "blkio_stats": blkio_stats}, "", 1)
    assert sample is not None
    assert (sample.disk_read_total_bytes, sample.disk_write_total_bytes) == (10, None)


def test_podman_leaves_memory_details_out_and_counts_no_throttling() -> None:
    frame = json.loads(json.dumps(V1_FRAME))
    frame["memory_stats"]["stats"] = None
    frame["cpu_stats"]["throttling_data"] = {"periods": 0, "throttled_periods": 0, "throttled_time": 0}
    sample = to_sample(frame, "", 1)
    assert sample is not None
    assert sample.memory_unreclaimable_bytes is None
    assert sample.memory_inactive_file_bytes is sample.cpu_periods_total is sample.cpu_throttled_total_ns is None


def test_the_empty_frames_of_a_stopped_container_are_skipped() -> None:
    assert to_sample({**V1_FRAME, "read": "0001-01-01T00:00:00Z"}, "", 1) is None
    assert to_sample({"read": V1_FRAME["read"], "cpu_stats": {"cpu_usage": {"total_usage": 0}}}, "", 1) is None
    assert to_sample([], "", 1) is None


def test_frames_are_placed_by_the_engines_stamps_unless_its_clock_was_set() -> None:
    second, timeline = 10**9, Timeline()
    placed = [
        timeline.place(read * second // 10, arrived * second // 10)
        for read, arrived in ((1000, 50), (1010, 65), (1020, 70), (500, 80), (510, 95))
    ]
    assert placed == [second * tenths // 10 for tenths in (50, 60, 70, 80, 90)]


def test_events_are_named_and_noise_is_dropped() -> None:
    def event(action: str, **attributes: str) -> Any:
        actor = {"ID": ID, "Attributes": {"name": "web", **attributes}}
        return to_event({"Action": action, "Actor": actor, "timeNano": 1_500_000_000}, "docker")

    assert (event("start").what, event("start").wall, event("start").name) == ("start", 1.5, "web")
    assert (event("die", exitCode="137").what, event("die", exitCode="137").detail) == ("die", "exit code 137")
    assert (event("health_status: healthy").what, event("health_status: healthy").detail) == ("health", "healthy")
    assert [event(action).what for action in ("unpause", "destroy", "remove")] == ["resume", "remove", "remove"]
    assert [event(action) for action in ("exec_start: sh", "top", "attach")] == [None] * 3
    podman = {"Action": "health_status", "Actor": {"ID": ID}, "HealthStatus": "unhealthy", "timeNano": 1_500_000_000}
    told = to_event(podman, "podman")
    assert told is not None
    assert (told.what, told.detail) == ("health", "unhealthy")
    assert to_event({}, "docker") is to_event("text", "docker") is None


@pytest.mark.parametrize("state", ["exited", "created", "dead"])
def test_what_does_not_run_has_no_start(state: str) -> None:
    assert workload(State=state, Status="Exited (0) 5 minutes ago").started_at is None


def test_a_frame_with_the_stamp_of_the_last_one_is_placed_where_it_arrived() -> None:
    """As after a clock that was set: the engine's stamps tell nothing then."""
    timeline, stamp, instant = Timeline(), 1_800_000_000 * 10**9, 1000 * 10**9
    assert timeline.place(stamp, instant) == instant
    assert timeline.place(stamp, instant + 900) == instant + 900
    assert timeline.place(stamp + 500, instant + 1900) == instant + 1400
