"""`.ci/setup` where something cannot be fetched: one sentence with the true reason, and no waiting."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.checkout import ROOT

PYTHON = f"""#!/bin/sh
case "$2" in
    *ensurepip*) exit 1 ;;
    *sys.executable*) echo "$0"; exit ;;
esac
exec {sys.executable} "$@"
"""
APT = """#!/bin/sh
echo "$*" >>"{folder}/calls"
case "$*" in
    indextargets*) echo "{mirror}" ;;
    *update*) cat "{folder}/update" 2>/dev/null; exit 0 ;;
    *install*) echo "E: Package 'python3-venv' has no installation candidate"; exit 100 ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with programs of the test's own in `bin`: a Python without venv, and no proxy."""
    (tmp_path / ".ci").mkdir()
    for name in (".ci/setup", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for name, text in {
        "python-lab": PYTHON,
        "apt-config": "#!/bin/sh\n",
        "sudo": '#!/bin/sh\nshift\nexec "$@"\n',
    }.items():
        program(tmp_path, name, text)
    return tmp_path


def program(checkout: Path, name: str, text: str) -> None:
    path = checkout / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


def run_setup(checkout: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"PATH": f"{checkout}/bin:/usr/bin:/bin", "PYTHON": f"{checkout}/bin/python-lab", "LC_ALL": "C"}
    command = [f"{checkout}/.ci/setup", "run"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)


def test_without_a_network_the_mirror_is_named_and_nothing_is_waited_for(checkout: Path) -> None:
    program(checkout, "apt-get", APT.format(folder=checkout, mirror="http://mirror.invalid/debian"))
    done = run_setup(checkout)
    assert done.returncode == 1
    assert "no network for apt-get: mirror.invalid cannot be reached: " in done.stderr
    assert done.stderr.count("\n") == 1
    assert (checkout / "calls").read_text().splitlines() == ["indextargets --format $(SITE)"]


def test_what_the_update_complained_of_is_shown_where_the_installation_fails(checkout: Path) -> None:
    program(checkout, "apt-get", APT.format(folder=checkout, mirror="file:/srv/debian"))
    (checkout / "update").write_text(
        "Hit:1 x\nW: Failed to fetch http://m/InRelease  Temporary failure resolving 'm'\n"
    )
    done = run_setup(checkout)
    assert done.returncode == 1
    assert "W: Failed to fetch http://m/InRelease  Temporary failure resolving 'm'" in done.stderr
    assert "Hit:1" not in done.stderr
    assert "no installation candidate" in done.stderr
    assert "as_root" not in done.stderr
    failed = next(line for line in done.stderr.splitlines() if "failed (100): " in line)
    assert shutil.which(failed.partition("failed (100): ")[2].split()[0]), "a command that can be typed"


def test_without_a_network_the_index_of_pip_is_named(checkout: Path) -> None:
    program(checkout, "python-lab", PYTHON.replace("*ensurepip*) exit 1 ;;", ""))
    pip = checkout / ".venv" / "bin" / "python"
    pip.parent.mkdir(parents=True)
    pip.write_text(
        '#!/bin/sh\ncase "$*" in\n'
        '    *"pip config list"*) echo "global.index-url=\'https://me:secret@index.invalid:8443/simple\'" ;;\n'
        f'    *"pip install"*) touch {checkout}/installed ;;\nesac\n'
    )
    pip.chmod(0o755)
    (checkout / ".venv" / "stamp-place").write_text(f"{checkout}\n")
    done = run_setup(checkout)
    assert done.returncode == 1
    assert "no network for pip: index.invalid cannot be reached: " in done.stderr
    assert "secret" not in done.stderr
    assert not (checkout / "installed").exists()
