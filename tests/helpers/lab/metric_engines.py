"""Prometheus and VictoriaMetrics of the test run's own, on loopback, that scrape what a test tells them to."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.helpers.lab.process import Daemon, find_program, made_anew
from tests.helpers.patience import EXTERNAL_S

PROMETHEUS = "prometheus"
VICTORIA_METRICS = "victoria-metrics"
ENGINES = (PROMETHEUS, VICTORIA_METRICS)
_UNSEEN_S = 4.0
"""What VictoriaMetrics is asked for before it has it, it does not find for another ten seconds."""


def free_port() -> int:
    """Return a port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class MetricEngine:
    """A running engine, with the part of its HTTP API that both kinds have."""

    def __init__(self, name: str, port: int, daemon: Daemon, targets: Path) -> None:
        self.name = name
        self.port = port
        self.daemon = daemon
        self._targets = targets

    @property
    def url(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def scrape(self, targets: Mapping[str, str]) -> None:
        """Replace its targets: for each name that `instance` gets, an address `host:port`, with a path or without."""
        self._targets.write_text(json.dumps(_targets(targets)))

    def request(self, path: str, parameters: Mapping[str, str], body: bytes | None = None) -> tuple[int, bytes]:
        """Send one request, with a body as POST; return the status and the answer."""
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=EXTERNAL_S)
        try:
            client.request("GET" if body is None else "POST", f"{path}?{urlencode(parameters)}", body)
            answer = client.getresponse()
            return answer.status, answer.read()
        finally:
            client.close()

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """Return the series of an instant query, of now or of a wall time in seconds.

        Raises:
            AssertionError: The engine refuses the query; the text has its reason.
        """
        return self._result("/api/v1/query", query=expression, **({} if at is None else {"time": f"{at:.3f}"}))

    def query_range(self, expression: str, start: float, end: float, step_s: float) -> list[dict[str, Any]]:
        """Return the series of a query over a range of wall times in seconds."""
        return self._result(
            "/api/v1/query_range", query=expression, start=f"{start:.3f}", end=f"{end:.3f}", step=f"{step_s:g}s"
        )

    def value(self, expression: str, at: float | None = None) -> float | None:
        """Return the value of a query that has one series; `None` where it has none."""
        series = self.query(expression, at)
        assert len(series) <= 1, f"{len(series)} series of {expression}"
        return float(series[0]["value"][1]) if series else None

    def wait_for(self, expression: str, count: int = 1, timeout_s: float = 30) -> list[dict[str, Any]]:
        """Wait until a query has at least `count` series, and return them."""
        series: list[dict[str, Any]] = []

        def arrived() -> bool:
            series[:] = self.query(expression)
            return len(series) >= count

        self.daemon.wait_until(arrived, timeout_s, f"{self.name}: {count} series of {expression}")
        return series

    def _result(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        status, answer = self.request(path, parameters)
        assert status == 200, f"{self.name} answers {status} to {parameters['query']}: {answer[:500]!r}"
        return list(json.loads(answer)["data"]["result"])


@contextmanager
def metric_engine(
    name: str,
    folder: Path,
    targets: Mapping[str, str] | None = None,
    *,
    interval_s: float = 1,
    evaluation_s: float | None = None,
    rules: Sequence[Path] = (),
    jobs: Mapping[str, Sequence[object]] | None = None,
    past: str = "",
    blocks: Path | None = None,
) -> Iterator[MetricEngine]:
    """Run one of `ENGINES`.

    Args:
        folder: Where its files are put; it is made.
        targets: What it scrapes, as `MetricEngine.scrape` takes it.
        interval_s: Time between two scrapes, at least 1 s for VictoriaMetrics.
        evaluation_s: Time between two evaluations of rules; that of scrapes by default.
        rules: Rule files; Prometheus evaluates them. Beside VictoriaMetrics, vmalert does (see `rule_evaluator`).
        jobs: For each job that scrapes all targets its rows of `metric_relabel_configs`; one without any by default.
        past: What it already has: OpenMetrics whose samples have a time in seconds.
        blocks: Prometheus already has the blocks in this folder.
    """
    program = find_program(name)
    made_anew(folder)
    if blocks is not None:
        shutil.copytree(blocks, folder / "data")
    if past and name == PROMETHEUS:
        _make_blocks(folder, past)
    targets_file = folder / "targets.json"
    targets_file.write_text(json.dumps(_targets(targets or {})))
    config = _configuration(name, targets_file, (interval_s, evaluation_s or interval_s), rules, jobs or {"vmtop": ()})
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    port = free_port()
    daemon = Daemon([program, *_OPTIONS[name](folder, port)], folder / "log")
    engine = MetricEngine(name, port, daemon, targets_file)
    try:
        daemon.wait_until(lambda: _is_ready(engine), 30, name)
        if past and name == VICTORIA_METRICS:
            status, answer = engine.request("/api/v1/import/prometheus", {}, past.encode())
            assert status == 204, answer
        if targets and name == VICTORIA_METRICS:
            time.sleep(_UNSEEN_S)
        yield engine
    finally:
        daemon.stop()


@contextmanager
def rule_evaluator(
    folder: Path, engine: MetricEngine, rules: Sequence[Path], evaluation_s: float = 1
) -> Iterator[Daemon]:
    """Run vmalert, which evaluates rules in a VictoriaMetrics and writes what it records into it."""
    made_anew(folder)
    port = free_port()
    daemon = Daemon(
        [
            find_program("vmalert"),
            *(f"-rule={path}" for path in rules),
            *(f"-datasource.url={engine.url}", f"-remoteWrite.url={engine.url}", f"-remoteRead.url={engine.url}"),
            *(
                f"-evaluationInterval={evaluation_s:g}s",
                f"-httpListenAddr=127.0.0.1:{port}",
                "-notifier.url=http://127.0.0.1:9",
            ),
        ],
        folder / "log",
    )
    try:
        time.sleep(_UNSEEN_S)
        yield daemon
    finally:
        daemon.stop()


def _targets(targets: Mapping[str, str]) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for name, place in targets.items():
        address, slash, path = place.partition("/")
        labels = {"instance": name, "__metrics_path__": slash + path if slash else "/metrics"}
        found.append({"targets": [address], "labels": labels})
    return found


def _configuration(
    name: str, targets: Path, seconds: tuple[float, float], rules: Sequence[Path], jobs: Mapping[str, Sequence[object]]
) -> dict[str, object]:
    interval, evaluation = (f"{span:g}s" for span in seconds)
    every = {"scrape_interval": interval, "scrape_timeout": interval}
    scraped = [
        {"job_name": job, "file_sd_configs": [{"files": [str(targets)]}], "metric_relabel_configs": list(rows)}
        for job, rows in jobs.items()
    ]
    if name == VICTORIA_METRICS:
        return {"global": every, "scrape_configs": scraped}
    return {
        "global": every | {"evaluation_interval": evaluation},
        "scrape_configs": scraped,
        "rule_files": [str(path) for path in rules],
    }


def _prometheus_options(folder: Path, port: int) -> list[str]:
    return [
        f"--config.file={folder}/config.yml",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
        "--storage.tsdb.retention.time=30d",
        "--log.level=warn",
        "--web.enable-admin-api",  # snapshots
    ]


def _victoria_options(folder: Path, port: int) -> list[str]:
    return [
        f"-promscrape.config={folder}/config.yml",
        f"-storageDataPath={folder}/data",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-promscrape.fileSDCheckInterval=1s",
        "-search.latencyOffset=0s",  # by default it hides the last 30 s of what it has
        "-search.disableCache",
        "-retentionPeriod=1y",
        "-memory.allowedPercent=5",
        "-loggerLevel=WARN",
    ]


_OPTIONS: dict[str, Callable[[Path, int], list[str]]] = {
    PROMETHEUS: _prometheus_options,
    VICTORIA_METRICS: _victoria_options,
}


def _make_blocks(folder: Path, past: str) -> None:
    (folder / "past").write_text(past)
    words = ["tsdb", "create-blocks-from", "openmetrics", str(folder / "past"), str(folder / "data")]
    subprocess.run([find_program("promtool"), *words], check=True, capture_output=True)


def _is_ready(engine: MetricEngine) -> bool:
    try:
        return engine.request("/-/ready" if engine.name == PROMETHEUS else "/health", {})[0] == 200
    except OSError:
        return False
