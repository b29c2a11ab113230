"""`vmtop sizes`: the table, documents and commands, from sessions and live."""

from __future__ import annotations

import csv
import io
import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from collectors.comparison.size import Advice, Resource, Size
from collectors.comparison.sizing import Sizing
from collectors.model.workloads import Frame, Kind, State, WorkloadId
from tests.helpers.strategies import workload
from tests.unit.collectors.comparison.test_sizing import GIB, MIB, VM, container, frames_of, machine, throttled
from tests.unit.collectors.session.test_session_file import write
from tui.cli import sources
from tui.cli.exit_codes import DONE, NO_SUCH, USAGE
from tui.cli.main import main
from tui.presenters.comparison.sizes import Sizes, command_lines


def together(*sequences: list[Frame]) -> list[Frame]:
    """Put the workloads of several sequences of equal length into one."""
    return [
        replace(
            frames[0],
            workloads={key: value for frame in frames for key, value in frame.workloads.items()},
            samples={key: value for frame in frames for key, value in frame.samples.items()},
        )
        for frames in zip(*sequences, strict=True)
    ]


@pytest.fixture
def session(tmp_path: Path) -> str:
    frames = together(
        frames_of(workload("web"), container(0.3, 200 * MIB, cpu_limit_cores=2.0, memory_limit_bytes=GIB)),
        frames_of(workload("free"), container()),
        frames_of(workload("slow"), throttled(0.3)),
        frames_of(VM, machine(0.5, memory_rss_bytes=4 * GIB + 64 * MIB)),
        frames_of(workload("dark", Kind.VM, "libvirt"), machine(0.5, used=None)),
    )
    return str(write(tmp_path / "day.gz", frames))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["sizes", *arguments], prog_name="vmtop")


def test_the_table_has_two_rows_for_each_workload_and_what_all_changes_free(session: str) -> None:
    result = run("--session", session)
    assert result.exit_code == DONE
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["NAME", "WHAT", "HAS", "P50", "P95", "P99", "MAX", "FITS", "OTHER", "ADVICE"]
    assert ["web", "cpu", "2", "0.3", "0.3", "0.3", "0.3", "0.4", "less"] in rows
    assert ["memory", "1.0G", "200M", "200M", "200M", "200M", "272M", "as", "vm", "264M", "less"] in rows
    assert ["free", "cpu", "-", "0.5", "0.5", "0.5", "0.5", "0.7", "no", "limit"] in rows
    assert ["memory", "4.0G", "-", "-", "-", "-", "-", "as", "ct", "-", "unknown"] in rows
    text = " ".join(result.stdout.split())
    assert "CPU: throttled in 30 % of its periods: what it used is less than what it needs: slow" in text
    assert "memory: not measurable from outside: the guest's balloon driver does not report" in text
    assert "as ct: not measured here: the overhead of none of the containers could be measured: vm" in text
    assert text.endswith("of memory, promised on this host.")


def test_names_choose_and_unknown_ones_are_told(session: str) -> None:
    result = run("web", "nobody", "--session", session, "--json")
    assert result.exit_code == NO_SUCH
    assert "nobody: no such workload" in result.stderr
    assert [told["name"] for told in json.loads(result.stdout)["workloads"]] == ["web"]
    assert json.loads(run("w*", "--session", session, "--json").stdout)["workloads"][0]["name"] == "web"


def test_the_commands_set_what_would_fit_and_nothing_that_no_limit_can_do(session: str) -> None:
    lines = run("--session", session, "--commands").stdout.splitlines()
    assert lines == [
        "vmtop set dark vcpus=1",
        "vmtop set slow cpu=3",
        "vmtop set vm vcpus=1 memory=832M",
        "vmtop set web cpu=0.4 memory=272M",
    ]


def test_the_command_of_weak_evidence_is_only_a_comment(session: str) -> None:
    (line,) = run("web", "--session", session, "--over", "5m", "--commands").stdout.splitlines()
    assert line == "# weak evidence (seen for 5 minutes only): vmtop set web cpu=0.4 memory=272M"


