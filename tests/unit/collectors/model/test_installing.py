"""The advice how to install a package fits the way in which vmtop is installed."""

from __future__ import annotations

import sys

from collectors.model.installing import install_command


def test_advice_fits_the_installation() -> None:
    assert install_command("pyarrow", "/home/me/.local/share/pipx/venvs/vmtop") == "pipx inject vmtop pyarrow"
    assert install_command("pyarrow", "/home/me/.local/share/uv/tools/vmtop") == "uv tool install --with pyarrow vmtop"
    here = install_command("pyarrow", "/opt/vmtop", "/opt/my vmtop/bin/python")
    assert here.startswith("'/opt/my vmtop/bin/python' -m ")
    assert here.endswith("pip install pyarrow")
    system = install_command("pyarrow", sys.base_prefix, "/usr/bin/python3")
    assert system.startswith("/usr/bin/python3 -m pip install") or "ensurepip" in system
