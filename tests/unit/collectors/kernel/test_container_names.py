"""Names that Podman leaves in its storage: root's, each user's, and only for containers that are theirs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from collectors.kernel import container_names
from collectors.kernel.cgroup.source import CgroupSource
from collectors.kernel.container_names import Names
from tests.unit.collectors.kernel.cgroup.test_captured_tree import write
from tests.unit.collectors.kernel.cgroup.test_networks import Host, table

ID = "c" * 64
ME = os.geteuid()
SCOPE = f"/user.slice/user-{ME}.slice/user@{ME}.service/user.slice/libpod-{ID}.scope"


def record(name: str, identity: str = ID) -> str:
    return f'[{{"id": "{identity}", "names": ["{name}"], "layer": "x"}}, {{"id": "y"}}]'


@pytest.fixture
def names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Names:
    """Names of a host with root's storage and one user, who owns what the test writes."""
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    write(tmp_path, {"passwd": f"nobody:x:65534:1::/nonexistent:/bin/false\nann:x:{ME}:{ME}::{tmp_path}/ann:/bin/sh\n"})
    return Names("/nowhere", str(tmp_path / "root"), str(tmp_path / "passwd"))


def storage(home: Path, driver: str = "overlay") -> Path:
    return home / ".local/share/containers/storage" / f"{driver}-containers"


@pytest.mark.parametrize("driver", ["overlay", "vfs", "btrfs"])
@pytest.mark.parametrize("file", ["containers.json", "volatile-containers.json"])
def test_roots_storage_names_a_container(names: Names, tmp_path: Path, driver: str, file: str) -> None:
    write(tmp_path / "root" / f"{driver}-containers", {file: record("db")})
    names.refresh()
    assert names.find(ID) == ("db", None)
    write(tmp_path / "root" / f"{driver}-containers", {file: "[{"})
    names.refresh()
    assert names.find(ID) is None


@pytest.mark.parametrize("file", ["containers.json", "volatile-containers.json"])
def test_a_users_storage_names_the_containers_in_that_users_slice_and_no_others(
    names: Names, tmp_path: Path, file: str
) -> None:
    write(storage(tmp_path / "ann"), {file: record("web")})
    names.refresh()
    assert names.find(ID, SCOPE) == ("web", None)
    assert names.find(ID, f"/machine.slice/libpod-{ID}.scope") is None
    assert names.find(ID, f"/user.slice/user-4711.slice/libpod-{ID}.scope") is None


def test_a_user_cannot_rename_a_container_of_root(names: Names, tmp_path: Path) -> None:
    write(tmp_path / "root/overlay-containers", {"containers.json": record("db")})
    write(storage(tmp_path / "ann"), {"containers.json": record("evil")})
    names.refresh()
    assert names.find(ID, SCOPE) == ("db", None)


def test_the_own_storage_is_where_the_environment_says(
    names: Names, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    write(tmp_path / "data/containers/storage/overlay-containers", {"containers.json": record("web")})
    names.refresh()
    assert names.find(ID, SCOPE) == ("web", None)


def test_a_new_name_is_there_after_the_next_refresh(names: Names, tmp_path: Path) -> None:
    names.refresh()
    assert names.find(ID, SCOPE) is None
    write(storage(tmp_path / "ann"), {"containers.json": record("web")})
    names.refresh()
    assert names.find(ID, SCOPE) == ("web", None)


@pytest.mark.parametrize("kind", ["pipe", "link", "too long", "folder", "of another user"])
def test_what_a_user_puts_in_its_place_is_not_read(
    names: Names, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = storage(tmp_path / "ann") / "containers.json"
    file.parent.mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(record("web"))
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "link":
        file.symlink_to(elsewhere)
    elif kind == "folder":
        file.mkdir()
    else:
        file.write_text(record("web"))
    if kind == "too long":
        monkeypatch.setattr(container_names, "_LARGEST", 10)
    if kind == "of another user":
        if ME != 0:
            pytest.skip("giving a file away needs root")
        os.chown(file, 65534, 65534)
    names.refresh()
    assert names.find(ID, SCOPE) is None


def test_a_rootless_container_has_its_name_in_the_first_reading(names: Names, tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.process(1, 0, table("eth0"), "net:[1]")
    host.run(SCOPE.lstrip("/"), 10, 50, table("eth0"), "net:[7]")
    write(storage(tmp_path / "ann"), {"containers.json": record("web\\u001b[31m")})
    source = CgroupSource(str(host.root), str(host.proc), names=names)
    source.open(lambda: None)
    workloads = source.read().workloads.values()
    source.close()
    (container,) = [workload for workload in workloads if workload.id.id == ID]
    assert container.name_is_known
    assert container.name == "web\N{REPLACEMENT CHARACTER}[31m"


@pytest.mark.parametrize(
    ("program", "arguments", "expected"),
    [
        ("/usr/bin/conmon", ["-c", ID, "-u", ID, "-n", "web"], ("web", None)),
        ("/usr/bin/conmon", ["-c", ID, "-n", "k8s_nginx_web-0_shop_2f7b0c4e_1"], ("nginx", "shop/web-0")),
        ("/usr/bin/conmon", ["-c", "d" * 64, "-n", "web"], None),  # of another container
        ("/usr/bin/conmon", ["-c", ID, "-n", ""], None),
        ("/usr/bin/other", ["-c", ID, "-n", "web"], None),
        ("", [], None),
    ],
)
@pytest.mark.parametrize("engine", ["libpod", "crio"])
def test_without_any_file_the_monitor_of_a_container_has_its_name(
    names: Names,
    tmp_path: Path,
    engine: str,
    program: str,
    arguments: list[str],
    expected: tuple[str, str | None] | None,
) -> None:
    host = Host(tmp_path)
    host.process(1, 0, table("eth0"), "net:[1]")
    host.process(9, 40, table("eth0"), "net:[1]")
    write(host.proc / "9", {"cmdline": "\0".join([program, *arguments, ""]) if program else ""})
    host.run(f"machine.slice/{engine}-{ID}.scope", 10, 50, table("eth0"), "net:[7]")
    shutil.rmtree(host.proc / "10")
    host.process(10, 50, table("eth0"), "net:[7]", parent=9)
    source = CgroupSource(str(host.root), str(host.proc), names=names)
    source.open(lambda: None)
    (container,) = source.read().workloads.values()
    source.close()
    name, pod = expected or (ID[:12], None)
    name = f"web-0/{name}" if pod and engine == "crio" else name  # only CRI-O runs pods of Kubernetes
    assert (container.name, container.name_is_known) == (name, expected is not None)
    assert container.project == (pod or "machine.slice")
