"""The Debian package: installed without any Python, used, updated over data of 0.1.0, removed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.dist.conftest import artefact, shows_the_demo
from tests.helpers.checkout import FIXTURES
from tests.helpers.fresh_root import RELEASES, FreshRoot

pytestmark = [pytest.mark.dist, pytest.mark.parametrize("release", RELEASES)]
_DEB = "/root/vmtop.deb"
_KEPT_BY_DPKG = ("/var/lib/dpkg/", "/var/log/", "/var/cache/", "/var/lib/apt/", "/root/vmtop", "/var/lib/systemd/")
"""What dpkg and apt write of every package, and the packages themselves."""


def installed(new_root: Callable[[str], FreshRoot], release: str, note: Callable[[str, object], None]) -> FreshRoot:
    """Return a fresh system on which the package was installed."""
    root, package = new_root(release), artefact("vmtop_*.deb")
    note("artefact", package.name)
    note("system", release)
    root.put(package, _DEB)
    root.run("dpkg", "-i", _DEB)
    return root


def test_it_lists_checks_and_shows_without_a_python(
    release: str, new_root: Callable[[str], FreshRoot], record_property: Callable[[str, object], None]
) -> None:
    root = installed(new_root, release, record_property)
    root.run("sh", "-c", "command -v python3", codes=(1, 127))
    assert json.loads(root.run("vmtop", "list", "--json", "--wait", "5"))["schema"]
    report = root.run("vmtop", "doctor", codes=(0, 1))
    assert "its own" in report
    assert "ok       cgroup" in report
    shows_the_demo(root.command("vmtop", "demo"))


def test_libvirt_is_asked_once_the_host_has_its_library(
    release: str, new_root: Callable[[str], FreshRoot], record_property: Callable[[str, object], None]
) -> None:
    root = installed(new_root, release, record_property)
    asked = ("--libvirt", "test:///default")
    report = root.run("vmtop", "doctor", *asked, codes=(0, 1))
    assert "this host has no libvirt.so.0" in report
    assert "libvirt0" in report
    root.run("apt-get", "-q", "update")
    root.run("apt-get", "-q", "install", "-y", "--no-install-recommends", "libvirt0")
    assert "test" in root.run("vmtop", "list", "--quiet", "--only", "vm", *asked).split()


def test_manual_pages_completions_and_units_are_where_they_are_looked_for(
    release: str, new_root: Callable[[str], FreshRoot], record_property: Callable[[str, object], None]
) -> None:
    root = installed(new_root, release, record_property)
    listed = set(root.run("dpkg", "-L", "vmtop").split("\n"))
    assert {
        "/usr/share/man/man1/vmtop.1.gz",
        "/usr/share/man/man1/vmtop-list.1.gz",
        "/usr/share/bash-completion/completions/vmtop",
        "/usr/share/zsh/vendor-completions/_vmtop",
        "/usr/share/fish/vendor_completions.d/vmtop.fish",
        "/usr/lib/systemd/system/vmtop-record.service",
        "/usr/share/doc/vmtop/config.toml",
    } <= listed
    script = ". /usr/share/bash-completion/completions/vmtop; COMP_WORDS=(vmtop rec) COMP_CWORD=1; _vmtop_completion vmtop"
    assert "record" in root.run("bash", "-c", f"{script}; echo ${{COMPREPLY[@]}}").split()
    unit = root.run("cat", "/usr/lib/systemd/system/vmtop-record.service")
    assert "ExecStart=/usr/bin/vmtop record" in unit


def test_an_update_keeps_recordings_and_settings_of_0_1_0(
    release: str,
    new_root: Callable[[str], FreshRoot],
    record_property: Callable[[str, object], None],
    tmp_path: Path,
) -> None:
    root, package = new_root(release), artefact("vmtop_*.deb")
    record_property("artefact", package.name)
    record_property("system", release)
    root.put(_as_version(package, "0.1.0-1", tmp_path), "/root/vmtop-old.deb")
    root.put(package, _DEB)
    root.run("dpkg", "-i", "/root/vmtop-old.deb")
    root.put(FIXTURES / "0.1.0.vmtop.gz", "/var/lib/vmtop/host.vmtop.gz")
    settings = tmp_path / "config.toml"
    settings.write_text('[screen]\nsort = "mem"\n')
    root.put(settings, "/root/.config/vmtop/config.toml")
    root.run("dpkg", "-i", _DEB)
    assert "0.1.0-1" not in root.run("dpkg-query", "-W", "vmtop")
    expected = json.loads((FIXTURES / "0.1.0.json").read_text())
    summary = json.loads(root.run("vmtop", "info", "--json", "/var/lib/vmtop/host.vmtop.gz"))
    assert summary["frames"] == expected["frames"]
    assert 'sort = "mem"' in root.run("vmtop", "config")
    assert root.run("vmtop", "export", "/var/lib/vmtop/host.vmtop.gz").count("\n") > expected["frames"]


def test_removed_it_keeps_recordings_and_purged_it_leaves_nothing(
    release: str, new_root: Callable[[str], FreshRoot], record_property: Callable[[str, object], None]
) -> None:
    root = installed(new_root, release, record_property)
    root.put(FIXTURES / "0.1.0.vmtop.gz", "/var/lib/vmtop/host.vmtop.gz")
    root.run("vmtop", "list")
    root.run("dpkg", "--remove", "vmtop")
    root.run("sh", "-c", "command -v vmtop", codes=(1, 127))
    assert "/var/lib/vmtop/host.vmtop.gz" in root.changed()
    root.run("dpkg", "--purge", "vmtop")
    assert {path for path in root.changed() if not path.startswith(_KEPT_BY_DPKG)} == set()
    assert not [path for path in root.changed() if path.startswith("/var/lib/dpkg/info/vmtop")]


def _as_version(package: Path, version: str, folder: Path) -> Path:
    """Return the package under another version: the oldest that a host may have."""
    tree, old = folder / "tree", folder / "old.deb"
    subprocess.run(["dpkg-deb", "-R", package, tree], check=True)
    control = (tree / "DEBIAN/control").read_text().splitlines(keepends=True)
    lines = [f"Version: {version}\n" if line.startswith("Version:") else line for line in control]
    (tree / "DEBIAN/control").write_text("".join(lines))
    subprocess.run(["dpkg-deb", "-Znone", "-b", tree, old], check=True, stdout=subprocess.DEVNULL)
    return old
