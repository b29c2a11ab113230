"""The names of the kubelet's files: pods, containers and ids, some of them cut."""

from __future__ import annotations

from pathlib import Path

from collectors.kernel.cgroup import discovery
from collectors.kernel.container_names import Names
from collectors.kernel.oci import kubelet_files
from collectors.kernel.oci.description import Description, describe
from collectors.kernel.oci.kubelet_files import LinkedContainer
from tests.helpers.kubelet_capture import captured, lay_out

ID = "c" * 64


def test_the_folders_of_logs_name_the_pods_by_their_uid(tmp_path: Path) -> None:
    _, _, pods = lay_out(tmp_path)
    assert kubelet_files.pods(str(pods))["c811f640d05e322a8f8a69e2bb36e89a"] == "shop/web-lab-node"
    assert len(kubelet_files.pods(str(pods))) == 4
    assert kubelet_files.pods(str(tmp_path / "none")) == {}


def test_every_running_container_of_the_capture_but_the_sandboxes_has_a_link(tmp_path: Path) -> None:
    _, links, pods = lay_out(tmp_path)
    names = Names(str(links), pods=str(pods))
    names.refresh()
    for path in captured("left")["cgroups"]:
        workload = discovery.classify_path(path).workload
        if workload is None:
            continue
        pod = names.pod(discovery.classify_path(path).project)
        bundle = next((one["annotations"] for one in captured("bundles") if one["id"] == workload.id), None)
        link = names.link(workload.id)
        assert workload.engine == "containerd"
        assert bundle is None or pod == (
            f"{bundle['io.kubernetes.cri.sandbox-namespace']}/{bundle['io.kubernetes.cri.sandbox-name']}"
        )
        if bundle is not None and bundle["io.kubernetes.cri.container-type"] == "container":
            assert link == (bundle["io.kubernetes.cri.container-name"], pod)


def test_an_id_that_the_kubelet_cut_still_names_its_container(tmp_path: Path) -> None:
    """The kubelet cuts the name of a link at 255 bytes: that of a long pod has a part of the id, or none."""
    pod = "p" * 180
    (tmp_path / f"{pod}_shop_nginx-{ID[:40]}.log").touch()
    (tmp_path / f"{pod}_shop_side-{ID[:5]}.log").touch()
    names = Names(str(tmp_path), pods="/nowhere")
    names.refresh()
    assert names.link(ID) == LinkedContainer("nginx", f"shop/{pod}")
    assert names.link(ID[:40] + "d" * 24) == LinkedContainer("nginx", f"shop/{pod}")
    assert names.link("c" * 12 + "d" * 52) is None
    assert names.link("d" * 64) is None


def test_without_a_bundle_a_pause_is_known_by_its_command_line(tmp_path: Path) -> None:
    for pid, command in ((7, b"/pause\0"), (8, b"/bin/sh\0")):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "cmdline").write_bytes(command)
        (tmp_path / str(pid) / "stat").write_text(f"{pid} (x) S 1 " + "0 " * 40)
    assert describe(str(tmp_path), 7, ID, None) == Description(is_sandbox=True)
    assert describe(str(tmp_path), 8, ID, None) == Description()
    assert describe(str(tmp_path), 7, ID, LinkedContainer("app", "a/b")) == Description("b/app", "a/b")
