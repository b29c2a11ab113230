"""Another host as a source, with a stand-in for the ssh client: what it sends, how it ends, and what it is told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.fleet import source as remote
from collectors.fleet.hosts import HostSpec
from collectors.fleet.source import RemoteSource
from collectors.fleet.specs import load_source, specs_of
from collectors.model.errors import SourceDown, SourceError
from collectors.model.workloads import Availability, Event, Frame, SourceState
from collectors.sampling.sampler import Sampler
from tests.helpers.process_identity import start_of, wait_until_reaped
from tests.helpers.stand_in_ssh import place, recorded, session

HOST = HostSpec("hv01", "hv01", tags=("prod",))
PATIENCE_S = 120.0


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], RemoteSource]]:
    """Open a source whose ssh is found on a PATH; it is closed after the test."""
    sources: list[RemoteSource] = []

    def opened(path: str) -> RemoteSource:
        monkeypatch.setenv("PATH", path)
        source = RemoteSource(HOST)
        sources.append(source)
        source.open(lambda: None)
        return source

    yield opened
    for source in sources:
        source.close()


def wait_for(what: Callable[[], bool], is_instead: Callable[[], object] = lambda: "") -> None:
    """Wait for something; where it does not come, tell what there is instead."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, is_instead()
        time.sleep(0.02)


def failure_of(opening: Callable[[str], RemoteSource], path: str) -> SourceError:
    with pytest.raises(SourceError) as caught:
        opening(path)
    return caught.value


def test_frames_come_under_the_name_of_the_host(opened: Callable[[str], RemoteSource], tmp_path: Path) -> None:
    reading = opened(session(tmp_path / "bin")).read()
    assert {identity.host for identity in reading.workloads} == {"hv01"}
    assert set(reading.samples) <= set(reading.workloads)
    facts = reading.hosts["hv01"]
    assert facts.workload in reading.workloads
    assert facts.tags == ("prod",)
    assert {state.host for state in reading.sources} == {"hv01"}


def test_each_event_is_handed_over_once(opened: Callable[[str], RemoteSource], tmp_path: Path) -> None:
    source = opened(session(tmp_path / "bin"))
    seen: list[Event] = []
    for _ in range(60):
        seen += source.read().events
        time.sleep(0.01)
    assert len(seen) == len(set(seen))


def test_a_client_that_ends_is_a_sentence_and_a_new_one_takes_over(
    opened: Callable[[str], RemoteSource], tmp_path: Path
) -> None:
    script = "import sys; print('Connection to hv01 closed by remote host.', file=sys.stderr); os._exit(255)"
    source = opened(session(tmp_path / "bin", 5, script))

    def read_on() -> None:
        while True:
            source.read()

    with pytest.raises(SourceDown) as caught:
        read_on()
    assert caught.value.reason == "ssh to hv01: Connection to hv01 closed by remote host."
    source.close()
    assert not source.holds_tick
    source.open(lambda: None)
    assert source.read().workloads


def test_another_interval_reaches_the_host(opened: Callable[[str], RemoteSource], tmp_path: Path) -> None:
    source, told = opened(session(tmp_path / "bin")), tmp_path / "bin" / "told"
    source.pace(1.0)  # as it is
    source.pace(5.0)
    source.pace(0.05)  # shorter than any
    wait_for(
        lambda: told.exists() and told.read_text() == "interval 5\ninterval 0.2\n",
        lambda: (told.exists() and told.read_text(), source._connection and source._connection.failure),
    )


def test_closing_ends_the_client(opened: Callable[[str], RemoteSource], tmp_path: Path) -> None:
    source = opened(place(tmp_path / "bin", f"echo $$ >{tmp_path}/pid; cat {_file(tmp_path)}; exec sleep 1000"))
    pid = (tmp_path / "pid").read_text().strip()
    started = start_of(pid)
    source.close()
    wait_until_reaped(pid, started)


