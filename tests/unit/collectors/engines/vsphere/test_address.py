"""Addresses of vSphere servers, and the password for them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.engines.registry import specs_from
from collectors.engines.vsphere import address as addresses
from collectors.engines.vsphere import credentials
from collectors.engines.vsphere.address import parse
from collectors.engines.vsphere.source import VsphereSource
from collectors.model.errors import AccessDenied, SourceAbsent, SourceDown, SourceError
from collectors.safety.sanitize import sanitize

AUTH = """
# of the operators
[credentials-lab]
username=root
password = se=cret
[credentials-other]
username=vmtop@vsphere.local
password=other
[auth-esx-esxi1.example.org]
credentials=lab
[auth-vsphere-default]
credentials=other
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LIBVIRT_AUTH_FILE", raising=False)
    path = tmp_path / "vmtop" / "auth.conf"
    path.parent.mkdir()
    path.write_text(AUTH)
    path.chmod(0o600)
    return path


def test_an_address_is_verified_and_encrypted_unless_it_says_otherwise() -> None:
    plain = parse("https://root@esxi1")
    assert (plain.host, plain.port, plain.user, plain.shown) == ("esxi1", 443, "root", "esxi1")
    assert plain.is_encrypted
    assert plain.is_verified
    other = parse("esx://esxi1:8443/?no_verify=1&transport=http&auto_answer=1")
    assert (other.is_encrypted, other.is_verified, other.shown) == (False, False, "esxi1:8443")
    assert parse("vsphere://[::1]:8443").shown == "[::1]:8443"
    assert parse("vsphere://domain%5Cuser@vc").user == "domain\\user"


def test_a_vpx_uri_is_limited_to_the_host_that_it_names() -> None:
    assert parse("vpx://vc/dc/cluster/esxi2").only_host == "esxi2"
    assert parse("https://vc/sdk").only_host == ""


