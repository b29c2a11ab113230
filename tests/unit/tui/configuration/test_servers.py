"""`[prometheus.NAME]` in the configuration: what is taken, and which mistakes are named with their lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from collectors.prometheus.server import Server
from tui.configuration.reading import parse


def _parse(text: str) -> tuple[dict[str, Server], list[str]]:
    content = parse(text, Path("config.toml"))
    return content.servers, content.mistakes


def test_a_server_has_a_name_an_address_and_files_with_secrets() -> None:
    servers, mistakes = _parse(
        '[prometheus.prod]\nurl = "https://prom.example.org"\nmatch = \'job="vmtop"\'\ntoken_file = "~/token"\n'
        '[prometheus.lab]\nurl = "http://10.0.0.7:8428"\ninsecure = true\n'
    )
    assert mistakes == []
    assert servers["prod"] == Server("https://prom.example.org", "prod", 'job="vmtop"', token_file="~/token")  # noqa: S106
    assert servers["lab"].insecure


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prometheus = 3", "line 1: 'prometheus' has to be a table"),
        ("[prometheus]\nprod = 3", "line 2: 'prod' has to be a table: [prometheus.prod]"),
        ("[prometheus.prod]\nmatch = 'a=\"b\"'", "line 1: the server 'prod' has no url"),
        ("[prometheus.prod]\nurl = 'https://x'\nuri = 'y'", "line 3: 'uri' is unknown; did you mean 'url'?"),
        ("[prometheus.prod]\nurl = 'http://prom.example.org'", "over plain HTTP"),
        ("[prometheus.prod]\nurl = 'https://a:b@x'", "contains a user or a password"),
        ("[prometheus.prod]\nurl = 'https://x'\nmatch = '} or up{'", "--match is not a list of label matchers"),
        ("[prometheus.prod]\nurl = 'https://x'\ninsecure = 'yes'", "line 3: 'insecure' has to be true or false"),
    ],
)
def test_a_mistake_is_named_with_its_line(text: str, words: str) -> None:
    servers, mistakes = _parse(text)
    assert servers == {}
    assert any(words in mistake for mistake in mistakes), mistakes
