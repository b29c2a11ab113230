"""Whatever is written of a large fleet can be read: members end before they have more than readers take of one."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from collectors.model.workloads import Availability, Frame, HostFacts, SourceState, WorkloadId
from collectors.session import decode, encode
from collectors.session.format import MEMBER_FRAMES, MEMBER_ROWS
from collectors.session.reader import Session
from tests.helpers.demo_fleet import Fleet
from tests.unit.collectors.session.test_session_file import fleet_frames, problems, read, write

COUNT = 40


def coming_and_going(count: int) -> list[Frame]:
    """Frames with another container each, of which each is there once."""
    frames = fleet_frames(count)
    one = next(iter(frames[0].workloads.values()))
    made = []
    for number, frame in enumerate(frames):
        other = replace(one, id=WorkloadId("docker", f"{number:064x}"), parent=None)
        made.append(replace(frame, workloads={**frame.workloads, other.id: other}))
    return made


@pytest.mark.parametrize(("name", "most"), [("MEMBER_ROWS", 50), ("MOST_VALUES", 900), ("MOST_DESCRIBED", 12)])
def test_a_member_ends_before_it_has_more_than_readers_take(
    name: str, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = coming_and_going(COUNT)
    monkeypatch.setattr(encode, name, most)
    monkeypatch.setattr(decode, name.replace("MEMBER", "MOST"), most)
    path = write(tmp_path / "a.vmtop.gz", frames)
    assert read(path) == frames
    assert problems(path) == []
    session = Session([path])
    assert 3 < len(session.outline) < COUNT / 2, "each of them has room for several frames"
    session.close()


def test_a_minute_of_a_host_at_rest_with_a_thousand_workloads_is_read_as_a_whole(tmp_path: Path) -> None:
    """Its lines are short: a member has more samples than readers take before it has much text."""
    first = Fleet(1000).frame()
    frames = []
    for number in range(MEMBER_FRAMES):
        later_ns, later_s = number * 1_000_000_000, float(number)
        samples = {
            identity: tuple(
                replace(taken[0], source=source, at_ns=taken[0].at_ns + later_ns)
                for source in ("cgroup", "cgroup-slow")
            )
            for identity, taken in first.samples.items()
        }
        times = {"at_ns": first.at_ns + later_ns, "boot_ns": first.boot_ns + later_ns, "wall": first.wall + later_s}
        frames.append(replace(first, samples=samples, events=(), **times))
    assert sum(len(taken) for frame in frames for taken in frame.samples.values()) > MEMBER_ROWS
    path = write(tmp_path / "a.vmtop.gz", frames)
    assert read(path) == frames
    assert problems(path) == []


def test_the_sources_of_sixty_hosts_are_read(tmp_path: Path) -> None:
    frame = Fleet(3).frame()
    hosts = {f"hv{number:02}": HostFacts(None, 4, 1 << 30, {}) for number in range(60)}
    sources = [
        SourceState(name, Availability.ABSENT, "", "it is not installed", host=host)
        for host in hosts
        for name in ("docker", "libvirt", "lxd", "podman", "cgroup", "host")
    ]
    fleet = replace(frame, hosts=hosts, sources=(*frame.sources, *sources))
    path = write(tmp_path / "a.vmtop.gz", [fleet])
    assert [len(one.sources) for one in read(path)] == [len(fleet.sources)]
    assert problems(path) == []
