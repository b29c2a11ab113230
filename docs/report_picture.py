"""Draws docs/pictures/report.png: the report of made-up workloads in Debian's Chromium.

Run it as root, for the browser gets a network of its own: `python -m docs.report_picture`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from msgspec.structs import replace

from collectors.model.workloads import Event, Frame
from tests.helpers.host_recordings import host_frames, record
from tests.helpers.lab.browser import Page, chromium
from tui.cli.main import main as vmtop

_SECONDS = 900
_WIDTH, _HEIGHT = 1000, 900


def frames() -> list[Frame]:
    """Return a recording in which a container comes near its limit after a deployment, and is killed."""
    made = [replace(frame, events=()) for frame in host_frames("hv01", _SECONDS, workloads=14, seed=3)]
    web = next(identity for identity, workload in made[0].workloads.items() if workload.name.endswith("web-1"))
    name, host = made[0].workloads[web].name, made[0].host
    for at, identity, what, detail, of in (
        (200, host.id, "note", "deploy of 2.4", host.name),
        (420, web, "alert", "critical: near-limit: memory is at 97 % of its limit", name),
        (480, web, "oom", "killed by the kernel", name),
        (483, web, "start", "", name),
        (490, web, "alert over", "near-limit: over", name),
    ):
        frame = made[at]
        made[at] = replace(frame, events=(*frame.events, Event(frame.wall, identity, what, detail, of)))
    return made


def main() -> None:
    """Record, report, and draw the top of the page."""
    target = Path(__file__).parent / "pictures" / "report.png"
    with tempfile.TemporaryDirectory() as name, chromium(Path(name)) as browser:
        path, page = record(Path(name) / "night.vmtop.gz", frames()), Path(name) / "night.html"
        vmtop(["report", str(path), "-o", str(page)], standalone_mode=False)
        target.write_bytes(Page(browser, page.as_uri(), _WIDTH, height=_HEIGHT).screenshot())


if __name__ == "__main__":
    main()
