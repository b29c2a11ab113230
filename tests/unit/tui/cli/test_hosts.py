"""`--host` on the command line, and the commands that the vmtop of another host takes while it records."""

from __future__ import annotations

import io
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from collectors.fleet.hosts import HostSpec
from collectors.fleet.specs import load_source
from collectors.sampling.sampler import Sampler
from tests.helpers.checkout import FIXTURES
from tests.helpers.stand_in_ssh import session
from tui.cli import sources
from tui.cli.command_sections import defaults_of
from tui.cli.commands.hosts.control import _obey, do
from tui.cli.commands.hosts.host import _described
from tui.cli.main import main
from tui.configuration.reading import parse

HOSTS = """
[[hosts]]
name = "hv01"
address = "admin@10.0.0.1"
command = "sudo -n vmtop"
tags = ["prod"]
[[hosts]]
name = "hv02"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "vmtop").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "vmtop"


def hosts_of(*words: str) -> list[tuple[str, object]]:
    """Return the sources that some values of `--host` mean: their names and hosts."""
    with main.make_context("vmtop", []):
        specs = sources.specs({"host": words})
    return [(spec.name, spec.options.get("spec")) for spec in specs]


def test_hosts_of_the_configuration_are_chosen_by_name_and_tag(folder: Path) -> None:
    (folder / "config.toml").write_text(HOSTS)
    hv01 = HostSpec("hv01", "admin@10.0.0.1", "sudo -n vmtop", ("prod",))
    assert hosts_of("tag:prod", "hv02") == [("remote", hv01), ("remote", HostSpec("hv02", "hv02"))]


@pytest.mark.usefixtures("folder")
def test_local_stands_beside_other_hosts_and_is_left_out_without_it() -> None:
    assert [name for name, _ in hosts_of("local", "hv09")][:2] == ["host", "cgroup"]
    assert hosts_of("hv09") == [("remote", HostSpec("hv09", "hv09"))]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("word", ["-oProxyCommand=id", "tag:prod", "all", "a b"])
def test_a_word_that_means_no_host_is_a_usage_error(word: str) -> None:
    with pytest.raises(click.UsageError):
        hosts_of(word)


def test_a_shell_completes_hosts_tags_and_local(folder: Path) -> None:
    (folder / "config.toml").write_text(HOSTS)
    with main.make_context("vmtop", []) as ctx:
        assert sources.host_words(ctx) == ["hv01", "hv02", "local", "all", "tag:prod"]


@pytest.mark.usefixtures("folder")
def test_a_list_has_the_workloads_of_a_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", session(tmp_path / "bin"))
    assert main.main(["list", "--host", "hv01", "--csv", "--over", "0.3s"], standalone_mode=False) == 0
    rows = capsys.readouterr().out.splitlines()
    assert len(rows) > 4


def test_an_interval_is_taken_and_what_is_unknown_is_passed_over() -> None:
    sampler = Sampler([], load_source, 1.0)
    for line in ("interval 5", "interval", "interval 0", "interval nan", "interval x", "reboot now", ""):
        do(line.split(), sampler)
    assert sampler.interval_s == 5.0


def test_the_end_of_the_commands_is_the_end() -> None:
    ends: list[bool] = []
    lines = io.BytesIO(b"interval 2\n" + b"x" * 5000 + b"\n\xff\xfe\ninterval 3")
    sampler = Sampler([], load_source, 1.0)
    _obey(lines, sampler, lambda: ends.append(True))
    assert (sampler.interval_s, ends) == (3.0, [True])


def test_no_host_is_removed_without_a_terminal_to_ask_at(folder: Path) -> None:
    (folder / "config.toml").write_text(HOSTS)
    done = CliRunner().invoke(main, ["host", "remove", "hv02"], input="y\n")
    assert (done.exit_code, "use --yes" in done.stderr) == (2, True)
    assert (folder / "config.toml").read_text() == HOSTS


OPTIONS = """
[sources]
host = ["local", "tag:prod"]
[list]
sort = "mem"
"""


def test_a_host_is_removed_from_a_configuration_that_has_options_of_commands(folder: Path) -> None:
    (folder / "config.toml").write_text(HOSTS + OPTIONS)
    done = CliRunner().invoke(main, ["host", "remove", "hv02", "--yes"])
    assert done.exit_code == 0, done.stderr
    left = (folder / "config.toml").read_text()
    assert "hv01" in left
    assert "hv02" not in left
    assert left.endswith(OPTIONS)


@pytest.mark.parametrize("words", [["list"], ["check"], ["add", "hv03", "--yes"], ["remove", "hv01", "--yes"]])
def test_a_mistake_in_the_configuration_is_told_before_anything_is_done(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # without ssh
    (folder / "config.toml").write_text(f"{HOSTS}[screen]\nsorted = true\n")
    done = CliRunner().invoke(main, ["host", *words])
    assert done.exit_code == 1
    assert "line 10: 'sorted' is unknown" in done.stderr
    assert "going on" not in done.stderr
    assert "has no [[hosts]]" not in done.stderr


def test_a_host_that_is_known_gets_another_address_and_keeps_its_tags(folder: Path) -> None:
    (folder / "config.toml").write_text(HOSTS)
    with main.make_context("vmtop", []):
        assert _described("root@10.0.0.9", "hv01", (), None) == HostSpec(
            "hv01", "root@10.0.0.9", "sudo -n vmtop", ("prod",)
        )
        assert _described("hv01", None, (), None).address == "admin@10.0.0.1"


def test_the_hosts_to_watch_are_not_those_of_a_session_that_is_exported(folder: Path) -> None:
    (folder / "config.toml").write_text(OPTIONS)
    session_file = str(FIXTURES / "0.1.0.vmtop.gz")
    done = CliRunner().invoke(main, ["export", session_file, "--metric", "cpu"])
    assert done.exit_code == 0
    assert len(done.stdout.splitlines()) > 1, done.stderr


@pytest.mark.parametrize(("command", "taken"), [("list", {"host", "insecure"}), ("export", set()), ("fleet", set())])
def test_options_of_sources_are_taken_by_commands_that_read_sources_alone(command: str, taken: set[str]) -> None:
    content = parse('[sources]\nhost = ["hv01"]\ninsecure = true\n', Path("config.toml"))
    defaults, mistakes = defaults_of(main.load(command), command, content)
    assert (set(defaults), mistakes) == (taken, [])
