"""The names that a shell completes are those of the domains that the source lists."""

from __future__ import annotations

import subprocess
import sys

import pytest

from collectors.engines.libvirt import uri
from collectors.engines.libvirt.engine import LibvirtEngine
from collectors.engines.libvirt.source import LibvirtSource
from collectors.model.errors import SourceAbsent, SourceDown
from collectors.sampling.source import SourceSpec
from tests.helpers.patience import EXTERNAL_S

libvirt = pytest.importorskip("libvirt")


def names(address: str | None) -> list[str] | None:
    found = LibvirtEngine().names(SourceSpec("libvirt", {"uri": address}))
    return None if found is None else list(found)


def test_names_are_those_of_the_source() -> None:
    source = LibvirtSource("test:///default")
    source.open(lambda: None)
    listed = [workload.name for workload in source.read().workloads.values()]
    source.close()
    assert names("test:///default") == listed == ["test"]


def test_the_address_may_be_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "test:///default")
    assert names(None) == ["test"]
    monkeypatch.setenv("LIBVIRT_DEFAULT_URI", "lxc:///")
    assert names(None) is None


def test_domains_that_are_containers_are_left_to_the_source() -> None:
    assert names("lxc:///system") is None


def test_without_libvirt_or_with_one_that_refuses_there_are_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.delenv("LIBVIRT_DEFAULT_URI", raising=False)
    monkeypatch.setattr(uri, "_SOCKET_FOLDERS", (str(tmp_path),))
    with pytest.raises(SourceAbsent):
        names(None)
    with pytest.raises(SourceDown, match="has no list"):
        names(f"qemu+unix:///system?socket={tmp_path}/absent")


def test_an_error_of_libvirts_is_not_printed_over_the_line_that_is_typed() -> None:
    call = "from collectors.engines.libvirt.names import names_at; names_at('qemu+unix:///system?socket=/absent')"
    done = subprocess.run([sys.executable, "-c", call], capture_output=True, text=True, timeout=EXTERNAL_S, check=False)
    assert "SourceDown" in done.stderr
    assert "libvirt: " not in done.stderr
