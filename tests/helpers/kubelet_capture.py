"""What a real kubelet left: its answers, the cgroups and links it made, and its containers' bundles.

Captured from the kubelet 1.20.2 and containerd 1.6.20 of `make lab`, with four static pods of which one fails.
"""

import json
from pathlib import Path
from typing import Any

from tests.helpers.checkout import ROOT

_FOLDER = ROOT / "tests" / "fixtures" / "kubelet"


def captured(name: str) -> Any:
    """Return a captured document: `pods`, `summary`, `bundles` or `left`."""
    return json.loads((_FOLDER / f"{name}.json").read_text())


def lay_out(folder: Path) -> tuple[Path, Path, Path]:
    """Make the captured cgroups, links and folders of logs below a folder; return the three places."""
    left = captured("left")
    cgroups, links, pods = folder / "cgroups", folder / "containers", folder / "pods"
    for place in (cgroups, links, pods):
        place.mkdir()
    for path in left["cgroups"]:
        (cgroups / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    for name, target in left["links"].items():
        (links / name).symlink_to(target)
    for name in left["pods"]:
        (pods / name).mkdir()
    return cgroups, links, pods