def test_a_thumbprint_may_have_colons() -> None:
    digest = ":".join(["AB"] * 32)
    assert parse(f"vsphere://vc/?thumbprint={digest}").thumbprint == "ab" * 32


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("vsphere://root:hunter2@esxi1", "contains a password"),
        ("ftp://esxi1", "no known scheme"),
        ("vsphere://", "no known scheme, or no host"),
        ("vsphere://esxi1/?no_verfy=1", "does not know the parameter no_verfy"),
        ("vsphere://esxi1/?no_verify=yes", "no_verify of the vSphere address has to be 0 or 1"),
        ("vsphere://esxi1/?thumbprint=12", "not a SHA-256 digest"),
        ("vsphere://esxi1:port", "is not a URL"),
        ("vsphere://esxi\u200b1", "cannot be seen"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_in_one_sentence(url: str, sentence: str) -> None:
    with pytest.raises(SourceDown, match=sentence) as refusal:
        parse(url)
    assert "hunter2" not in refusal.value.reason + refusal.value.remedy


@given(st.text(max_size=200), st.sampled_from(addresses.SCHEMES))
def test_any_text_is_an_address_or_refused(text: str, scheme: str) -> None:
    with suppress(SourceDown):
        shown = parse(scheme + text).shown
        assert sanitize(shown, 600) == shown


def test_the_server_of_its_name_comes_before_the_default(file: Path) -> None:
    assert credentials.find(parse("esx://esxi1.example.org")) == ("root", "se=cret", str(file))
    assert credentials.find(parse("vpx://vc"))[:2] == ("vmtop@vsphere.local", "other")


def test_another_users_password_is_not_used(file: Path) -> None:
    with pytest.raises(AccessDenied, match=r"no password for admin on esxi1\.example\.org") as refusal:
        credentials.find(parse("esx://admin@esxi1.example.org"))
    assert "[auth-vsphere-esxi1.example.org]" in refusal.value.remedy


def test_libvirts_own_file_serves_too(file: Path) -> None:
    file.rename(file.parent.parent / "auth.conf")
    (file.parent.parent / "libvirt").mkdir()
    (file.parent.parent / "auth.conf").rename(file.parent.parent / "libvirt" / "auth.conf")
    assert credentials.find(parse("esx://root@esxi1.example.org"))[1] == "se=cret"


def test_the_file_that_the_address_names_is_the_only_one(file: Path) -> None:
    other = file.with_name("other")
    with pytest.raises(AccessDenied, match="no password for root on esxi1"):
        credentials.find(parse(f"esx://root@esxi1.example.org/?authfile={other}"))
    file.rename(other)
    assert credentials.find(parse(f"esx://esxi1.example.org/?authfile={other}")).origin == str(other)


def test_the_keyring_is_asked_last_and_only_if_its_library_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    def get_password(*names: str) -> str:
        asked.append((names[0], names[1]))
        return "kept"

    keyring = SimpleNamespace(get_password=get_password)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("LIBVIRT_AUTH_FILE", raising=False)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", SimpleNamespace(KeyringError=ValueError))
    monkeypatch.setattr(credentials, "find_spec", lambda _: None)
    with pytest.raises(AccessDenied):
        credentials.find(parse("vsphere://root@esxi9"))
    assert asked == []
    monkeypatch.setattr(credentials, "find_spec", lambda _: True)
    assert credentials.find(parse("vsphere://root@esxi9")) == ("root", "kept", "the keyring")
    assert asked == [("vmtop", "root@esxi9")]


def test_a_link_or_a_pipe_in_place_of_the_file_is_not_read(file: Path) -> None:
    target = file.rename(file.with_name("elsewhere"))
    file.symlink_to(target)
    with pytest.raises(AccessDenied, match="there is no password"):
        credentials.find(parse("esx://esxi1.example.org"))
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(AccessDenied, match="there is no password"):
        credentials.find(parse("esx://esxi1.example.org"))


def test_a_damaged_file_is_named_by_line_without_its_text(file: Path) -> None:
    file.write_text("[credentials-lab]\nhunter2\n")
    with pytest.raises(SourceDown, match="line 2, is neither") as refusal:
        credentials.find(parse("vsphere://esxi1"))
    assert "hunter2" not in refusal.value.reason


@given(st.binary(max_size=500))
def test_any_file_gives_credentials_or_one_sentence(data: bytes) -> None:
    with suppress(SourceError):
        sections = credentials._sections(data.decode("utf-8", "replace"), Path("auth.conf"))
        assert credentials.lookup(sections, parse("vsphere://esxi1")) is None


def test_only_uris_of_esxi_and_vcenter_leave_libvirt() -> None:
    given = {"libvirt": ("qemu:///system", "esx://a", "VPX://b/dc/c"), "vsphere": ("https://c",)}
    specs = [(spec.name, *spec.options.values()) for spec in specs_from(given) if spec.name in ("libvirt", "vsphere")]
    assert ("libvirt", "qemu:///system") in specs
    assert [url for name, url in specs if name == "vsphere"] == ["https://c", "esx://a", "VPX://b/dc/c"]


def test_without_the_library_libvirts_own_driver_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_installed", lambda: False)
    specs = [(spec.name, *spec.options.values()) for spec in specs_from({"libvirt": ("esx://a",)})]
    assert ("libvirt", "esx://a") in specs
    assert not [name for name, *_ in specs if name == "vsphere"]


def test_without_the_library_the_source_says_how_to_install_it(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_installed", lambda: False)
    with pytest.raises(SourceAbsent, match="pyvmomi, which vSphere is read with, is not installed") as absence:
        VsphereSource("vsphere://root@esxi1.example.org").open(lambda: None)
    assert absence.value.remedy.endswith(" pyvmomi")


def test_nothing_is_read_that_was_not_asked_for() -> None:
    assert "vsphere" not in [spec.name for spec in specs_from({})]
