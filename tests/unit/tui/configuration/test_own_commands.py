"""The users' own commands: what the file may say, and what a workload's name can never become."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.model.workloads import Kind, Workload, WorkloadId
from collectors.safety.sanitize import sanitize, sanitize_name
from tui.configuration.keymap import textual_key
from tui.configuration.own_commands import PLACEHOLDERS, SCHEMA, OwnCommand, Unusable, check, environment, filled

WEB = Workload(
    WorkloadId("docker", "f" * 64),
    Kind.CONTAINER,
    "web",
    image="nginx:1",
    project="shop",
    cgroup="/system.slice/docker-f.scope",
)


def command(*words: str, **other: Any) -> OwnCommand:
    return OwnCommand("it", words, **other)


def checked(**table: Any) -> tuple[OwnCommand | None, dict[str, str]]:
    return check({name.rstrip("_"): value for name, value in table.items()}, textual_key)


def test_placeholders_are_filled_as_single_arguments() -> None:
    words = filled(command("dive", "{image}", "--label=a {name} b", "{{plain}}"), WEB)
    assert words == ["dive", "nginx:1", "--label=a web b", "{plain}"]


@given(st.text(max_size=40).map(sanitize).filter(bool))
def test_a_name_is_one_argument_as_it_is_or_nothing_is_run(name: str) -> None:
    workload = msgspec.structs.replace(WEB, name=name)
    script = "import json, sys; print(json.dumps(sys.argv[1:]))"
    try:
        words = filled(command("/bin/echo", "{name}"), workload)
    except Unusable:
        return
    assert words == ["/bin/echo", name]
    assert not name.startswith("-")
    assert script.isascii()


@pytest.mark.parametrize("name", ["-rf", "--help", "-"])
@pytest.mark.parametrize("word", ["{name}", "--name={name}", "exec {name}"])
def test_a_name_never_becomes_an_option(word: str, name: str) -> None:
    workload = msgspec.structs.replace(WEB, name=name)
    with pytest.raises(Unusable, match=r"could be read as an option; use \{id\}, or \$VMTOP_NAME"):
        filled(command("docker", "rm", word), workload)


@pytest.mark.parametrize("program", ["sh -c", "csh -c", "python3.12 -c", "php -r", "fzf --preview", "xterm -e", "any"])
@pytest.mark.parametrize("name", ["a; reboot", "$(reboot)", "`id`", "a b", "a\u2028b", "é", "a'b", 'a("b")', "a|b"])
def test_a_name_never_becomes_a_command_whatever_the_program_is(program: str, name: str) -> None:
    run = command(*program.split(), "echo {name}")
    with pytest.raises(Unusable, match=r"read as commands; use \{id\}, or \$VMTOP_NAME|not known exactly"):
        filled(run, msgspec.structs.replace(WEB, name=name))
    assert filled(run, WEB)[-1] == "echo web"


@pytest.mark.parametrize("name", ["..", "../../etc/cron.d/x", "a/../b", "a/.."])
def test_a_name_never_leads_out_of_a_folder(name: str) -> None:
    with pytest.raises(Unusable, match="could lead out of a folder"):
        filled(command("cp", "x", "/srv/{name}/x"), msgspec.structs.replace(WEB, name=name))
    assert filled(command("echo", "{name}"), msgspec.structs.replace(WEB, name="a..b"))[-1] == "a..b"


@pytest.mark.parametrize(
    "name", ["7", "0123", "6f0c1d5e-3f0d-4c58-9c0f-0a8a2b3c4d5e", "6F0C1D5E3F0D4C589C0F0A8A2B3C4D5E"]
)
def test_a_name_that_virsh_would_take_for_another_machine_is_not_used(name: str) -> None:
    with pytest.raises(Unusable, match="another machine's number or UUID"):
        filled(command("virsh", "destroy", "{name}"), msgspec.structs.replace(WEB, name=name))


@pytest.mark.parametrize("raw", ["web\ufe0f", "\u212aelvin", "we\u0301b", "a\u202eb", "x" * 300])
def test_a_name_that_was_changed_is_neither_an_argument_nor_in_the_environment(raw: str) -> None:
    workload = msgspec.structs.replace(WEB, name=sanitize_name(raw), project=sanitize_name(raw))
    for word in ("{name}", "{project}"):
        with pytest.raises(Unusable, match="not known exactly"):
            filled(command("virsh", "destroy", word), workload)
    variables = environment(workload, {"VMTOP_NAME": "inherited"})
    assert (variables["VMTOP_NAME"], variables["VMTOP_PROJECT"], variables["VMTOP_ID"]) == ("", "", "f" * 64)


@pytest.mark.parametrize("name", ["a\ufffdb", "x" * 255 + "…"])
def test_a_name_that_was_made_safe_to_show_is_not_taken_for_the_name(name: str) -> None:
    with pytest.raises(Unusable, match="not known exactly"):
        filled(command("echo", "{name}"), msgspec.structs.replace(WEB, name=name))


def test_what_a_workload_does_not_have_is_no_empty_argument() -> None:
    with pytest.raises(Unusable, match="web has no image"):
        filled(command("dive", "{image}"), msgspec.structs.replace(WEB, image=None))


def test_the_environment_holds_the_workload_and_what_was_there() -> None:
    variables = environment(WEB, {"PATH": "/bin", "VMTOP_NAME": "other"})
    assert variables["PATH"] == "/bin"
    assert variables["VMTOP_NAME"] == "web"
    assert {f"VMTOP_{name.upper()}" for name in PLACEHOLDERS} < set(variables)
    shown = subprocess.run(
        [sys.executable, "-c", "import os; print(os.environ['VMTOP_ID'])"],
        env=environment(msgspec.structs.replace(WEB, project=None), {}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "f" * 64 + "\n"


def test_a_text_is_split_into_words_and_nothing_in_it_is_expanded() -> None:
    one, mistakes = checked(label="x", run="dive '{image}' $HOME ; ls")
    assert not mistakes
    assert one is not None
    assert one.run == ("dive", "{image}", "$HOME", ";", "ls")


def test_what_changes_something_is_confirmed_and_what_is_safe_is_not_unless_it_says_otherwise() -> None:
    for table, needs_confirmation, is_safe in (
        ({}, True, False),
        ({"safe": True}, False, True),
        ({"confirm": False}, False, False),
        ({"safe": True, "confirm": True}, True, True),
    ):
        one, _ = checked(label="x", run=["x"], **table)
        assert one is not None
        assert (one.needs_confirmation, one.is_safe) == (needs_confirmation, is_safe)


def test_it_is_for_the_kinds_that_it_names() -> None:
    one, _ = checked(label="x", run=["x"], for_=["vm", "service"])
    everything, _ = checked(label="x", run=["x"])
    assert one is not None
    assert everything is not None
    assert not one.is_for(WEB)
    assert everything.is_for(WEB)


@pytest.mark.parametrize(
    ("table", "key", "words"),
    [
        ({"run": ["x"]}, "", "has no label"),
        ({}, "", "has no label and no run"),
        ({"label": "x", "run": []}, "run", "a list of words"),
        ({"label": "x", "run": ["x", 1]}, "run", "a list of words"),
        ({"label": "x", "run": "a 'b"}, "run", "cannot be split"),
        ({"label": "x", "run": ["x", "{nmae}"]}, "run", "unknown placeholder {nmae}"),
        ({"label": "x", "run": ["x", "{name!r}"]}, "run", "cannot use a format"),
        ({"label": "x", "run": ["x", "{name:>9}"]}, "run", "cannot use a format"),
        ({"label": "x", "run": ["x", "{name"]}, "run", "write {{ and }} for plain braces"),
        ({"label": "x", "run": ["{image}"]}, "run", "cannot take the program's name from a workload"),
        ({"label": "x", "run": ["x", "\0"]}, "run", "NUL"),
        ({"label": "a\nb", "run": ["x"]}, "label", "on one line"),
        ({"label": "x", "run": ["x"], "key": "ctrl+"}, "key", "there is no key"),
        ({"label": "x", "run": ["x"], "for": "pod"}, "for", '"vm", "container", "service"'),
        ({"label": "x", "run": ["x"], "in": "window"}, "in", 'one of "terminal", "background"'),
        ({"label": "x", "run": ["x"], "safe": 1}, "safe", "true or false"),
        ({"label": "x", "run": ["x"], "confrim": True}, "confrim", "did you mean 'confirm'"),
    ],
)
def test_a_mistake_says_what_is_allowed(table: dict[str, Any], key: str, words: str) -> None:
    one, mistakes = check(table, textual_key)
    assert one is None
    assert words in mistakes[key]


def test_the_schema_has_every_key() -> None:
    from tui.configuration.own_commands import CHECKS

    assert set(SCHEMA["properties"]) == set(CHECKS)


def test_with_a_workload_of_another_host_only_what_names_the_host_is_run() -> None:
    away = msgspec.structs.replace(WEB, id=WEB.id._replace(host="hv01"))
    with pytest.raises(Unusable, match=r"is on hv01, and this runs here"):
        filled(command("docker", "restart", "{name}"), away)
    assert filled(command("ssh", "{host}", "docker", "top", "{name}"), away) == ["ssh", "hv01", "docker", "top", "web"]
    assert environment(away, {})["VMTOP_HOST"] == "hv01"
    with pytest.raises(Unusable, match="has no host"):
        filled(command("ssh", "{host}"), WEB)
