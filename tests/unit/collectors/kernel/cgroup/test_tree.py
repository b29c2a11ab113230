"""The walk over cgroup trees: what it finds, what it costs, and how it follows changes."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collectors.kernel.cgroup.tree import Tree

WEB = "/system.slice/web.service"


class Kernfs:
    """The two calls of `os` that the walk makes, counted, on any file system as if it were kernfs."""

    def __init__(self) -> None:
        self.listed: list[str] = []
        self.asked = 0
        self.has_links = True

    def scandir(self, path: str) -> Any:
        self.listed.append(path)
        return os.scandir(path)

    def stat(self, path: str) -> SimpleNamespace:
        self.asked += 1
        status = os.stat(path)
        children = sum(entry.is_dir() for entry in os.scandir(path))
        return SimpleNamespace(st_ino=status.st_ino, st_nlink=2 + children if self.has_links else 1)


@pytest.fixture
def kernfs(monkeypatch: pytest.MonkeyPatch) -> Kernfs:
    """Put a counting kernfs under the walk."""
    fake = Kernfs()
    monkeypatch.setattr("collectors.kernel.cgroup.tree.os", fake)
    return fake


def container(number: int) -> str:
    """Return a container's path."""
    return f"/docker/{number:064x}"


def make(root: Path, *paths: str) -> None:
    """Make cgroups."""
    for path in paths:
        (root / path.lstrip("/")).mkdir(parents=True, exist_ok=True)


def remove(root: Path, path: str) -> None:
    """Remove a cgroup and all below it."""
    shutil.rmtree(root / path.lstrip("/"))


def count_stats(tree: Tree, checked: list[str]) -> None:
    """Note which containers are checked for others below."""
    look = tree._nested._paths

    def note(leaf: str) -> Iterable[str]:
        checked.append(leaf)
        return look(leaf)

    tree._nested._paths = note  # type: ignore[method-assign]


def test_an_unchanged_tree_of_200_groups_is_not_listed(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, *map(container, range(100)))
    make(tmp_path, *(f"/system.slice/s{number}.service" for number in range(100)))
    tree = Tree([str(tmp_path)])
    assert tree.update()
    assert len(tree.cgroups) == 200
    kernfs.listed.clear()
    for _ in range(10):
        assert not tree.update()
    assert kernfs.listed == []


def test_one_more_group_costs_one_listing(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, *map(container, range(3)), WEB)
    tree = Tree([str(tmp_path)])
    tree.update()
    kernfs.listed.clear()
    make(tmp_path, container(3))
    assert tree.update()
    assert tree.cgroups.keys() == {*map(container, range(4)), WEB}
    assert kernfs.listed == [f"{tmp_path}/docker"]


def test_a_removed_group_is_gone(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, container(0), container(1))
    tree = Tree([str(tmp_path)])
    tree.update()
    remove(tmp_path, container(0))
    assert tree.update()
    assert tree.cgroups.keys() == {container(1)}


def test_a_removed_branch_takes_all_below_with_it(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, "/user.slice/user-1.slice/session-1.scope", "/user.slice/user-1.slice/session-2.scope", WEB)
    tree = Tree([str(tmp_path)])
    tree.update()
    assert len(tree.cgroups) == 3
    remove(tmp_path, "/user.slice/user-1.slice")
    tree.update()
    assert tree.cgroups.keys() == {WEB}


def test_a_swap_that_keeps_the_count_is_seen_once_a_reader_reports_it(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, container(0))
    tree = Tree([str(tmp_path)])
    tree.update()
    remove(tmp_path, container(0))
    make(tmp_path, container(1))
    tree.update()
    tree.invalidate(container(0))
    assert tree.update()
    assert tree.cgroups.keys() == {container(1)}


def test_a_directory_made_anew_with_as_many_children_is_known_by_its_inode(tmp_path: Path, kernfs: Kernfs) -> None:
    root, other = tmp_path / "root", tmp_path / "other"
    make(root, container(0))
    make(other, container(1))
    tree = Tree([str(root)])
    tree.update()
    remove(root, "/docker")
    (other / "docker").rename(root / "docker")
    assert tree.update()
    assert tree.cgroups.keys() == {container(1)}


