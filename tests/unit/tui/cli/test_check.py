"""`vmtop check` and `vmtop wait`: every exit code, and what people, scripts, Nagios and pipelines get."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from collectors.analysis.rates import Moment
from collectors.model.workloads import Availability, SourceState, State, WorkloadId
from collectors.sampling.source import SourceSpec
from tests.helpers.alert_frames import Host
from tests.helpers.junit import cases
from tui.cli import conditions, main, sources
from tui.cli.exit_codes import DONE, FAILED, MATCHED, NO_ANSWER, NO_SUCH, NOT_MEASURABLE, TIMED_OUT, USAGE
from tui.presenters.pipelines.nagios import Status

NAMES = ("host", "cgroup", "docker", "libvirt")
Play = Callable[..., Result]


class Stage:
    """A host whose moments the commands read, one after the other."""

    def __init__(self) -> None:
        self.host = Host()
        self.states = {name: SourceState(name, Availability.OK, read_at_ns=1) for name in NAMES}
        self.changes: dict[int, Callable[[], object]] = {}
        """By the number of a moment: what happens before it."""
        self.moments = 0

    def play(self) -> Iterator[Moment]:
        for number in itertools.count(1):
            self.host.sources = tuple(self.states.values())
            if number in self.changes:
                self.changes[number]()
            moment = self.host.moment()
            self.moments = number
            if number > 1:  # the first has no rates
                yield moment


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage()
    monkeypatch.setattr(sources, "specs", lambda *_: [SourceSpec(name) for name in NAMES])
    monkeypatch.setattr(conditions, "moments", lambda *_: stage.play())
    clock = iter(range(10_000))
    monkeypatch.setattr("tui.cli.conditions.time.monotonic", lambda: next(clock))
    return stage


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main.main, arguments, prog_name="vmtop")


def test_none_some_none_of_that_name_and_not_measurable_each_have_a_code(stage: Stage) -> None:
    stage.host.add("web", cpu_percent=93)
    stage.host.add("db", cpu_percent=3)
    assert run("check", "cpu > 95").exit_code == DONE
    assert run("check", "cpu > 80").exit_code == MATCHED
    assert run("check", "cpu > 80", "--name", "db").exit_code == DONE
    assert run("check", "cpu > 80", "--name", "ghost").exit_code == NO_SUCH
    assert run("check", "limit > 80", "--name", "web").exit_code == NOT_MEASURABLE
    assert run("check", "limit > 80").exit_code == NOT_MEASURABLE, "no workload has a limit"
    assert run("check", "cpux > 80").exit_code == USAGE
    assert run("check", "").exit_code == USAGE


@pytest.mark.parametrize(
    ("condition", "hint"),
    [
        ("cpu > 90% for 30s", "--for 30s"),
        ("cpu > 90 and mem > 1G", "side by side"),
        ("cpu > 90 || mem > 1G", "'or'"),
        ("cpu > 90 OR mem > 1G", "'or'"),
        ("not cpu > 90", "'!'"),
        ("cpu > 90 %", "90%"),
    ],
)
def test_words_of_a_sentence_are_refused_as_they_would_be_looked_for_in_names(condition: str, hint: str) -> None:
    for command in ("check", "wait"):
        for arguments in ([condition], ["cpu > 80", "--filter", condition]):
            refused = run(command, *arguments)
            assert (refused.exit_code, "is out of place" in refused.stderr, hint in refused.stderr) == (
                USAGE,
                True,
                True,
            )


def test_a_word_in_quotes_is_a_text(stage: Stage) -> None:
    stage.host.add("in", cpu_percent=93)
    stage.host.add("db", cpu_percent=93)
    found = json.loads(run("check", "cpu > 90 'in' or state=stopped", "--json").stdout)
    assert [one["name"] for one in found["workloads"] if one["finding"] == "matches"] == ["in"]


def test_a_source_that_has_not_answered_could_know_more(stage: Stage) -> None:
    stage.host.add("web", cpu_percent=3)
    stage.states["docker"] = SourceState("docker", Availability.WAITING)
    assert run("check", "cpu > 80", "--name", "db").exit_code == NO_ANSWER
    stage.states["cgroup"] = SourceState("cgroup", Availability.WAITING)
    assert run("check", "cpu > 80").exit_code == NO_ANSWER


def test_the_line_for_people_says_how_many_and_which(stage: Stage) -> None:
    stage.host.add("web", cpu_percent=93)
    stage.host.add("db", state=State.STOPPED)
    listed = "web (cpu 93%, state running), db (cpu 0%, state stopped)"
    line = f"2 of 2 workloads match cpu > 80 or state != running: {listed}\n"
    assert run("check", "cpu > 80 or state != running").stdout == line
    assert run("check", "cpu > 99").stdout == "none of 2 workloads matches cpu > 99\n"


def test_what_is_not_known_is_named_and_not_what_is(stage: Stage, tmp_path: Path) -> None:
    stage.host.add("web", cpu_percent=3)
    unhealthy = run("check", "health=unhealthy or state=crashed", "--name", "web")
    assert unhealthy.stdout.endswith("; not measurable: web (no health)\n")
    share = run("check", "mem > 90% of limit or steal > 5", "--name", "web")
    assert share.stdout.endswith("; not measurable: web (no mem of limit, no steal)\n")
    file = tmp_path / "out.xml"
    waited = run("wait", "health=healthy", "--name", "web", "--timeout", "3s", "--junit", str(file))
    assert waited.stderr.endswith("web (not measurable, no health)\n")
    assert "not measurable, no health" in file.read_text()


def test_values_that_are_old_are_told_as_old(stage: Stage) -> None:
    web = stage.host.add("web")
    stage.host.measure(web, memory_charged_bytes=5 << 30)
    stage.changes[3] = lambda: stage.host.frozen.add(web)
    late = run("check", "mem > 1G", "--name", "web", "--for", "30s")
    assert "not measurable: web (old: mem 5G)" in late.stdout


def test_it_has_to_hold_for_the_whole_time_and_is_over_once_it_does_not(stage: Stage) -> None:
    web = stage.host.add("web", cpu_percent=93)
    assert run("check", "cpu > 80", "--for", "5s").exit_code == MATCHED
    assert stage.moments == 7
    stage.changes[4] = lambda: stage.host.cpu_percent.update({web: 10})
    assert run("check", "cpu > 80", "--for", "30s").exit_code == DONE
    assert stage.moments == 4


def test_a_filter_and_names_say_who_is_checked(stage: Stage) -> None:
    stage.host.add("web", cpu_percent=93)
    stage.host.add("shop", cpu_percent=93, project="shop")
    document = json.loads(run("check", "cpu > 80", "--filter", "project=shop", "--json").stdout)
    assert [one["name"] for one in document["workloads"]] == ["shop"]
    document = json.loads(run("check", "cpu > 80", "--name", "w*", "--json").stdout)
    assert [(one["name"], one["finding"]) for one in document["workloads"]] == [("web", "matches")]
    assert document["workloads"][0]["metrics"]["cpu_percent"] == pytest.approx(93, abs=0.1)
    assert (document["schema"], document["matching"], document["unknown"]) == ("vmtop.check/1", 1, 0)


def test_the_host_is_checked_where_the_condition_says_so(stage: Stage) -> None:
    stage.host.add("web", cpu_percent=93)
    stage.host.host_fields = {"memory_charged_bytes": 7 << 30}
    assert "machine (limit 88%)" in run("check", "kind=host limit > 80%").stdout
    assert parsed(run("check", "kind=host limit > 80%", "--nagios"))[2] == {"machine limit": 87.5}


PLUGIN = re.compile(r"^VMTOP (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(?: \| (.+))?\n$")
VALUE = re.compile(r"'([^'=]+)'=(-?[0-9]+(?:\.[0-9]+)?)(|s|us|ms|%|B|KB|MB|TB|c);;;;$")


def parsed(result: Result) -> tuple[int, str, dict[str, float]]:
    """Read a plugin's output as the guidelines define it."""
    match = PLUGIN.match(result.stdout)
    assert match is not None, result.stdout
    values = {}
    for part in re.findall(r"'[^']*'=\S+", match[2] or ""):
        value = VALUE.match(part)
        assert value is not None, part
        values[value[1]] = float(value[2])
    return result.exit_code, match[1], values


