"""Every path pattern by which an engine's cgroup is known, for the systemd and the cgroupfs driver."""

import pytest

from collectors.kernel.cgroup.discovery import Role, classify_path, is_container_name, unescape
from collectors.model.workloads import Kind

ID = "4c3f6db36db8675058f6917ff4f72df76aef9aa2c802220ab583342dd655144f"
UID = "2f7b0c4e-9d5c-4c7e-8d5a-0a1b2c3d4e5f"
UID_ = UID.replace("-", "_")
STATIC_UID = "0123456789abcdef0123456789abcdef"
USER = "/user.slice/user-1000.slice/user@1000.service"

CONTAINERS = [
    ("docker", f"/docker/{ID}"),
    ("docker", f"/system.slice/docker-{ID}.scope"),
    ("docker", f"{USER}/user.slice/docker-{ID}.scope"),
    ("docker", f"/app.slice/docker-{ID}.scope"),
    ("docker", f"/moby/{ID}"),
    ("podman", f"/machine.slice/libpod-{ID}.scope"),
    ("podman", f"{USER}/user.slice/libpod-{ID}.scope"),
    ("podman", f"/system.slice/web.service/libpod-payload-{ID}"),
    ("podman", f"/libpod_parent/libpod-{ID}"),
    ("podman", f"/libpod_parent/{ID}/libpod-{ID}"),
    ("podman", f"/machine.slice/machine-libpod_pod_{ID}.slice/libpod-{ID}.scope"),
    ("containerd", f"/kubepods.slice/kubepods-pod{UID_}.slice/cri-containerd-{ID}.scope"),
    ("containerd", f"/kubepods/besteffort/pod{UID}/{ID}"),
    ("containerd", f"/kubepods/burstable/pod{STATIC_UID}/{ID}"),
    ("containerd", f"/kubepods/pod{UID}/{ID}"),
    ("containerd", f"/system.slice/nerdctl-{ID}.scope"),
    ("containerd", f"/default/{ID}"),
    ("containerd", f"/k8s.io/{ID}"),
    ("cri-o", f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/crio-{ID}.scope"),
    ("cri-o", f"/kubepods/pod{UID}/crio-{ID}"),
    ("cri-o", f"/crio/crio-{ID}"),
    ("docker", f"/kubepods.slice/kubepods-pod{UID_}.slice/docker-{ID}.scope"),
    ("containerd", f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{UID_}.slice/cri-containerd-{ID}.scope"),
    ("containerd", f"/kubepods-besteffort-pod{UID_}.slice:cri-containerd:{ID}"),
    ("containerd", f"/system.slice/containerd.service/kubepods-besteffort-pod{UID_}.slice:cri-containerd:{ID}"),
    ("containerd", f"/:cri-containerd:{ID}"),
    ("containerd", f"/user.slice:nerdctl:{ID}"),
    ("docker", f"/system.slice:docker:{ID}"),
    ("cri-o", f"/kubepods.slice:crio:{ID}"),
    ("podman", f"/machine.slice:libpod:{ID}"),
    ("podman", f"/machine-libpod_pod_{ID}.slice:libpod:{ID}"),
]

NAMED = [
    ("lxc", "web", "/lxc.payload.web"),
    ("lxc", "default_web", "/lxc.payload.default_web"),
    ("lxc", "web", "/lxc.payload/web"),
    ("lxc", "web", "/lxc/web"),
    ("lxc", "101", "/lxc/101"),
    ("nspawn", "deb", "/machine.slice/systemd-nspawn@deb.service"),
    ("nspawn", "my-deb", r"/machine.slice/systemd-nspawn@my\x2ddeb.service"),
    ("nspawn", "my-deb", r"/machine.slice/machine-my\x2ddeb.scope"),
]

MACHINES = [
    ("qemu", Kind.VM, "linux1", r"/machine.slice/machine-qemu\x2d1\x2dlinux1.scope"),
    ("qemu", Kind.VM, "my-vm", r"/machine.slice/machine-qemu\x2d12\x2dmy\x2dvm.scope"),
    ("qemu", Kind.VM, "linux1", "/machine/qemu-1-linux1.libvirt-qemu"),
    ("qemu", Kind.VM, "linux1", "/machine/production.partition/qemu-1-linux1.libvirt-qemu"),
    ("libvirt-lxc", Kind.CONTAINER, "box", r"/machine.slice/machine-lxc\x2d7\x2dbox.scope"),
    ("libvirt-lxc", Kind.CONTAINER, "box", "/machine/lxc-7-box.libvirt-lxc"),
    ("proxmox", Kind.VM, "100", "/qemu.slice/100.scope"),
]

SERVICES = [
    ("systemd", "cron.service", "/system.slice/cron.service", "system.slice"),
    ("systemd", "getty@tty1.service", "/system.slice/system-getty.slice/getty@tty1.service", "system-getty.slice"),
    ("systemd", r"a\x2db.service", r"/system.slice/a\x2db.service", "system.slice"),
    ("systemd", r"esc\x1b.service", r"/system.slice/system-a\x2db.slice/esc\x1b.service", r"system-a\x2db.slice"),
    ("systemd", "session-3.scope", "/user.slice/user-1000.slice/session-3.scope", "user-1000.slice"),
    ("systemd", "user@1000.service", USER, "user-1000.slice"),
    ("systemd", "init.scope", "/init.scope", None),
    ("cgroup", "process_api", "/process_api", None),
    ("cgroup", "batch", "/system.slice/batch", "system.slice"),
]

SKIPPED = [
    f"/machine.slice/libpod-conmon-{ID}.scope",
    f"/kubepods.slice/crio-conmon-{ID}.scope",
    "/lxc.monitor.web",
    "/lxc.monitor/101",
    "/lxc.pivot",
    "/dev-hugepages.mount",
    "/system.slice/dev-sda2.swap",
    "/system.slice/dbus.socket",
    f"/system.slice/var-lib-docker-containers-{ID}-mounts-shm.mount",
    f"/system.slice/docker-{ID}.mount",
    f"{USER}/init.scope",
    "/machine/emulator",
    "/machine/vcpu0",
    "/system.slice/web.service/supervisor",
]

FOLDERS = [
    "/",
    "/system.slice",
    "/docker",
    "/kubepods",
    "/kubepods/burstable",
    f"/kubepods/pod{UID}",
    "/machine",
    "/lxc",
]


@pytest.mark.parametrize(("engine", "path"), CONTAINERS)
def test_a_container_is_known_by_its_path(engine: str, path: str) -> None:
    cgroup = classify_path(path)
    assert cgroup.role is Role.LEAF
    assert cgroup.workload is not None
    assert (cgroup.workload.engine, cgroup.workload.id, cgroup.workload.kind) == (engine, ID, Kind.CONTAINER)
    assert not cgroup.workload.name_is_known
    assert not cgroup.workload.is_ambiguous


@pytest.mark.parametrize(("engine", "path"), CONTAINERS)
def test_what_is_below_a_container_is_its_own_business(engine: str, path: str) -> None:
    for below in ("/container", "/init.scope", f"/docker/{ID}", "/system.slice/cron.service"):
        assert classify_path(path + below) == classify_path(path), engine


@pytest.mark.parametrize(("engine", "name", "path"), NAMED)
def test_a_container_with_a_name_is_known_by_it(engine: str, name: str, path: str) -> None:
    cgroup = classify_path(path)
    assert cgroup.role is Role.LEAF
    assert cgroup.workload is not None
    assert (cgroup.workload.engine, cgroup.workload.name, cgroup.workload.name_is_known) == (engine, name, True)
    assert classify_path(path + "/payload") == cgroup


@pytest.mark.parametrize(("engine", "kind", "name", "path"), MACHINES)
def test_a_machine_is_known_but_its_name_only_presumed(engine: str, kind: Kind, name: str, path: str) -> None:
    cgroup = classify_path(path)
    assert cgroup.role is Role.LEAF
    assert cgroup.workload is not None
    assert (cgroup.workload.engine, cgroup.workload.kind, cgroup.workload.name) == (engine, kind, name)
    assert not cgroup.workload.name_is_known
    for below in ("/emulator", "/vcpu0", "/libvirt/iothread1"):
        assert classify_path(path + below) == cgroup


@pytest.mark.parametrize(("engine", "name", "path", "project"), SERVICES)
def test_a_service_is_known_by_its_path_and_grouped_by_its_slice(
    engine: str, name: str, path: str, project: str | None
) -> None:
    cgroup = classify_path(path)
    assert cgroup.workload is not None
    assert cgroup.workload == (engine, path, Kind.SERVICE, name, True, False, None)
    assert (cgroup.project, cgroup.service, cgroup.is_parent) == (project, path, True)


@pytest.mark.parametrize("path", SKIPPED)
def test_helpers_and_parts_are_left_out(path: str) -> None:
    cgroup = classify_path(path)
    assert cgroup.role is Role.SKIP
    assert cgroup.workload is None


@pytest.mark.parametrize("path", FOLDERS)
def test_a_folder_is_no_workload_but_is_looked_into(path: str) -> None:
    cgroup = classify_path(path)
    assert cgroup.workload is None
    assert cgroup.is_parent


@pytest.mark.parametrize(
    "path",
    [
        f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{UID_}.slice/cri-containerd-{ID}.scope",
        f"/kubepods/burstable/pod{UID}/{ID}",
        f"/kubepods-besteffort-pod{UID_}.slice:cri-containerd:{ID}",
        f"/system.slice/containerd.service/kubepods-pod{UID_}.slice:cri-containerd:{ID}",
    ],
)
def test_a_pod_is_the_project_of_its_containers(path: str) -> None:
    assert classify_path(path).project == f"pod {UID}"


@pytest.mark.parametrize(
    ("path", "project"),
    [
        (f"/system.slice:docker:{ID}", "system.slice"),
        (f"/:cri-containerd:{ID}", None),
        (f"/machine-libpod_pod_{ID}.slice:libpod:{ID}", f"pod {ID[:12]}"),
    ],
)
def test_a_slice_in_a_containers_own_name_is_its_project(path: str, project: str | None) -> None:
    assert classify_path(path).project == project


def test_a_bare_id_in_an_unknown_folder_is_ambiguous_and_presumed_to_be_dockers() -> None:
    workload = classify_path(f"/custom/{ID}").workload
    assert workload is not None
    assert (workload.engine, workload.is_ambiguous) == ("docker", True)


def test_a_container_inside_a_service_names_the_service() -> None:
    cgroup = classify_path(f"{USER}/user.slice/libpod-{ID}.scope")
    assert cgroup.service == USER
    assert cgroup.encloser == USER


def test_a_service_inside_a_service_is_counted_with_it() -> None:
    cgroup = classify_path("/system.slice/lxcfs.service/app.slice/mail.service")
    assert cgroup.workload is None
    assert cgroup.is_parent
    assert cgroup.service == "/system.slice/lxcfs.service"


@pytest.mark.parametrize("unit", ["app.slice/mail.service", "app.slice/app-x.slice/mail@1.service", "mail.scope"])
def test_a_unit_of_a_users_own_manager_is_a_workload_inside_it(unit: str) -> None:
    path = f"{USER}/{unit}"
    cgroup = classify_path(path)
    name = unit.rpartition("/")[2]
    assert cgroup.workload == ("systemd-user", path, Kind.SERVICE, name, True, False, None)
    assert (cgroup.service, cgroup.encloser, cgroup.project) == (path, USER, "user-1000.slice")


def test_a_container_inside_a_users_unit_names_that_unit() -> None:
    unit = f"{USER}/app.slice/web.service"
    assert classify_path(f"{unit}/libpod-payload-{ID}").encloser == unit


def test_the_manager_of_a_user_is_a_unit_of_the_host() -> None:
    cgroup = classify_path(USER)
    assert cgroup.workload is not None
    assert (cgroup.workload.engine, cgroup.encloser) == ("systemd", None)
    assert classify_path(f"{USER}/init.scope").role is Role.SKIP


@pytest.mark.parametrize("name", [ID[:-1], ID + "0", ID.upper(), "docker-", f"docker-{ID[:12]}.scope"])
def test_what_only_looks_like_an_id_is_none(name: str) -> None:
    assert not is_container_name(name)


def test_the_walk_ends_at_a_depth() -> None:
    assert classify_path("/x.service" + "/deep" * 40).role is Role.SKIP


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"a\x2db", "a-b"),
        ("plain", "plain"),
        (r"f\xc3\xbcr", "für"),
        (r"bad\xff", "bad\ufffd"),
        (r"half\x2", r"half\x2"),
    ],
)
def test_systemd_escapes_are_undone(escaped: str, plain: str) -> None:
    assert unescape(escaped) == plain
