"""`vmtop fleet`: which server is meant, and what is refused before anything is asked."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.fleet.hosts import HostSpec
from collectors.model.workloads import Kind, Workload, WorkloadId
from tui.cli.commands.hosts.fleet import live_host, past_span
from tui.cli.main import main


def _run(*arguments: str, config: str = "", folder: Path | None = None) -> tuple[int, str]:
    environment = {}
    if folder is not None:
        (folder / "vmtop").mkdir()
        (folder / "vmtop" / "config.toml").write_text(config)
        environment = {"XDG_CONFIG_HOME": str(folder)}
    result = CliRunner().invoke(main, ["fleet", *arguments], prog_name="vmtop", env=environment)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--prometheus is missing: a URL"),
        (("--prometheus", "prod"), "the configuration has no [prometheus.prod], and it is no URL"),
        (
            ("--prometheus", "http://prom.example.org"),
            "change (fix: use https://, or allow it with --insecure)",
        ),
        (("--prometheus", "https://ops:geheim@prom.example.org"), "in the list of processes"),
        (("--prometheus", "https://x", "--match", "job"), "--match is not a list of label matchers"),
        (("--prometheus", "https://x", "--from", "sometime"), "sometime"),
        (("--prometheus", "https://x", "--from", "1h ago", "--to", "2h ago"), "--from has to be before --to"),
        (("--prometheus", "https://x"), "the screen needs a terminal"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    code, output = _run(*arguments)
    assert code != 0
    assert words in " ".join(output.split())
    assert "geheim" not in output


def test_the_only_server_of_the_configuration_needs_no_name(tmp_path: Path) -> None:
    _, output = _run(config='[prometheus.prod]\nurl = "https://prom.example.org"\n', folder=tmp_path)
    assert "the screen needs a terminal" in " ".join(output.split())


def test_several_servers_are_named(tmp_path: Path) -> None:
    config = '[prometheus.a]\nurl = "https://a"\n[prometheus.b]\nurl = "https://b"\n'
    _, output = _run(config=config, folder=tmp_path)
    assert "--prometheus is missing: one of a, b" in " ".join(output.split())


def test_enter_goes_to_the_live_screen_of_a_host_that_the_configuration_has() -> None:
    words = live_host([HostSpec("hv01", "admin@hv01.example.org")])
    workload = Workload(WorkloadId("systemd", "/a b/$(reboot).service", "hv01"), Kind.SERVICE, "x")
    line = words("hv01", workload)
    assert line is not None
    assert line[0] == "ssh"
    assert "-tt" in line
    assert "'id~^/a\\ b/\\$\\(reboot\\)\\.service'" in line[-1], "quoted for the shell there"
    assert words("hv02", None) is None


def test_a_span_of_the_past_that_reaches_beyond_now_ends_now(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 28, 3, 15).timestamp()
    monkeypatch.setattr(time, "time", lambda: now)
    assert past_span("03:05", "03:20") == (now - 600, now)
