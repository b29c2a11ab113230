"""What texts in a session file may hold: no secrets, and nothing that steers a terminal."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import msgspec

from collectors.model.unmeasured import Cause, Topic
from collectors.model.workloads import (
    Frame,
    Kind,
    State,
    Unmeasured,
    Workload,
    WorkloadId,
)
from tests.unit.collectors.session.test_damage import FRAME, _line, _prepared
from tests.unit.collectors.session.test_session_file import fleet_frames, read, write


def test_secrets_in_labels_and_descriptions_are_not_written(tmp_path: Path) -> None:
    (frame,) = fleet_frames(1, 2)
    identity, workload = next(iter(frame.workloads.items()))
    secretive = msgspec.structs.replace(
        workload,
        description="reach it at postgres://root:canary@db with --password=canary",
        labels=(("team", "blue"), ("api_key", "canary"), ("url", "http://me:canary@x")),
    )
    frame = msgspec.structs.replace(frame, workloads={**frame.workloads, identity: secretive})
    path = write(tmp_path / "a.vmtop.gz", [frame])
    assert b"canary" not in gzip.decompress(path.read_bytes())
    (back,) = read(path)
    assert dict(back.workloads[identity].labels) == {"team": "blue", "api_key": "***", "url": "http://***@x"}


def test_reasons_are_recorded_and_the_same_when_they_are_replayed(tmp_path: Path) -> None:
    (frame,) = fleet_frames(1, 2)
    identity, workload = next(iter(frame.workloads.items()))
    note = Unmeasured(Topic.NETWORK, Cause.NO_RIGHT, "\x1b[31m/proc/7/net/dev")
    noted = msgspec.structs.replace(workload, state=State.PAUSED, state_reason="I/O error", unmeasured=(note,))
    frame = msgspec.structs.replace(frame, workloads={**frame.workloads, identity: noted})
    (back,) = read(write(tmp_path / "a.vmtop.gz", [frame]))
    replayed = back.workloads[identity]
    assert (replayed.state_reason, replayed.is_faulted) == ("I/O error", True)
    assert replayed.unmeasured == (note._replace(detail="\ufffd[31m/proc/7/net/dev"),)


def test_names_that_are_no_utf8_are_written_readably(tmp_path: Path) -> None:
    (frame,) = fleet_frames(1, 2)
    identity = WorkloadId("systemd", os.fsdecode(b"/bad\xff.slice"))
    odd = Workload(identity, Kind.SERVICE, "bad", cgroup=identity.id)
    frame = msgspec.structs.replace(frame, workloads={**frame.workloads, identity: odd})
    (back,) = read(write(tmp_path / "a.vmtop.gz", [frame]))
    assert [one.id for one in back.workloads][-1] == "/bad\\udcff.slice"


def test_hostile_text_in_a_file_comes_out_inert() -> None:
    decoder = _prepared()
    name = "\x1b]52;c;Zm9v\x07\u202e\x9b"
    decoder.take(
        _line(k="workloads", set=[{"n": 1, "engine": name, "id": name, "kind": name, "name": name, "image": name}])
    )
    source = {"name": name, "availability": name, "reason": name}
    event = {"wall": 1, "engine": name, "id": name, "what": name, "detail": name, "name": name}
    frame = decoder.take(_line(**{**FRAME, "workloads": [1], "sources": [source]}, samples=[], events=[event]))
    assert isinstance(frame, Frame)
    shown = str(msgspec.json.encode(msgspec.to_builtins((list(frame.workloads.values()), frame.sources, frame.events))))
    assert "1b" not in shown.replace("u001b", "1b")
    for bad in ("\x1b", "\x07", "\u202e", "\x9b"):
        assert bad not in "".join(
            [*(workload.name + workload.id.id for workload in frame.workloads.values()), frame.events[0].detail]
        )
