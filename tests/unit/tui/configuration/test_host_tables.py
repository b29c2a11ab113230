"""Hosts are added to a configuration and removed from it, and all else stays as it is."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.hosts import HostSpec
from tui.configuration.host_tables import with_host, without_host

TEXT = """\
# mine
read_only = true  # for now

[[hosts]]
name = "hv01"   # the first
tags = ["a", "b"]

[screen]
sort = "mem"
"""


def names(text: str) -> list[str]:
    return [host["name"] for host in tomllib.loads(text).get("hosts", [])]


def test_a_host_is_added_with_what_is_not_the_default() -> None:
    text = with_host(TEXT, HostSpec("hv02", "admin@hv02", "vmtop", ("prod",)))
    assert text.startswith(TEXT)
    assert text.endswith('[[hosts]]\nname = "hv02"\naddress = "admin@hv02"\ntags = ["prod"]\n')
    assert with_host("", HostSpec("hv02", "hv02")) == '[[hosts]]\nname = "hv02"\n'


def test_one_of_the_same_name_is_replaced() -> None:
    text = with_host(TEXT, HostSpec("hv01", "10.0.0.1"))
    assert tomllib.loads(text)["hosts"] == [{"name": "hv01", "address": "10.0.0.1"}]
    assert "# mine" in text
    assert tomllib.loads(text)["screen"] == {"sort": "mem"}


def test_one_is_removed_and_nothing_else() -> None:
    text = without_host(TEXT, "hv01")
    assert tomllib.loads(text) == {"read_only": True, "screen": {"sort": "mem"}}
    assert "# for now" in text
    assert without_host(TEXT, "hv09") == TEXT


def test_hosts_that_cannot_be_edited_are_left_alone() -> None:
    with pytest.raises(ValueError, match="cannot be edited"):
        without_host('hosts = [{ name = "hv01" }]\n', "hv01")
    with pytest.raises(ValueError, match="cannot be edited"):
        with_host('hosts = [{ name = "hv01" }]\n', HostSpec("hv02", "hv02"))


@given(st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=8), st.sampled_from(["a", "b", "c", "d"]))
def test_any_sequence_of_hosts_ends_with_the_ones_that_were_meant(added: list[str], removed: str) -> None:
    text = TEXT
    for name in added:
        text = with_host(text, HostSpec(name, name, tags=("x",)))
    text = without_host(text, removed)
    assert set(names(text)) == ({"hv01", *added} - {removed})
    assert tomllib.loads(text)["screen"] == {"sort": "mem"}