def test_a_swap_that_nobody_reports_is_seen_within_sixty_updates(tmp_path: Path, kernfs: Kernfs) -> None:
    conmon = f"/machine.slice/libpod-conmon-{1:064x}.scope"
    make(tmp_path, conmon)
    tree = Tree([str(tmp_path)])
    tree.update()
    remove(tmp_path, conmon)
    make(tmp_path, f"/machine.slice/libpod-{2:064x}.scope")
    for _ in range(60):
        tree.update()
    assert len(tree.cgroups) == 1


def test_containers_and_machines_are_not_looked_into(tmp_path: Path, kernfs: Kernfs) -> None:
    machine = "/machine/qemu-1-a.libvirt-qemu"
    make(tmp_path, container(0) + "/system.slice/cron.service", machine + "/vcpu0")
    tree = Tree([str(tmp_path)])
    tree.update()
    assert tree.cgroups.keys() == {container(0), machine}
    assert f"{tmp_path}{container(0)}" not in kernfs.listed


def test_containers_inside_a_service_are_found_and_name_it(tmp_path: Path, kernfs: Kernfs) -> None:
    nested = f"{WEB}/libpod-payload-{1:064x}"
    make(tmp_path, nested, WEB + "/workers/one")
    tree = Tree([str(tmp_path)])
    tree.update()
    assert tree.cgroups.keys() == {WEB, nested}
    assert tree.cgroups[nested].service == WEB
    make(tmp_path, f"{WEB}/workers/libpod-{2:064x}")
    tree.update()
    assert len(tree.cgroups) == 3


def test_services_are_looked_into_in_turn(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, *(f"/system.slice/s{number}.service" for number in range(100)))
    tree = Tree([str(tmp_path)])
    tree.update()
    kernfs.asked = 0
    for _ in range(5):
        tree.update()
    assert kernfs.asked == 100 + 5 * 2, "each service once in five updates, the root and its slice in each"
    make(tmp_path, f"/system.slice/s7.service/libpod-payload-{1:064x}")
    for _ in range(5):
        tree.update()
    assert len(tree.cgroups) == 101


def test_an_unknown_cgroup_that_holds_containers_is_their_folder(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, "/custom")
    tree = Tree([str(tmp_path)])
    tree.update()
    assert tree.cgroups.keys() == {"/custom"}
    make(tmp_path, f"/custom/{1:064x}")
    tree.update()
    assert tree.cgroups.keys() == {f"/custom/{1:064x}"}
    assert tree.cgroups[f"/custom/{1:064x}"].project == "custom"


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_an_unknown_cgroup_is_a_folder_however_deep_its_containers_are(
    tmp_path: Path, kernfs: Kernfs, depth: int
) -> None:
    folder = "/ecs" + "".join(f"/task{level}" for level in range(1, depth))
    make(tmp_path, folder)
    tree = Tree([str(tmp_path)])
    tree.update()
    assert tree.cgroups.keys() == {"/ecs"}
    make(tmp_path, f"{folder}/{1:064x}")
    tree.update()
    assert tree.cgroups.keys() == {f"{folder}/{1:064x}"}
    cgroup = tree.cgroups[f"{folder}/{1:064x}"]
    assert (cgroup.project, cgroup.encloser) == (folder.lstrip("/"), None)
    make(tmp_path, f"/ecs/other/{2:064x}")
    tree.update()
    assert len(tree.cgroups) == 2


def test_a_unit_that_holds_containers_stays_a_service_and_encloses_them(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, f"{WEB}/jobs/a/{1:064x}")
    tree = Tree([str(tmp_path)])
    tree.update()
    assert tree.cgroups.keys() == {WEB, f"{WEB}/jobs/a/{1:064x}"}
    assert tree.cgroups[f"{WEB}/jobs/a/{1:064x}"].encloser == WEB


