"""A `vmtop serve` of the test run's own, on loopback."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.lab.metric_engines import free_port
from tests.helpers.lab.process import Daemon, made_anew
from tests.helpers.patience import EXTERNAL_S


class Served:
    """A running `vmtop serve`."""

    def __init__(self, address: str, daemon: Daemon) -> None:
        self.address = address
        """`127.0.0.1:PORT`, as a scrape target."""
        self.daemon = daemon

    def text(self) -> str:
        """Return what a scrape gets, in Prometheus' text format."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=EXTERNAL_S) as answer:
            return str(answer.read().decode())


@contextmanager
def served(folder: Path, *options: str) -> Iterator[Served]:
    """Run `vmtop serve` with more options, its state in a folder that is made."""
    made_anew(folder)
    address = f"127.0.0.1:{free_port()}"
    words = [sys.executable, "-c", "from tui.cli.main import main; main(prog_name='vmtop')", "serve"]
    state = {"XDG_STATE_HOME": str(folder / "state")}
    daemon = Daemon([*words, "--listen", address, *options], folder / "log", state)
    try:
        daemon.wait_until(lambda: f"http://{address}/metrics" in daemon.log_tail(), 30, "vmtop serve")
        yield Served(address, daemon)
    finally:
        daemon.stop()
