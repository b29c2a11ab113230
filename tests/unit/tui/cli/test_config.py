"""`vmtop config`, and what a configuration changes for the other commands."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from tests.helpers.checkout import DOCS
from tui.cli import main, sources
from tui.cli.screen import choose
from tui.configuration.screen_state import ScreenState, save
from tui.themes.choice import find_palette


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of configuration and state, and a fleet to look at."""
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    for variable in ("DOCKER_HOST", "LIBVIRT_DEFAULT_URI"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(20, 7))
    (tmp_path / "vmtop").mkdir()
    return tmp_path / "vmtop"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.main, arguments, prog_name="vmtop")


def origin_of(key: str, text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(f"{key} =")).rpartition("# ")[2]


def test_an_option_beats_the_configuration_and_that_beats_what_was_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = {"screen.sort": "name", "screen.tree": True, "screen.theme": "light", "screen.interval": 5.0}
    save(ScreenState(left), folder / "screen.toml")
    (folder / "config.toml").write_text('read_only = true\n[screen]\nsort = "mem"\n\ninterval = 2\n')
    monkeypatch.setenv("DOCKER_HOST", "tcp://far:2376")
    done = run("config", "--interval", "0.5")
    assert done.exit_code == 0, done.output
    origins = {key: origin_of(key, done.stdout) for key in ("read_only", "sort", "interval", "tree", "scale", "docker")}
    assert origins == {
        "read_only": "config.toml:1",
        "sort": "config.toml:3",
        "interval": "--interval",
        "tree": "as you left it",
        "scale": "default",
        "docker": "environment: DOCKER_HOST",
    }
    shown = tomllib.loads(done.stdout)
    assert shown["screen"]["sort"] == "mem"
    assert shown["screen"]["interval"] == 0.5
    assert shown["screen"]["theme"] == "light"
    jsonschema.validate(shown, json.loads((DOCS / "config.schema.json").read_text()))
    fresh = run("config", "--fresh").stdout
    assert origin_of("tree", fresh) == "default"
    assert origin_of("sort", fresh) == "config.toml:3"


def test_what_it_prints_has_the_same_effect(folder: Path) -> None:
    (folder / "config.toml").write_text(
        '[screen]\nsort = "mem"\ncolumns = ["name", "history:cpu"]\n[keys]\nlook = "ctrl+n"\n'
        '[columns]\nmine = ["cpu"]\n'
        '[list]\nall = true\n[sources]\nwait = 3\n[[commands]]\nlabel = "x"\nrun = "x {name}"\nfor = ["vm"]\n'
        '[[hosts]]\nname = "hv01"\naddress = "root@hv01:22"\ntags = ["prod"]\n'
    )
    once = run("config").stdout
    (folder / "config.toml").write_text(once)
    assert tomllib.loads(run("config").stdout) == tomllib.loads(once)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[screen]\n\nintervall = 2", "line 3: 'intervall' is unknown; did you mean 'interval'?"),
        ("interval = 2", "line 1: 'interval' is unknown here; it belongs below [screen]"),
        ("[screen]\nread_only = true", "line 2: 'read_only' is unknown here; it belongs at the top"),
        ("[scren]\ntree = true", "line 1: 'scren' is unknown; did you mean 'screen'?"),
        ("[screen]\ntree = 1", "line 2: 'tree' has to be true or false"),
        ("[screen]\ninterval = 100", "line 2: 'interval' has to be from 0.2 to 60"),
        ('[screen]\nscale = "cores"', 'line 2: \'scale\' has to be one of "core", "host", "limit"'),
        ('[screen]\ncolumns = ["name", "cpuu"]', "line 2: 'columns' cannot be used: its item 2 has to be one of"),
        ('[screen]\ntheme = "pink"', "line 2: 'theme' cannot be used: there is no theme 'pink'"),
        ('[screen]\nfilter = "nmae=x"', "line 2: 'filter' is no filter: there is no field or metric"),
        ("screen = 1", "line 1: 'screen' has to be a table: [screen]"),
        ("[keys]\nlok = 'F5'", "line 2: there is no action 'lok'; did you mean 'look'?"),
        ("[keys]\nlook = 'F99'", "line 2: there is no key 'F99'"),
        (
            "[keys]\nmenu_up = 'j'",
            "line 2: 'j' is the key of both 'menu_up' and 'menu_down' in the dialog 'action menu'",
        ),
        ("[keys]\ntree = '?'", "line 2: '?' is the key of both 'tree' and 'help' on the screen 'live'; give one of"),
        ("[keys]\ntree = 'ctrl+c'", "line 2: 'Ctrl-C' is the key of both 'tree' and 'quit'"),
        ("[[commands]]\nlabel='a'\nrun='a'\nkey='x'", "line 4: 'x' is the key of both 'act' and 'a'"),
        ("[[commands]]\nlabel='a'\nrun='{nmae}'", "line 3: 'run' has an unknown placeholder {nmae}"),
        ("[[hosts]]\naddress='x'", "line 1: the host has no name"),
        ("[[hosts]]\nname='local'", "line 2: 'name' cannot be 'local', which stands for the host that vmtop runs on"),
        ("[[hosts]]\nname='a'\nadress='b'", "line 3: 'adress' is unknown; did you mean 'address'?"),
        ("[[hosts]]\nname='a'\naddress='-oProxyCommand=x'", "line 3: 'address' has to be HOST, USER@HOST"),
        ("[[hosts]]\nname='a'\ncommand=''", "line 3: 'command' has to be a command on one line"),
        ("[[hosts]]\nname='a'\ntags='prod'", "line 3: 'tags' has to be a list"),
        ("[[hosts]]\nname='a'\n[[hosts]]\nname='a'", "line 4: there are two hosts 'a'; give one of them another name"),
        ("hosts = 1", "line 1: 'hosts' has to be tables, each below [[hosts]]"),
        ("[record]\nkep = 3", "line 2: 'kep' is unknown; did you mean 'keep'?"),
        ("[record]\nkeep = 0", "line 2: 'keep' cannot be used"),
        ("[list]\ndocker = ['unix:///a']", "line 2: 'docker' is unknown here; it belongs below [sources]"),
        ("[sources]\ndocker = ['nowhere']", "line 2: 'docker' cannot be used: 'nowhere' is not an address"),
        ("[theme]\nbase = 'pink'", "line 2: base is one of"),
        ("[theme]\n\nbda = '#000000'", "line 3: no role 'bda'. Did you mean 'bad'?"),
        ("[theme]\nbad = 'red'", "line 2: bad is a colour such as '#1a2b3c', not 'red'"),
        ("[stop]\nyes = true", "line 2: 'yes' is unknown"),
    ],
)
def test_a_mistake_names_the_line_and_what_was_meant(folder: Path, text: str, sentence: str) -> None:
    (folder / "config.toml").write_text(text)
    done = run("config", "--check")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert f"config.toml {sentence}" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_without_mistakes_is_checked_silently(folder: Path) -> None:
    (folder / "config.toml").write_text("[screen]\ntree = true\n")
    done = run("config", "--check")
    assert (done.exit_code, done.output) == (0, "")