@pytest.mark.parametrize("name", ["$(reboot)", "a b", "-x", "'; reboot #", "web\n#"])
def test_a_hostile_name_is_no_word_of_a_command(name: str, tmp_path: Path) -> None:
    hostile = workload("0123456789ab")
    limited = container(0.3, 200 * MIB, cpu_limit_cores=2.0, memory_limit_bytes=GIB)
    frames = frames_of(replace(hostile, name=name), limited)
    result = run("--session", str(write(tmp_path / "hostile.gz", frames)), "--commands")
    assert shlex.split(result.stdout) == ["vmtop", "set", "0123456789ab", "cpu=0.4", "memory=272M"]


@given(st.text(max_size=20), st.text(min_size=1, max_size=20), st.text(max_size=8), st.booleans())
def test_whatever_a_workload_is_called_a_shell_reads_nothing_but_vmtop_set(
    name: str, identity: str, host: str, is_weak: bool
) -> None:
    described = replace(workload(), id=WorkloadId("docker", identity, host), name=name)
    size = Size(Resource.CPU, Advice.LESS, "", 2.0, fits=0.5)
    unknown = Size(Resource.MEMORY, Advice.UNKNOWN, "")
    sizing = Sizing(described, size, unknown, ("seen for 5 s only",) if is_weak else (), 5.0, 0)
    written = command_lines(Sizes([sizing], {}, {}, 0.3, (0.0, 1.0), [described]))
    words = shlex.split(written, comments=True)
    assert written.count("\n") == 1
    if words:
        assert not is_weak
        assert (words[:2], words[-1]) == (["vmtop", "set"], "cpu=0.5")
        assert len(words) == 4 + words[2].startswith("-"), "what looks like an option comes after --"


def test_a_name_that_two_workloads_have_is_not_written(tmp_path: Path) -> None:
    limited = container(0.3, 200 * MIB, cpu_limit_cores=2.0, memory_limit_bytes=GIB)
    twin = replace(workload("web"), id=WorkloadId("docker", "f" * 64))
    frames = together(frames_of(workload("web"), limited), frames_of(twin, limited))
    lines = run("--session", str(write(tmp_path / "twins.gz", frames)), "--commands").stdout.splitlines()
    assert [line.split()[2] for line in lines] == ["f" * 64, "web"], "each by its id"


def test_the_headroom_is_what_is_asked_for(session: str) -> None:
    fits = {}
    for headroom in ("0%", "30", "100%"):
        told = json.loads(run("web", "--session", session, "--json", "--headroom", headroom).stdout)
        fits[headroom] = [size["fits"] for size in told["workloads"][0]["sizes"]]
    assert fits == {"0%": [0.3, 208 * MIB], "30": [0.4, 272 * MIB], "100%": [0.6, 400 * MIB]}
    for wrong in ("much", "-5%", "nan", "9999%"):
        refused = run("web", "--session", session, "--headroom", wrong)
        assert refused.exit_code == USAGE
        assert "is not a percentage" in refused.stderr


def test_defaults_of_the_configuration_are_percentages_and_give_way_to_what_is_typed(
    session: str, tmp_path: Path
) -> None:
    (tmp_path / "vmtop").mkdir()
    (tmp_path / "vmtop" / "config.toml").write_text(
        '[sizes]\nheadroom = 100.0\nover = "5m"\nprometheus = "prod"\nmatch = "x"\n'
    )
    env = {"XDG_CONFIG_HOME": str(tmp_path)}
    words = ["sizes", "web", "--session", session, "--json"]
    told = json.loads(CliRunner().invoke(main, words, prog_name="vmtop", env=env).stdout)
    assert told["headroom"] == 1.0
    assert told["workloads"][0]["seconds"] == 300.0, "a session is asked for, not the server"
    typed = [*words, "--from", "start", "--to", "+2m", "--headroom", "0"]
    told = json.loads(CliRunner().invoke(main, typed, prog_name="vmtop", env=env).stdout)
    assert (told["headroom"], told["workloads"][0]["seconds"]) == (0.0, 120.0)


