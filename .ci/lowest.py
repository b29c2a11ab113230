"""Prints pip constraints that pin each dependency in pyproject.toml, and those of engines, to its lower bound."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
extras = project["optional-dependencies"]
for requirement in [*project["dependencies"], *extras["libvirt"], *extras["vsphere"]]:
    bound = re.match(r"([\w-]+)>=([\d.]+)", requirement)
    if bound is None:
        raise SystemExit(f"no lower bound: {requirement}")
    print(f"{bound[1]}=={bound[2]}")