def _file(folder: Path) -> Path:
    path = folder / "session"
    path.write_bytes(recorded(3))
    return path


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'root@hv01: Permission denied (publickey).' >&2; exit 255", "hv01 accepts no key of this user"),
        ("echo 'This account is currently not available.'; exit 1", "vmtop on hv01: This account is currently not"),
        ("exec yes rubbish", "what hv01 sends cannot be used: what it sends is not a session"),
        ("exec yes errors >&2", "what hv01 sends cannot be used: it prints errors without end"),
        ("printf '\\033[2J\\033]0;x\\007gone' >&2; exit 3", "vmtop on hv01: "),
        ("exit 127", "hv01 has no vmtop"),
    ],
)
def test_a_fault_before_the_first_frame_is_a_sentence(
    opened: Callable[[str], RemoteSource], tmp_path: Path, script: str, sentence: str
) -> None:
    error = failure_of(opened, place(tmp_path / "bin", script))
    assert error.reason.startswith(sentence)
    assert error.reason.isprintable()


def test_a_host_that_hangs_is_given_up(
    opened: Callable[[str], RemoteSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_LOGIN_S", 0.5)
    monkeypatch.setattr(remote, "_FIRST_S", 0.2)
    error = failure_of(
        opened, place(tmp_path / "bin", "echo 'Authenticated to hv01 ([10.0.0.1]:22)' >&2; exec sleep 1000")
    )
    assert error.reason == "hv01 has sent nothing for 0 s: ssh has logged in, and no vmtop answers there"


def test_without_a_client_the_remedy_is_to_install_one(opened: Callable[[str], RemoteSource], tmp_path: Path) -> None:
    error = failure_of(opened, str(tmp_path))
    assert (error.reason, error.remedy) == ("there is no ssh on this host", "apt install openssh-client")


def test_attempts_become_rarer_and_a_refused_login_is_not_repeated_soon(
    opened: Callable[[str], RemoteSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", place(tmp_path / "bin", "exit 255"))
    source = RemoteSource(HOST)
    seconds = []
    for _ in range(8):
        with pytest.raises(SourceError):
            source.open(lambda: None)
        source.close()
        seconds.append(source.interval_s)
    assert seconds[0] == 0.0
    assert 30 <= seconds[-1] <= 40
    place(tmp_path / "bin", "echo 'root@hv01: Permission denied (publickey).' >&2; exit 255")
    with pytest.raises(SourceError):
        source.open(lambda: None)
    assert source.interval_s >= 300


def test_a_host_that_falls_silent_is_stale_and_its_rows_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", place(tmp_path / "bin", f"cat {_file(tmp_path)}; exec sleep 1000"))
    sampler = Sampler(specs_of([HOST]), load_source, 0.2)
    frames: list[Frame] = []
    sampler.on_frame(frames.append)

    def states() -> list[SourceState]:
        return [state for state in frames[-1].sources if state.name == "hv01"] if frames else []

    sampler.start()
    try:
        wait_for(lambda: [state.availability for state in states()] == [Availability.OK])
        wait_for(lambda: [state.availability for state in states()] == [Availability.STALE])
    finally:
        sampler.stop()
    assert states()[0].reason.startswith("hv01 has not responded for")
    assert any(identity.host == "hv01" for identity in frames[-1].workloads)
    assert set(frames[0].hosts) == {"hv01"}


def is_client(pid: str) -> bool:
    """Return whether a process is still the stand-in for ssh: its number is given away again soon."""
    try:
        return b"sleep\0001000" in Path("/proc", pid, "cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_client_is_left_behind_by_a_failed_login_or_by_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", place(tmp_path / "bin", f"echo $$ >>{tmp_path}/pids; exec sleep 1000"))
    monkeypatch.setattr(remote, "_LOGIN_S", 0.6)
    monkeypatch.setattr(remote, "_FIRST_S", 0.2)
    pids = tmp_path / "pids"
    sampler = Sampler(specs_of([HOST]), load_source, 0.2)
    sampler.start()
    try:
        wait_for(lambda: pids.exists() and len(pids.read_text().split()) >= 2)
        first, last = pids.read_text().split()[:2]
        wait_for(lambda: not is_client(first))
    finally:
        sampler.stop()
    wait_for(lambda: not is_client(last))


def test_another_version_over_there_is_a_sentence(
    opened: Callable[[str], RemoteSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = opened(session(tmp_path / "bin"))
    assert source.read().unseen == ""
    monkeypatch.setattr(remote, "own_program", lambda: "vmtop 99.0")
    newest = source._newest
    wait_for(lambda: source._newest is not newest)
    reading = source.read()
    assert reading.unseen.startswith("it runs vmtop ")
    assert reading.unseen.endswith("and this is vmtop 99.0: what only one of them knows is missing")
    assert reading.remedy == "vmtop host add hv01"
