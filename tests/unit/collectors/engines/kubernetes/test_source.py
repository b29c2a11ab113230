"""The source of pods: without the API what the kubelet left, with it what it answers, and whom it believes."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from collectors.engines.kubernetes import kubelet_api, pod_files
from collectors.engines.kubernetes.details import PodDetails
from collectors.engines.kubernetes.kubelet_api import Kubelet, find, is_listening
from collectors.engines.kubernetes.source import KubernetesSource
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown
from collectors.model.workloads import Kind, State, Workload, WorkloadId
from tests.helpers.kubelet_capture import captured, lay_out

CRASH = WorkloadId("kubernetes", "16855a794493ebf46795c2e64a9e4071/looper")
HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


class Fake(HTTPServer):
    """A kubelet that gives one answer."""

    status, body = 200, b"{}"


class Handler(BaseHTTPRequestHandler):
    server: Fake

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002  # the base class's name
        """Say nothing."""


@pytest.fixture
def fake() -> Iterator[Fake]:
    server = Fake(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def url(server: Fake) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def row(port: int, uid: int, state: str = "0A", address: str = "0100007F") -> str:
    return f"   0: {address}:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid:5} 0 1\n"


class TestWithoutTheApi:
    def test_the_files_of_a_real_kubelet_name_what_runs_and_what_failed(self, tmp_path: Path) -> None:
        cgroups, links, _ = lay_out(tmp_path)
        found = pod_files.to_workloads(pod_files.starts(str(links)), [str(cgroups)])
        crash = found.pop(CRASH)
        assert (crash.name, crash.project) == ("crash-lab-node/looper", "default/crash-lab-node")
        assert (crash.state, crash.restarts) == (State.RESTARTING, 3)
        assert {workload.name for workload in found.values()} == {
            *("web-lab-node/nginx", "web-lab-node/sidecar", "db-lab-node/postgres", "init-lab-node/app")
        }
        assert {identity.engine for identity in found} == {"containerd"}
        assert {workload.state for workload in found.values()} == {State.UNKNOWN}  # the kernel knows

    def test_a_pod_that_has_ended_has_no_row(self, tmp_path: Path) -> None:
        _, links, _ = lay_out(tmp_path)
        assert pod_files.to_workloads(pod_files.starts(str(links)), [str(tmp_path / "none")]) == {}

    def test_the_systemd_drivers_folders_are_found(self, tmp_path: Path) -> None:
        uid, identity = "2fa6ea7b-98b2-4aaa-9a45-8c2a1b5d0003", "f" * 64
        folder = f"kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{uid.replace('-', '_')}.slice"
        (tmp_path / "c" / folder / f"crio-{identity}.scope").mkdir(parents=True)
        (tmp_path / f"web_shop_nginx-{identity}.log").symlink_to(f"/var/log/pods/shop_web_{uid}/nginx/7.log")
        found = pod_files.to_workloads(pod_files.starts(str(tmp_path)), [str(tmp_path / "c")])
        assert found[WorkloadId("cri-o", identity)].restarts == 7

    def test_links_of_another_form_are_left_out(self, tmp_path: Path) -> None:
        (tmp_path / "a.log").symlink_to("/var/log/pods/x")
        (tmp_path / "b.log").symlink_to("/var/log/pods/a_b_c/d/1.log/../../e")
        (tmp_path / "c.log").write_text("")
        assert pod_files.starts(str(tmp_path)) == []

    def test_a_host_without_a_kubelet_has_none(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("collectors.engines.kubernetes.source._PLACES", (str(tmp_path / "none"),))
        with pytest.raises(SourceAbsent, match="runs no kubelet"):
            KubernetesSource(links=str(tmp_path / "none")).open(lambda: None)


class TestWithTheApi:
    def test_all_containers_are_listed_and_a_restart_is_an_event(self, fake: Fake) -> None:
        answer = captured("pods")
        fake.body = json.dumps(answer).encode()
        source = KubernetesSource(url(fake))
        source.open(lambda: None)
        reading = source.read()
        assert (len(reading.workloads), reading.detail, reading.events) == (5, "4 pods on lab-node", ())
        assert reading.workloads[CRASH].state is State.RESTARTING
        for pod in answer["items"]:
            for status in pod["status"]["containerStatuses"]:
                status["restartCount"] += status["name"] == "looper"
        fake.body = json.dumps(answer).encode()
        (event,) = source.read().events
        assert (event.what, event.detail, event.name) == ("restart", "exit code 3", "crash-lab-node/looper")

    @pytest.mark.parametrize(("status", "error"), [(401, AccessDenied), (403, AccessDenied), (500, SourceDown)])
    def test_a_refusal_is_told_from_a_failure(self, fake: Fake, status: int, error: type[Exception]) -> None:
        fake.status = status
        with pytest.raises(error, match=f"HTTP {status}"):
            Kubelet(fake.server_port).get("/pods")

    def test_an_answer_that_is_not_json_is_a_failure(self, fake: Fake) -> None:
        fake.body = b"<html>"
        with pytest.raises(SourceDown, match="not JSON"):
            Kubelet(fake.server_port).get("/pods")

    def test_another_host_is_refused(self) -> None:
        with pytest.raises(SourceAbsent, match="not a kubelet of this host"):
            find("https://192.0.2.1:10250")

    def test_nothing_is_sent_where_nobody_listens(self, fake: Fake) -> None:
        assert is_listening(fake.server_port)
        address = url(fake)
        fake.shutdown()
        fake.server_close()
        with pytest.raises(SourceDown, match="neither root nor this user listens"):
            find(address)


class TestDescription:
    def test_a_pods_variables_are_masked_and_kubectls_copy_of_it_is_left_out(self, fake: Fake) -> None:
        answer = captured("pods")
        pod = next(pod for pod in answer["items"] if pod["metadata"]["name"] == "db-lab-node")
        pod["spec"]["containers"][0]["env"] = [{"name": "DB_PASSWORD", "value": "hunter2"}]
        copy = "kubectl.kubernetes.io/last-applied-configuration"
        pod["metadata"]["annotations"][copy] = json.dumps(pod["spec"])
        fake.body = json.dumps(answer).encode()
        workload = Workload(
            WorkloadId("kubernetes", f"{pod['metadata']['uid']}/postgres"), Kind.CONTAINER, "x/postgres"
        )
        raw = PodDetails(url(fake)).raw(workload)
        assert raw is not None
        assert "DB_PASSWORD" in raw.text
        assert "hunter2" not in raw.text


class TestWhoListens:
    @pytest.fixture
    def net(self, tmp_path: Path) -> Path:
        (tmp_path / "net").mkdir()
        return tmp_path / "net"

    def test_a_port_of_root_is_trusted(self, net: Path) -> None:
        (net / "tcp").write_text(HEADER + row(22, 0) + row(10250, 0))
        assert is_listening(10250, str(net.parent))
        assert not is_listening(10255, str(net.parent))

    def test_a_port_of_another_user_is_not(self, net: Path) -> None:
        (net / "tcp").write_text(HEADER + row(10250, os.geteuid() + 4711))
        assert not is_listening(10250, str(net.parent))

    def test_a_port_that_another_user_shares_is_not(self, net: Path) -> None:
        (net / "tcp").write_text(HEADER + row(10250, 0))
        (net / "tcp6").write_text(HEADER + row(10250, os.geteuid() + 4711, address="0" * 32))
        assert not is_listening(10250, str(net.parent))

    def test_a_connection_is_no_listener(self, net: Path) -> None:
        (net / "tcp").write_text(HEADER + row(10250, 0, state="01"))
        assert not is_listening(10250, str(net.parent))

    def test_the_secure_port_is_not_asked_without_anything_that_it_accepts(
        self, net: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kubelet_api, "_CERTIFICATES", ())
        monkeypatch.setattr(kubelet_api, "_TOKEN", "/nowhere")
        (net / "tcp").write_text(HEADER + row(10250, 0))
        assert find(None, str(net.parent)) is None
        (net / "tcp").write_text(HEADER + row(10250, 0) + row(10255, 0))
        assert find(None, str(net.parent)) == Kubelet(10255)

    def test_the_secure_port_is_asked_with_a_certificate_that_may_be_read(
        self, net: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        pair = (str(tmp_path / "crt"), str(tmp_path / "key"))
        for path in pair:
            Path(path).touch()
        monkeypatch.setattr(kubelet_api, "_CERTIFICATES", (("/nowhere", "/nowhere"), pair))
        (net / "tcp").write_text(HEADER + row(10250, 0))
        assert find(None, str(net.parent)) == Kubelet(10250, True, pair)
