"""What `vmtop serve` and `vmtop textfile` write, read by Prometheus, VictoriaMetrics, promtool and node_exporter."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.helpers.certificates import make_certificate
from tests.helpers.lab.docker_engine import DockerLab
from tests.helpers.lab.metric_engines import ENGINES, PROMETHEUS, free_port, metric_engine
from tests.helpers.lab.process import Daemon, find_program, wait_until
from tests.unit.collectors.exposition.web.test_configuration import BCRYPT

pytestmark = pytest.mark.lab
VMTOP = str(Path(sys.executable).with_name("vmtop"))
DOCS = Path(__file__).parents[2] / "docs"


def _answers(port: int, path: str = "/healthz") -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except OSError:
            return False


@contextmanager
def serving(lab: DockerLab, folder: Path, *arguments: str) -> Iterator[int]:
    """Run `vmtop serve` for the lab's engine; yield its port."""
    port = free_port()
    daemon = Daemon([VMTOP, "serve", "--listen", f"127.0.0.1:{port}", "--docker", lab.url, *arguments], folder / "log")
    try:
        daemon.wait_until(lambda: _answers(port), 30, "vmtop serve")
        yield port
    finally:
        daemon.stop()


@pytest.fixture(scope="module")
def worker(docker_lab: DockerLab) -> Iterator[str]:
    """A container that is busy, with a label of Compose; its id."""
    container = docker_lab.run(
        "served", "while :; do :; done", {"com.docker.compose.project": "shop", "tier": 'a"\\b'}, nano_cpus=200_000_000
    )
    yield container
    docker_lab.remove(container)


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_scrapes_counters_whose_rate_is_the_quota(
    docker_lab: DockerLab, worker: str, tmp_path: Path, name: str
) -> None:
    with (
        serving(docker_lab, tmp_path, "--label", "project", "--label", "tier") as port,
        metric_engine(name, tmp_path / "engine", {"hv01": f"127.0.0.1:{port}"}) as engine,
    ):
        chosen = f'{{instance="hv01",name="served",id="{worker[:12]}"}}'
        (info,) = engine.wait_for(f"vmtop_workload_info{chosen}")
        assert info["metric"]["full_id"] == worker
        assert info["metric"]["project"] == "shop"
        assert info["metric"]["label_tier"] == 'a"\\b'
        assert engine.value('up{instance="hv01"}') == 1
        # A container with a fifth of a core, by its own counter over several scrapes.
        wait_until(
            lambda: (engine.value(f"count_over_time(vmtop_cpu_seconds_total{chosen}[1m])") or 0) > 4, 30, "scrapes"
        )
        rate = engine.value(f"rate(vmtop_cpu_seconds_total{chosen}[4s])")
        assert rate is not None
        assert 0.02 < rate < 0.3
        if name == PROMETHEUS:
            status, body = engine.request("/api/v1/targets/metadata", {"metric": "vmtop_cpu_seconds_total"})
            assert status == 200
            described = (
                json.loads(body)["data"]
                or json.loads(engine.request("/api/v1/targets/metadata", {"metric": "vmtop_cpu_seconds"})[1])["data"]
            )
            assert described[0]["type"] == "counter"


