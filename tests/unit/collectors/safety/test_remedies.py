"""A remedy is a command that works on this distribution and for this user, or it is not given."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from collectors.model.workloads import Availability, Kind
from collectors.safety.permissions import access_remedy, as_root, join_remedy, polkit_remedy, start_remedy
from tests.helpers.distribution import FIRST_GID, pretend
from tests.helpers.strategies import frame, workload

JOIN = "sudo usermod -aG docker $USER, then log in again"


@pytest.fixture
def denied(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Hides what is in a folder, also from root."""
    hidden: list[Path] = []
    stat = Path.stat

    def refuse(path: Path, **options: bool) -> os.stat_result:
        if any(folder in path.parents for folder in hidden):
            raise PermissionError(13, "Permission denied")
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", refuse)
    return hidden.append


@pytest.mark.parametrize(("mode", "group", "remedy"), [
    (0o700, 0, "root"),  # Podman's /run/podman
    (0o750, 0, "root"),
    (0o750, FIRST_GID, JOIN),
    (0o700, FIRST_GID, "root"),
])  # fmt: skip
def test_a_socket_in_a_closed_folder_takes_what_opens_the_folder(
    mode: int, group: int, remedy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, denied: Callable[[Path], None]
) -> None:
    pretend(monkeypatch, tmp_path, {"docker": ()}, ())
    folder = tmp_path / "podman"
    folder.mkdir(mode)
    os.chown(folder, -1, group)
    denied(folder)
    assert access_remedy(folder / "podman.sock", "docker") == (as_root() if remedy == "root" else remedy)


@pytest.mark.parametrize(("groups", "own", "remedy"), [
    ({"docker": ()}, (), JOIN),
    ({"docker": ("joe",)}, (), "log in again: you are in the group docker now, but were not when this session began"),
    ({"docker": ("joe",)}, ("docker",), "root"),
    ({}, (), "root"),
])  # fmt: skip
def test_a_group_is_joined_only_where_that_helps(
    groups: dict[str, Sequence[str]],
    own: Sequence[str],
    remedy: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    pretend(monkeypatch, tmp_path, groups, (), own)
    assert join_remedy("docker") == (as_root() if remedy == "root" else remedy)


def test_a_polkit_rule_is_whole_and_names_this_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, {}, (), has_polkit=True)
    command = polkit_remedy("org.freedesktop.systemd1.manage-units")
    first, _, rule = command.partition("; or, for good: ")
    assert first == as_root()
    echo, text, pipe, *tee = shlex.split(rule)
    assert (echo, pipe, tee) == ("echo", "|", ["sudo", "tee", f"{tmp_path}/rules/50-vmtop.rules"])
    assert text == (
        'polkit.addRule(function(action, subject) { if (action.id == "org.freedesktop.systemd1.manage-units" && '
        'subject.user == "joe") return polkit.Result.YES; });'
    )


def test_without_polkits_rules_only_root_helps(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pretend(monkeypatch, tmp_path, {}, ())
    assert polkit_remedy("org.freedesktop.systemd1.manage-units") == as_root()


@pytest.mark.parametrize(("units", "remedy"), [
    (("libvirtd.service", "virtqemud.socket"), "sudo systemctl start libvirtd.service"),
    (("virtqemud.socket",), "sudo systemctl start virtqemud.socket"),
    ((), ""),
    (None, ""),
])  # fmt: skip
def test_a_daemon_is_started_by_a_unit_that_exists(
    units: Sequence[str] | None, remedy: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pretend(monkeypatch, tmp_path, {}, units)
    assert start_remedy("libvirtd.service", "virtqemud.socket") == remedy


def test_doctor_does_not_say_that_all_can_be_read_where_names_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    from collectors.analysis.rates import Deriver
    from tui.presenters.reports import doctor

    unnamed = workload("9f1b78424161", Kind.CONTAINER, "containerd", name_is_known=False)
    whole = frame(1, {unnamed: {"cpu_total_ns": 1}}, {"cpu_total_ns": 1})
    monkeypatch.setattr(doctor, "FINE", frozenset(Availability))
    sentence = doctor.as_text(doctor.Checkup(Deriver().feed(whole))).splitlines()[-1]
    assert sentence.endswith("All that is present can be read, except names: 1 of containerd are shown by their ids.")