def test_nagios_gets_a_status_and_values(stage: Stage) -> None:
    stage.host.add("web|'=x", cpu_percent=93)
    code, status, values = parsed(run("check", "cpu > 80", "--nagios"))
    assert (code, status, values) == (2, "CRITICAL", {"web__x cpu": 93.0})
    assert parsed(run("check", "cpu > 80", "--nagios", "--warn"))[:2] == (1, "WARNING")
    assert parsed(run("check", "cpu > 95", "--nagios"))[:2] == (0, "OK")
    assert parsed(run("check", "limit > 95", "--nagios")) == (3, "UNKNOWN", {})
    assert parsed(run("check", "cpu > 95", "--nagios", "--name", "ghost"))[:2] == (3, "UNKNOWN")
    assert run("check", "cpu > 95", "--warn").exit_code == USAGE


def test_a_mistake_is_unknown_to_nagios_and_not_critical(stage: Stage, tmp_path: Path) -> None:
    stage.host.add("web", cpu_percent=3)
    for mistake in (["cpux > 80"], ["cpu > 80 for 30s"], ["cpu > 80", "--json"], ["cpu > 80", "--no-such-option"]):
        assert parsed(run("check", *mistake, "--nagios"))[:2] == (3, "UNKNOWN"), mistake
    unwritable = run("check", "cpu > 80", "--nagios", "--junit", str(tmp_path / "gone" / "out.xml"))
    assert parsed(unwritable)[:2] == (3, "UNKNOWN")