def test_the_document_has_null_for_what_is_unknown_and_says_why(session: str) -> None:
    told = json.loads(run("--session", session, "--json").stdout)
    assert told["schema"] == "vmtop.sizes/1"
    by_name = {one["name"]: one for one in told["workloads"]}
    dark = by_name["dark"]["sizes"][1]
    assert (dark["fits"], dark["p95"], dark["advice"], dark["frees"]) == (None, None, "unknown", 0)
    assert "not measurable from outside" in dark["why"]
    assert by_name["free"]["sizes"][1]["has"] is None
    assert by_name["vm"]["as_other_kind"]["memory_bytes"] is None
    assert by_name["vm"]["as_other_kind"]["why_not"].startswith("not measured here")
    assert by_name["web"]["as_other_kind"]["memory_bytes"] == 264 * MIB
    assert "mean of OVERHEAD" in by_name["web"]["as_other_kind"]["how"]
    (host,) = told["hosts"]
    assert host["frees_cores"] == pytest.approx(1.6 - 1 + 3 + 3)
    assert (host["cores"], host["memory_bytes"]) == (8, 16 * GIB)


def test_csv_has_a_line_for_each_resource_and_nothing_for_what_is_unknown(session: str) -> None:
    rows = list(csv.DictReader(io.StringIO(run("--session", session, "--csv").stdout)))
    assert len(rows) == 10
    dark = next(row for row in rows if row["name"] == "dark" and row["resource"] == "memory")
    assert (dark["fits"], dark["p99"], dark["advice"]) == ("", "", "unknown")


def test_a_span_of_a_session_can_be_chosen(session: str) -> None:
    told = json.loads(run("web", "--session", session, "--from", "start", "--to", "+2m", "--json").stdout)
    assert told["workloads"][0]["seconds"] == 120.0
    assert told["workloads"][0]["weak_evidence"] == ["seen for 2 minutes only"]


def test_a_time_in_which_nothing_ran_is_told(tmp_path: Path) -> None:
    frames = frames_of(workload(state=State.STOPPED), lambda _: [], 60)
    result = run("--session", str(write(tmp_path / "still.gz", frames)))
    assert (result.exit_code, result.stdout) == (DONE, "")
    assert result.stderr == "vmtop: nothing ran in this time\n"


def test_this_host_is_watched_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "specs", lambda *_: sources.demo(8, 7))
    result = run("--over", "2s", "--json")
    assert result.exit_code == DONE, result.output
    told = json.loads(result.stdout)
    assert told["workloads"]
    assert all(one["weak_evidence"] for one in told["workloads"])
    assert run("no-such-workload", "--over", "2s").exit_code == NO_SUCH


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--json", "--csv"), "exclude each other"),
        (("--csv", "--commands"), "exclude each other"),
        (("--from", "1h ago"), "--from and --to need --session or --prometheus"),
        (("--session", "a.gz", "--prometheus", "x"), "exclude each other"),
        (("--prometheus", "x", "--over", "5m"), "exclude each other"),
        (("--match", 'job="x"'), "--match belongs to --prometheus"),
        (("--prometheus", "prod"), "the configuration has no [prometheus.prod]"),
        (("--prometheus", "http://prom.example.org"), "allow it with --insecure"),
        (("--prometheus", "http://127.0.0.1:9", "--from", "2h ago", "--to", "3h ago"), "--from has to be before --to"),
        (("--prometheus", "http://127.0.0.1:9"), "127.0.0.1:9"),
        (("--session", "/nonexistent/a.gz"), "/nonexistent/a.gz"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    result = run(*arguments)
    assert result.exit_code != DONE
    assert words in " ".join(result.stderr.split())
