"""State and configuration are read and written only where no other user can put or take anything."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collectors.safety import private_file
from collectors.safety.own_folder import check_path, make_own_folder
from collectors.session.spool import Spool

NOBODY = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="another user's files are made by root only")


def test_a_folder_and_those_above_it_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_own_folder(tmp_path / "a" / "b" / "vmtop")
    finally:
        os.umask(before)
    for folder in ("a", "a/b", "a/b/vmtop"):
        assert (tmp_path / folder).stat().st_mode & 0o777 == 0o700, folder


def _another_users(folder: Path) -> str:
    os.chown(folder, NOBODY, NOBODY)
    return "belongs to another user"


def _for_anyone(folder: Path) -> str:
    folder.chmod(0o777)
    return "can be written to by anyone"


@root_only
@pytest.mark.parametrize("change", [_another_users, _for_anyone])
@pytest.mark.parametrize("which", [".", "share", "share/vmtop"])
def test_a_folder_that_others_could_change_is_refused_wherever_it_is_in_the_path(
    change: object, which: str, tmp_path: Path
) -> None:
    folder = tmp_path / "share" / "vmtop"
    folder.mkdir(parents=True)
    why = change(tmp_path / which)  # type: ignore[operator]
    before = sorted(folder.iterdir())
    for write in (
        lambda: private_file.append(folder / "actions.log", b"x\n"),
        lambda: Spool(folder),
        lambda: Spool(folder / "spool"),
    ):
        with pytest.raises(PermissionError, match=f"{why}|can be written to by") as refused:
            write()
        assert str(tmp_path) in str(refused.value.strerror)
    assert sorted(folder.iterdir()) == before


@root_only
def test_under_the_home_of_another_user_root_leaves_nothing_behind(tmp_path: Path) -> None:
    """As with `sudo -E`."""
    home = tmp_path / "joe"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    with pytest.raises(PermissionError, match="belongs to another user"):
        private_file.append(home / ".local/state/vmtop/actions.log", b"x\n")
    assert list(home.iterdir()) == []


def test_a_link_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "vmtop").symlink_to("elsewhere")
    with pytest.raises(PermissionError, match="is a symbolic link"):
        private_file.append(tmp_path / "vmtop" / "actions.log", b"x\n")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@root_only
def test_a_link_that_another_user_made_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(mode=0o700)
    (tmp_path / "state").symlink_to("mine")
    os.lchown(tmp_path / "state", NOBODY, NOBODY)
    with pytest.raises(PermissionError, match="belongs to another user"):
        make_own_folder(tmp_path / "state" / "vmtop")
    assert list((tmp_path / "mine").iterdir()) == []


def test_a_sticky_folder_for_all_is_fine_on_the_way(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    make_own_folder(tmp_path / "vmtop")
    check_path(tmp_path / "vmtop")


@root_only
def test_a_file_that_another_user_put_there_is_neither_written_nor_read(tmp_path: Path) -> None:
    path = tmp_path / "actions.log"
    path.write_bytes(b"planted\n")
    path.chmod(0o644)
    os.chown(path, NOBODY, NOBODY)
    with pytest.raises(PermissionError, match="belongs to another user"):
        private_file.append(path, b"x\n")
    assert path.read_bytes() == b"planted\n"
    assert path.stat().st_mode & 0o777 == 0o644
    assert private_file.tail(path, 100) == []


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero"), lambda path: path.mkdir()])
def test_what_is_no_regular_file_blocks_no_one_and_gives_no_lines(make: object, tmp_path: Path) -> None:
    path = tmp_path / "actions.log"
    make(path)  # type: ignore[operator]
    with pytest.raises(OSError):  # noqa: PT011  # the kernel's own words, by what it is
        private_file.append(path, b"x\n")
    assert private_file.tail(path, 100) == []
