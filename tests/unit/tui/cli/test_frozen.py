"""vmtop as a program that carries its own Python: what it starts, what it says, and what it cannot do."""

from __future__ import annotations

import os
import sys

import pytest

from collectors.engines.libvirt.quiet_import import load_libvirt
from collectors.fleet.bundle import build
from collectors.model.errors import SourceAbsent, SourceError
from collectors.model.installing import install_command
from tui.cli.frozen import restore_library_path
from tui.presenters.reports.doctor import facts


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let vmtop believe that it carries its own Python."""
    monkeypatch.setattr(sys, "frozen", True, raising=False)


@pytest.mark.parametrize("original", ["/opt/lib", "", None])
def test_programs_that_it_starts_have_the_library_path_that_it_was_started_with(
    original: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_LIBRARY_PATH", "/tmp/_MEI1")  # noqa: S108  # nothing is made there
    if original is None:
        monkeypatch.delenv("LD_LIBRARY_PATH_ORIG", raising=False)
    else:
        monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", original)
    restore_library_path()
    assert os.environ.get("LD_LIBRARY_PATH") == (original or None)
    assert "LD_LIBRARY_PATH_ORIG" not in os.environ


def _without_libvirt(monkeypatch: pytest.MonkeyPatch, message: str) -> SourceAbsent:
    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "libvirt":
                raise ImportError(message)

    monkeypatch.delitem(sys.modules, "libvirt", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(SourceAbsent) as caught:
        load_libvirt()
    return caught.value


def test_without_the_bindings_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    error = _without_libvirt(monkeypatch, "No module named 'libvirt'")
    assert error.reason == "the libvirt bindings are not installed"
    assert "libvirt-python" in error.remedy


@pytest.mark.usefixtures("frozen")
def test_without_the_hosts_library_that_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = "libvirt.so.0: cannot open shared object file: No such file or directory"
    error = _without_libvirt(monkeypatch, missing)
    assert "this host has no libvirt.so.0" in error.reason
    assert "apt-get install libvirt0" in error.remedy


@pytest.mark.usefixtures("frozen")
def test_a_library_that_is_too_old_is_told_with_the_linkers_words(monkeypatch: pytest.MonkeyPatch) -> None:
    words = "libvirt.so.0: version `LIBVIRT_9.0.0' not found"
    error = _without_libvirt(monkeypatch, f"{words}\x1b[2J")
    assert words in error.reason
    assert "\x1b" not in error.reason
    assert "pipx" in error.remedy


@pytest.mark.usefixtures("frozen")
def test_it_does_not_offer_what_needs_a_python_of_the_host() -> None:
    assert "carries its own Python" in install_command("pyarrow")
    with pytest.raises(SourceError, match="carries its own Python") as caught:
        build()
    assert "scp" in caught.value.remedy
    assert facts()["python"].endswith(", its own")
