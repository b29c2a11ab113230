"""The units of `vmtop serve` and `vmtop textfile` under a real systemd, in a user-mode kernel, as they are shipped."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.helpers.lab.uml import UmlLab
from tests.helpers.lab.uml_systemd import run_under_systemd

pytestmark = pytest.mark.lab
DOCS = Path(__file__).parents[2] / "docs"
VMTOP = str(Path(sys.executable).with_name("vmtop"))
_ASK = """
import pathlib, subprocess, time, urllib.request
while subprocess.run(["systemctl", "is-active", "-q", "vmtop-serve.socket"]).returncode:
    time.sleep(0.2)
text = urllib.request.urlopen("http://127.0.0.1:9922/metrics", timeout=100).read().decode()
path = pathlib.Path("/run/lab/vmtop.prom")
deadline = time.monotonic() + 100
while not path.exists() and time.monotonic() < deadline:
    time.sleep(0.5)
for name, content in (("served", text), ("written", path.read_text())):
    lines = content.splitlines()
    print(name, sum(line.startswith("vmtop_cpu_seconds_total") for line in lines) > 0,
          next(line for line in lines if line.startswith("vmtop_source_up{source=\\"cgroup")))
for unit in ("vmtop-serve", "vmtop-textfile"):
    shown = subprocess.run(["systemctl", "show", unit, "-p", "ActiveState,NRestarts,LimitNOFILE,NoNewPrivileges"],
                           capture_output=True, text=True)
    print(unit, *sorted(shown.stdout.split()))
"""


def _unit(name: str) -> str:
    """Return a unit as it is shipped, but for where vmtop is, where texts go, and the target that starts it."""
    text = (DOCS / name).read_text()
    for shipped, here in (
        ("/usr/local/bin/vmtop", VMTOP),
        ("/var/lib/prometheus/node-exporter", "/run/lab"),
        ("WantedBy=sockets.target", "WantedBy=lab.target"),
        ("WantedBy=multi-user.target", "WantedBy=lab.target"),
        ("PrivateTmp=yes", "PrivateTmp=no"),  # the checkout may be there
    ):
        text = text.replace(shipped, here)
    return text


def test_the_units_as_they_are_shipped_serve_and_write(uml_lab: UmlLab) -> None:
    names = ("vmtop-serve.socket", "vmtop-serve.service", "vmtop-textfile.service")
    units = {name: _unit(name) for name in names}
    finished = run_under_systemd(
        uml_lab.folder / "serving", [sys.executable, "-c", _ASK], units, {"PYTHONDONTWRITEBYTECODE": "1"}, 240
    )
    limits = "ActiveState=active LimitNOFILE=524288 NRestarts=0 NoNewPrivileges=yes"
    assert finished.returncode == 0, finished.stdout
    assert finished.stdout.splitlines() == [
        'served True vmtop_source_up{source="cgroup"} 1',
        'written True vmtop_source_up{source="cgroup"} 1',
        f"vmtop-serve {limits}",
        f"vmtop-textfile {limits}",
    ]