def test_a_container_below_a_container_names_the_outer_one(tmp_path: Path, kernfs: Kernfs) -> None:
    outer, direct, deep = container(0), f"{container(0)}/{1:064x}", f"{container(0)}/runner/jobs/{2:064x}"
    make(tmp_path, direct, deep)
    tree = Tree([str(tmp_path)])
    tree.update()
    assert tree.cgroups.keys() == {outer, direct, deep}
    assert [tree.cgroups[path].encloser for path in (direct, deep)] == [outer, outer]
    assert tree.cgroups[direct].is_nested
    assert not tree.cgroups[outer].is_nested


def test_a_container_below_a_container_is_found_and_forgotten_within_ten_updates(
    tmp_path: Path, kernfs: Kernfs
) -> None:
    nested = f"{container(0)}/{1:064x}"
    make(tmp_path, container(0))
    tree = Tree([str(tmp_path)])
    tree.update()
    make(tmp_path, nested)
    for _ in range(10):
        tree.update()
    assert nested in tree.cgroups
    remove(tmp_path, nested)
    for _ in range(10):
        tree.update()
    assert tree.cgroups.keys() == {container(0)}


def test_containers_are_checked_for_others_below_only_when_cgroups_were_created(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, *map(container, range(200)))
    (tmp_path / "cgroup.stat").write_text("nr_descendants 201\nnr_dying_descendants 0\n")
    tree = Tree([str(tmp_path)])
    checked: list[str] = []
    count_stats(tree, checked)
    tree.update()
    assert len(checked) == 200
    checked.clear()
    for _ in range(20):
        (tmp_path / "cgroup.stat").write_text("nr_descendants 201\nnr_dying_descendants 7\n")
        tree.update()
    assert checked == []
    make(tmp_path, f"{container(7)}/{1:064x}")
    (tmp_path / "cgroup.stat").write_text("nr_descendants 202\nnr_dying_descendants 0\n")
    for _ in range(10):
        tree.update()
    assert len(checked) == 200, "each once, fifty in an update"
    assert f"{container(7)}/{1:064x}" in tree.cgroups


def test_a_container_that_goes_takes_those_below_it_with_it(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path, f"{container(0)}/{1:064x}", container(2))
    tree = Tree([str(tmp_path)])
    tree.update()
    remove(tmp_path, container(0))
    tree.update()
    assert tree.cgroups.keys() == {container(2)}


def test_hierarchies_are_united_by_path(tmp_path: Path, kernfs: Kernfs) -> None:
    memory, pids = tmp_path / "memory", tmp_path / "pids"
    make(memory, container(0), container(1))
    make(pids, container(1), container(2))
    tree = Tree([str(memory), str(pids)])
    tree.update()
    assert tree.cgroups.keys() == {*map(container, range(3))}
    remove(memory, container(1))
    tree.update()
    assert container(1) in tree.cgroups
    remove(pids, container(1))
    tree.update()
    assert container(1) not in tree.cgroups


def test_a_folder_recognised_in_one_hierarchy_is_one_in_all(tmp_path: Path, kernfs: Kernfs) -> None:
    memory, pids = tmp_path / "memory", tmp_path / "pids"
    make(memory, "/custom")
    make(pids, f"/custom/{1:064x}")
    tree = Tree([str(memory), str(pids)])
    tree.update()
    assert tree.cgroups.keys() == {f"/custom/{1:064x}"}


def test_a_file_system_without_link_counts_is_listed_every_time(tmp_path: Path, kernfs: Kernfs) -> None:
    kernfs.has_links = False
    make(tmp_path, container(0))
    tree = Tree([str(tmp_path)])
    tree.update()
    make(tmp_path, container(1))
    tree.update()
    assert len(tree.cgroups) == 2


def test_a_root_that_is_gone_leaves_nothing(tmp_path: Path, kernfs: Kernfs) -> None:
    make(tmp_path / "root", container(0))
    tree = Tree([str(tmp_path / "root")])
    tree.update()
    shutil.rmtree(tmp_path / "root")
    tree.update()
    assert tree.cgroups == {}