def test_a_mistake_stops_nobody_from_looking_and_nothing_is_done(folder: Path) -> None:
    (folder / "config.toml").write_text("read_only = false\n[list]\nsotr = 'mem'\n[stop]\nthen = 'maybe'\n")
    looked = run("list")
    assert looked.exit_code == 0
    assert len(looked.stdout.splitlines()) == 21
    assert "line 3: 'sotr' is unknown; did you mean 'sort'?; going on without it" in looked.stderr
    acted = run("stop", "web", "--yes")
    assert acted.exit_code == 1
    assert "line 5: 'then' cannot be used: 'maybe' is not one of 'force', 'leave'" in acted.stderr


def test_options_of_a_command_have_the_defaults_of_the_configuration(folder: Path) -> None:
    (folder / "config.toml").write_text("[list]\nsort = 'name'\nlimit = 3\nonly = 'vm'\n[stream]\ncount = 2\n")
    names = [line.split()[0] for line in run("list").stdout.splitlines()[1:]]
    assert len(names) == 3
    assert names == sorted(names)
    assert len(run("list", "--limit", "2").stdout.splitlines()) == 3


def test_help_and_version_need_no_configuration(folder: Path) -> None:
    (folder / "config.toml").write_text("[")
    for arguments in (["--help"], ["--version"], ["list", "--help"], ["completion", "bash"]):
        done = run(*arguments)
        assert done.exit_code == 0
        assert done.stderr == ""


def test_an_interval_is_kept_at_any_cost_only_if_it_was_asked_for_now(folder: Path) -> None:
    import click

    (folder / "config.toml").write_text("[screen]\ninterval = 3\n")
    with click.Context(main.main, info_name="vmtop"):
        configured = choose().options
        asked = choose(interval=4.0).options
    assert (configured.interval_s, configured.is_steady) == (3.0, False)
    assert (asked.interval_s, asked.is_steady) == (4.0, True)


def test_a_demonstration_does_not_know_what_was_left(folder: Path) -> None:
    import click

    save(ScreenState({"screen.tree": True}), folder / "screen.toml")
    with click.Context(main.main, info_name="vmtop"):
        assert choose(is_demo=True).options.is_tree is False
        assert choose(is_demo=True).state is None
        assert choose().options.is_tree is True
        assert choose().is_left
        assert not choose(fresh=True).is_left


def test_a_theme_in_the_configuration_is_used_unless_another_is_named(folder: Path) -> None:
    (folder / "config.toml").write_text('[theme]\nbase = "light"\nbad = "#aa0000"\n')
    assert origin_of("theme", run("config").stdout) == "config.toml:1"
    assert tomllib.loads(run("config").stdout)["screen"]["theme"] == "own"
    assert find_palette("own", folder).colors["bad"] == (0xAA, 0, 0)
    (folder / "config.toml").write_text('[screen]\ntheme = "dark"\n[theme]\nbase = "light"\n')
    assert tomllib.loads(run("config").stdout)["screen"]["theme"] == "dark"
    assert run("config", "--theme", "own").exit_code == 0