def test_prometheus_scrapes_with_tls_and_a_password_as_from_any_exporter(docker_lab: DockerLab, tmp_path: Path) -> None:
    certificate, web = make_certificate(tmp_path), tmp_path / "web.yml"
    web.write_text(
        f"tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\nbasic_auth_users:\n  ann: {BCRYPT}\n"
    )
    subprocess.run([find_program("promtool"), "check", "web-config", web], check=True, capture_output=True)
    port = free_port()
    daemon = Daemon(
        [VMTOP, "serve", "--listen", f"127.0.0.1:{port}", "--docker", docker_lab.url, "--web-config", str(web)],
        tmp_path / "log",
    )
    config = tmp_path / "prometheus.yml"
    config.write_text(json.dumps({"scrape_configs": [{
        "job_name": "vmtop", "scheme": "https", "scrape_interval": "1s", "scrape_timeout": "1s",
        "tls_config": {"ca_file": str(certificate)}, "basic_auth": {"username": "ann", "password": "U*U*"},
        "static_configs": [{"targets": [f"127.0.0.1:{port}"]}],
    }]}))  # fmt: skip
    try:
        daemon.wait_until(lambda: b"serving https://" in (tmp_path / "log").read_bytes(), 30, "vmtop serve")
        context = ssl.create_default_context(cafile=str(certificate))
        with closing(http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)) as connection:
            connection.request("GET", "/metrics")
            assert connection.getresponse().status == 401
        with metric_engine(PROMETHEUS, tmp_path / "engine") as engine:
            (tmp_path / "engine" / "config.yml").write_text(config.read_text())
            _reload(engine.daemon.pid)
            engine.wait_for("vmtop_build_info")
            assert engine.value("up") == 1
    finally:
        daemon.stop()
    assert "U*U*" not in (tmp_path / "log").read_text()
    assert base64.b64encode(b"ann:U*U*").decode() not in (tmp_path / "log").read_text()


def _reload(pid: int) -> None:
    subprocess.run(["kill", "-HUP", str(pid)], check=True)


def test_promtool_finds_nothing_to_complain_of(docker_lab: DockerLab, worker: str, tmp_path: Path) -> None:
    subprocess.run([VMTOP, "textfile", tmp_path, "--once", "--docker", docker_lab.url], check=True)
    with (tmp_path / "vmtop.prom").open("rb") as text:
        done = subprocess.run(
            [find_program("promtool"), "check", "metrics"], stdin=text, capture_output=True, text=True
        )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert f'full_id="{worker}"' in (tmp_path / "vmtop.prom").read_text()


def test_node_exporter_takes_the_text_file(docker_lab: DockerLab, worker: str, tmp_path: Path) -> None:
    folder, port = tmp_path / "texts", free_port()
    folder.mkdir()
    subprocess.run([VMTOP, "textfile", folder, "--once", "--docker", docker_lab.url], check=True)
    daemon = Daemon(
        [find_program("prometheus-node-exporter"), "--collector.disable-defaults", "--collector.textfile",
         f"--collector.textfile.directory={folder}", f"--web.listen-address=127.0.0.1:{port}"],
        tmp_path / "log",
    )  # fmt: skip
    try:
        daemon.wait_until(lambda: _answers(port, "/metrics"), 30, "node_exporter")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
    finally:
        daemon.stop()
    assert "node_textfile_scrape_error 0" in text
    assert "# TYPE vmtop_cpu_seconds_total counter" in text
    assert f'id="{worker[:12]}"' in text


def test_a_socket_of_systemd_starts_it_at_the_first_scrape(docker_lab: DockerLab, tmp_path: Path) -> None:
    port = free_port()
    daemon = Daemon(
        [find_program("systemd-socket-activate"), "-l", f"127.0.0.1:{port}", "-E", "PATH",
         VMTOP, "serve", "--docker", docker_lab.url],
        tmp_path / "log",
    )  # fmt: skip
    try:
        daemon.wait_until(lambda: _answers(port, "/metrics"), 30, "the first scrape")
    finally:
        daemon.stop()
    assert f"serving http://127.0.0.1:{port}/metrics" in (tmp_path / "log").read_text()


def test_systemd_understands_the_units(tmp_path: Path) -> None:
    for unit in DOCS.glob("vmtop-*.s*"):
        text = unit.read_text().replace("/usr/local/bin/vmtop", VMTOP)
        (tmp_path / unit.name).write_text(text)
    units = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run(
        [find_program("systemd-analyze"), "verify", "--man=no", *units], capture_output=True, text=True
    )
    ours = [line for line in done.stderr.splitlines() if "vmtop" in line]
    assert (len(units), ours) == (4, [])
