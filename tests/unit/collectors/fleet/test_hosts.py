"""What can be a host, and which hosts a choice means."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.fleet.hosts import MOST_HOSTS, HostError, HostSpec, check_address, check_command, check_name, choose

HV01 = HostSpec("hv01", "admin@hv01.example.org:2222", tags=("prod", "kvm"))
HV02 = HostSpec("hv02", "hv02", tags=("prod",))
KNOWN = (HV01, HV02)


@pytest.mark.parametrize("address", ["hv01", "admin@hv01", "admin@hv01:2222", "10.0.0.7", "[fe80::1%eth0]:22", "a-b.c"])
def test_what_ssh_takes_is_an_address(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address",
    ["", "-oProxyCommand=id", "-lroot@hv", "root@-oX", "admin:secret@hv01", "a b", "hv;id", "hv\n", "hv/x", "["],
)
def test_what_ssh_could_take_for_an_option_is_no_address(address: str) -> None:
    with pytest.raises(HostError):
        check_address(address)


@given(st.text(max_size=40))
def test_no_address_becomes_an_option_or_two_words(address: str) -> None:
    try:
        arguments = HostSpec("x", address).target.arguments
    except HostError:
        return
    dashes = arguments.index("--")
    assert len(arguments) == dashes + 2
    assert not arguments[-1].startswith("-")
    assert not any(map(str.isspace, arguments[-1]))


@pytest.mark.parametrize("name", ["local", "all", "tag:prod", "", "-hv", "a b", "x" * 64, "ho\x1b[2J"])
def test_a_name_is_short_plain_and_not_reserved(name: str) -> None:
    with pytest.raises(HostError):
        check_name(name)


@pytest.mark.parametrize("command", ["", "  ", "vmtop\nid", "vm\x1btop", "x" * 1001])
def test_a_command_is_one_plain_line(command: str) -> None:
    with pytest.raises(HostError):
        check_command(command)


def test_names_tags_and_addresses_choose_hosts_each_once() -> None:
    assert choose(["hv02", "tag:prod", "local"], KNOWN) == (True, [HV02, HV01])
    assert choose(["all"], KNOWN) == (False, [HV01, HV02])
    assert choose(["tag:kvm"], KNOWN) == (False, [HV01])


def test_an_address_that_is_not_configured_gets_the_name_of_its_host() -> None:
    assert choose(["admin@hv09:2200"], KNOWN)[1] == [HostSpec("hv09", "admin@hv09:2200")]


def test_two_addresses_of_one_hostname_stay_two_hosts() -> None:
    names = [host.name for host in choose(["hv09:2201", "hv09:2202"], ())[1]]
    assert names == ["hv09", "hv09:2202"]


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("all", "no [[hosts]]"),
        ("tag:test", "no host of the configuration has the tag 'test'"),
        ("-oProxyCommand=id", "'-oProxyCommand=id' has to be HOST"),
    ],
)
def test_a_word_that_means_no_host_is_a_sentence(word: str, words: str) -> None:
    with pytest.raises(HostError) as caught:
        choose([word], ())
    assert words in str(caught.value)


def test_more_hosts_than_can_be_watched_are_refused() -> None:
    with pytest.raises(HostError, match="257 hosts are more than the 256"):
        choose([f"h{number}" for number in range(MOST_HOSTS + 1)], ())
