"""Prints pip constraints that pin each dependency in pyproject.toml, and libvirt's binding, to its lower bound."""

import re
import tomllib
from pathlib import Path

project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
for requirement in [*project["dependencies"], *project["optional-dependencies"]["libvirt"]]:
    bound = re.match(r"([\w-]+)>=([\d.]+)", requirement)
    if bound is None:
        raise SystemExit(f"no lower bound: {requirement}")
    print(f"{bound[1]}=={bound[2]}")
