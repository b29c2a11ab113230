"""How to install a Python package into the environment that this vmtop runs in."""

from __future__ import annotations

import shlex
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path


def carries_its_python() -> bool:
    """Return whether this vmtop is a program with a Python of its own (PyInstaller), to which nothing can be added."""
    return bool(getattr(sys, "frozen", False))


def install_command(package: str, prefix: str = sys.prefix, executable: str = sys.executable) -> str:
    """Return the command that adds a package to vmtop, by the way in which vmtop was installed.

    Args:
        package: Name of the package.
        prefix: Root of the environment.
        executable: The environment's Python.
    """
    if carries_its_python():
        return f"this program carries its own Python: install vmtop with pipx, and then {package} (docs/install.md)"
    parts = Path(prefix).parts
    if "pipx" in parts:
        return f"pipx inject {shlex.quote(parts[-1])} {package}"
    if parts[-3:-1] == ("uv", "tools"):
        return f"uv tool install --with {package} {shlex.quote(parts[-1])}"
    python = shlex.quote(executable)
    if prefix == sys.base_prefix and (Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED").exists():
        return f"{python} -m pip install --user --break-system-packages {package}"
    if find_spec("pip") is None:
        return f"{python} -m ensurepip && {python} -m pip install {package}"
    return f"{python} -m pip install {package}"
