"""Masking: what must not come out, and what must stay readable."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.safety.redact import (
    MASK,
    is_secret,
    redact_environment,
    redact_json,
    redact_line,
    redact_text,
    redact_words,
)

CANARY = "zqx7canary7xqz"
NAMES = st.sampled_from(
    ("PASSWORD", "db_passwd", "API_KEY", "apiToken", "aws-secret-access-key", "GITHUB_TOKEN", "PGPASSWORD", "Cookie")
)


@pytest.mark.parametrize(
    "name", ["PASSWORD", "MYSQL_ROOT_PASSWORD", "apiKey", "AWS_SECRET_ACCESS_KEY", "jwt", "SENTRY_DSN", "PGPASSWORD"]
)
def test_names_of_secrets_are_recognised(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize("name", ["KEYBOARD", "PATH", "AUTHOR", "MONKEY", "COMPASS", "LANG", "pinned", "HOSTNAME"])
def test_harmless_names_stay_readable(name: str) -> None:
    assert not is_secret(name)


@given(NAMES, st.text(max_size=20))
def test_a_secret_variable_never_comes_out(name: str, around: str) -> None:
    shown = redact_environment([f"{name}={around}{CANARY}"])
    assert CANARY not in str(shown)
    assert shown[0][0] == name


@given(NAMES)
def test_a_secret_never_comes_out_of_a_document(name: str) -> None:
    document = {
        "Config": {"Env": [f"{name}={CANARY}", "LANG=C"], "Cmd": ["x", f"--{name}={CANARY}", f"--{name}", CANARY]},
        name: CANARY,
        "deep": [{"url": f"postgres://user:{CANARY}@host/db"}],
    }
    text = json.dumps(redact_json(document))
    assert CANARY not in text
    assert "LANG=C" in text
    assert MASK in text


def test_words_after_a_secret_option_are_masked_and_options_are_not() -> None:
    assert redact_words(["run", "--password", "x", "--token", "--verbose"]) == [
        "run", "--password", MASK, "--token", "--verbose",
    ]  # fmt: skip


def test_the_word_after_an_option_that_brought_its_value_is_not_masked() -> None:
    assert redact_words(["--token=x", "run", "--password", "y", "now"]) == [
        f"--token={MASK}",
        "run",
        "--password",
        MASK,
        "now",
    ]


def test_the_environment_of_an_inspection_is_masked_value_by_value() -> None:
    """Whole, whatever is in the value: quotes and spaces end no secret there."""
    shown = redact_json({"Config": {"Env": [f"DB_PASSWORD=two 'words' {CANARY}", "LANG=C", "LONE"]}})
    assert shown == {"Config": {"Env": [f"DB_PASSWORD={MASK}", "LANG=C", "LONE="]}}


@pytest.mark.parametrize(
    "text",
    [
        f"--env=DB_PASSWORD={CANARY}",
        f"curl -H 'Authorization: Bearer {CANARY}' host",
        f'{{"x": "y", "auth_token": "{CANARY}"}}',
        f"{{'outer': 'Cookie: {CANARY}'}}",
        f"postgres://user:{CANARY}@host/db?x=1",
        f"password: {CANARY}",
    ],
)
def test_a_secret_inside_a_text_is_masked_wherever_it_stands(text: str) -> None:
    assert CANARY not in redact_text(text)
    assert MASK in redact_text(text)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("run", ["x", "-", "a=", "a.", "x://", "--password ", "a: ", "'"])
def test_a_long_text_is_masked_in_time_that_grows_with_its_length(run: str) -> None:
    assert redact_line(run * 200_000)


def test_plain_text_is_left_alone() -> None:
    assert redact_text("nginx -g 'daemon off;' --port=80 http://host/path") == (
        "nginx -g 'daemon off;' --port=80 http://host/path"
    )


@pytest.mark.parametrize(
    "text",
    ["SessionError: night.gz cannot be read", "collectors.session.recorder: a frame was lost", "registry/auth:latest"],
)
def test_words_that_only_sound_like_secrets_stay_readable(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", f"mysql --password {CANARY}"],
        ["sh", "-c", f"exec 'app' --token  {CANARY} --now"],
        ["sh", "-c", f"mysql\t--password\n{CANARY}"],
        ["sh", "-c", f"sh -c 'mysql --password {CANARY}'"],
        ["sh", "-c", f"app --password 'two {CANARY}' x"],
        [f"app --token {CANARY}"],
        [f"app: worker --password={CANARY} (idle)"],
        ["curl", "-u", f"me:{CANARY}", "https://host"],
        ["curl", "--user", f"me:{CANARY}", "https://host"],
        ["curl", f"--user=me:{CANARY}", "https://host"],
        ["curl", f"-ume:{CANARY}", "https://host"],
        ["/usr/bin/mysql", "-uroot", f"-p{CANARY}", "shop"],
        ["sh", "-c", f"mysqldump -u root -p{CANARY} shop"],
    ],
)
def test_a_secret_never_comes_out_of_a_command_line(words: list[str]) -> None:
    shown = " ".join(redact_words(words))
    assert CANARY not in shown
    assert MASK in shown


@pytest.mark.parametrize(
    "words",
    [
        ["sh", "-c", "server -p8080  --verbose 'two words' \"x y\""],
        ["docker", "run", "-p8080:80", "mysql:8"],
        ["docker", "run", "-u", "1000:1000", "web"],
        ["sudo", "-u", "web", "ls", "a:b"],
        ["python", "-u", "http://host/x"],
        ["ssh", "-p2222", "host"],
    ],
)
def test_an_ordinary_command_line_stays_as_it_is(words: list[str]) -> None:
    assert redact_words(words) == words