def test_pipelines_get_a_case_for_each_workload(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.host.add("web", cpu_percent=93)
    stage.host.add("db", cpu_percent=3)
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    file = tmp_path / "out.xml"
    assert run("check", "cpu > 80", "--junit", str(file), "--summary").exit_code == MATCHED
    assert [(case.name, case.outcome) for case in cases(file.read_text())] == [
        ("web: not cpu > 80", "failure"),
        ("db: not cpu > 80", "passed"),
    ]
    assert "| ❌ | web |" in (tmp_path / "summary.md").read_text()


def test_a_file_that_has_no_place_is_refused_before_anything_is_read(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    for command in ("check", "wait"):
        no_place = run(command, "cpu > 80", "--summary")
        assert (no_place.exit_code, "is not set" in no_place.stderr) == (USAGE, True)
        no_folder = run(command, "cpu > 80", "--junit", str(tmp_path / "no" / "x.xml"))
        assert (no_folder.exit_code, "there is no such folder" in no_folder.stderr) == (USAGE, True)
    assert stage.moments == 0


def test_what_was_found_is_told_even_where_it_cannot_be_written(stage: Stage) -> None:
    stage.host.add("web", cpu_percent=93)
    unwritten = ("--junit", "/proc/x.xml")
    found = run("check", "cpu > 80", *unwritten)
    assert (found.exit_code, found.stdout) == (MATCHED, "1 of 1 workload matches cpu > 80: web (cpu 93%)\n")
    assert "/proc/x.xml cannot be written" in found.stderr
    assert run("check", "cpu > 95", *unwritten).exit_code == FAILED
    assert run("check", "cpu > 80", *unwritten, "--nagios").exit_code == Status.CRITICAL
    plugin = run("check", "cpu > 95", *unwritten, "--nagios")
    assert (plugin.exit_code, "UNKNOWN - /proc/x.xml cannot be written" in plugin.stdout) == (Status.UNKNOWN, True)
    held = run("wait", "cpu > 80", *unwritten)
    assert (held.exit_code, held.stdout.startswith("cpu > 80 holds")) == (FAILED, True)
    assert run("wait", "cpu > 95", "--name", "web", "--timeout", "3s", *unwritten).exit_code == TIMED_OUT


def healthy(stage: Stage, identity: WorkloadId) -> None:
    stage.host.workloads[identity] = msgspec.structs.replace(stage.host.workloads[identity], health="healthy")


def test_it_waits_until_all_that_are_named_are_so(stage: Stage, tmp_path: Path) -> None:
    db, web = stage.host.add("db", health="starting"), stage.host.add("web", health="starting")
    stage.changes = {5: lambda: healthy(stage, db), 9: lambda: healthy(stage, web)}
    file = tmp_path / "out.xml"
    done = run("wait", "health = healthy", "--name", "db", "--name", "web", "--timeout", "60s", "--junit", str(file))
    assert (done.exit_code, stage.moments) == (DONE, 9)
    assert done.stdout.startswith("health = healthy holds after")
    assert [case.outcome for case in cases(file.read_text())] == ["passed", "passed"]
    assert run("wait", "health = healthy", "--name", "db", "-q").stdout == ""


def test_without_a_name_one_is_enough(stage: Stage) -> None:
    stage.host.add("db", cpu_percent=3)
    stage.host.add("web", cpu_percent=93)
    assert run("wait", "cpu > 80").exit_code == DONE


def test_it_waits_for_one_that_is_not_there_yet(stage: Stage) -> None:
    stage.host.add("web")
    stage.changes[6] = lambda: stage.host.add("db", health="healthy")
    assert run("wait", "health = healthy", "--name", "db").exit_code == DONE
    assert stage.moments == 6


def test_it_does_not_wait_for_ever_and_says_what_is_so_instead(stage: Stage) -> None:
    stage.host.add("db", health="starting", cpu_percent=50)
    late = run("wait", "health = healthy", "--name", "db", "--timeout", "10s")
    assert (late.exit_code, late.stdout) == (TIMED_OUT, "")
    assert "health = healthy does not hold after" in late.stderr
    assert "db (health starting)" in late.stderr
    assert run("wait", "health = healthy", "--name", "ghost", "--timeout", "5s").exit_code == NO_SUCH
    assert run("wait", "limit > 5", "--name", "db", "--timeout", "5s").exit_code == NOT_MEASURABLE
    document = json.loads(run("wait", "cpu > 80", "--name", "db", "--timeout", "3s", "--json").stdout)
    assert document["workloads"][0]["finding"] == "does not match"


def test_it_has_to_stay_so(stage: Stage) -> None:
    web = stage.host.add("web", cpu_percent=3)
    stage.changes = {
        4: lambda: stage.host.cpu_percent.update({web: 90}),
        5: lambda: stage.host.cpu_percent.update({web: 3}),
    }
    assert run("wait", "cpu < 5", "--name", "web", "--for", "4s").exit_code == DONE
    assert stage.moments == 9
