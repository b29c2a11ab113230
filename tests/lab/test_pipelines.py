"""The jobs, the Nagios service and the cron line of `docs/ci.md`, run as they stand there on real containers."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.junit import cases
from tests.helpers.lab.docker_engine import DockerLab, busybox_archive
from tests.helpers.lab.process import find_program
from tests.helpers.patience import EXTERNAL_S
from tests.helpers.pipelines import Step, blocks, job, run_github, run_gitlab
from tui.cli.exit_codes import MATCHED, OVER_BUDGET

pytestmark = pytest.mark.lab

LOAD_TEST = "#!/bin/sh\nexec sleep 25\n"
"""More than five windows of five readings, two a second."""
MAKEFILE = "test:\n\t@echo all tests pass\n"
DATABASE = "db"


def make_program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


class Runner:
    """A workspace as a CI system has it after its checkout, on a host with an engine.

    `pipx` and the build of the image stand for those that need a network; `vmtop` and `docker` are the real ones.
    """

    def __init__(self, lab: DockerLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.summary = folder / "summary.md"
        (folder / "bin").mkdir()
        make_program(folder / "bin" / "pipx", "#!/bin/sh\n")
        for name, path in (("vmtop", Path(sys.executable).with_name("vmtop")), ("docker", find_program("docker"))):
            (folder / "bin" / name).symlink_to(path)
        make_program(folder / "load-test", LOAD_TEST)
        (folder / "Makefile").write_text(MAKEFILE)
        self.environment = {
            "PATH": f"{folder}/bin:{os.environ['PATH']}",
            "HOME": str(folder),
            "DOCKER_HOST": lab.url,
            "GITHUB_STEP_SUMMARY": str(self.summary),
        }

    def build(self, held_mib: int) -> None:
        """Make the image of a shop that holds so much memory, as the step that builds it would."""
        command = f"dd if=/dev/zero bs={held_mib}M 2>/dev/null | sleep 100000"
        self.lab.client.import_image_from_data(
            busybox_archive(),
            repository="shop",
            tag="ci",
            changes=[f'CMD ["sh", "-c", "{command}"]', "HEALTHCHECK --interval=1s CMD true"],
        )

    def outcomes(self, file: str) -> list[str]:
        """Return the outcomes in a JUnit file that a CI server would take."""
        return [case.outcome for case in cases((self.folder / file).read_text())]


@pytest.fixture
def runner(docker_lab: DockerLab, tmp_path: Path) -> Iterator[Runner]:
    yield Runner(docker_lab, tmp_path)
    docker_lab.remove("shop")


def github(runner: Runner, is_main: bool) -> list[Step]:
    """Run the job of GitHub, and remove the shop as the end of a hosted runner does."""
    steps = job(".github/workflows/resources.yml")["jobs"]["resources"]["steps"]
    kept = runner.folder / "main.vmtop.gz"
    done = run_github(
        steps,
        runner.folder,
        runner.environment,
        {"hashFiles('main.vmtop.gz') != ''": kept.exists, "github.ref == 'refs/heads/main'": lambda: is_main},
    )
    runner.lab.remove("shop")
    return done


def test_githubs_job_leaves_a_recording_and_the_next_fails_where_it_uses_more(runner: Runner) -> None:
    runner.build(held_mib=32)
    done = github(runner, is_main=True)
    assert [step.exit_code for step in done] == [0] * len(done), done
    assert done[-1].name == "Keep it for the next"
    assert (runner.folder / "main.vmtop.gz").stat().st_size > 0
    assert not (runner.folder / "compare.xml").exists()
    for file in ("run.xml", "wait.xml", "check.xml"):
        assert set(runner.outcomes(file)) == {"passed"}, file
    first = runner.summary.read_text()
    assert first.count("|---") >= 3, first

    runner.build(held_mib=64)
    done = github(runner, is_main=False)
    assert [step.exit_code for step in done][-1] == OVER_BUDGET, done
    assert done[-1].name == "Not more than on the main branch"
    assert {step.exit_code for step in done[:-1]} == {0}
    assert "over budget: shop: mem > +10%" in done[-1].output
    assert runner.outcomes("compare.xml") == ["failure", "passed"]
    assert runner.summary.read_text()[len(first) :].count("❌") == 1


def test_gitlabs_job_passes_stops_at_what_is_at_its_limit_and_always_tidies_up(runner: Runner) -> None:
    runner.build(held_mib=32)
    (runner.folder / "bin" / "docker").unlink()  # a build needs buildx: the image is there already
    real = find_program("docker")
    make_program(runner.folder / "bin" / "docker", f'#!/bin/sh\n[ "$1" = build ] || exec {real} "$@"\n')
    described = job(".gitlab-ci.yml")["resources"]
    environment = runner.environment | {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main"}
    script, after = run_gitlab(described, runner.folder, environment)
    assert script.exit_code == 0, script.output
    assert after.exit_code == 0, after.output
    assert (runner.folder / "main.vmtop.gz").stat().st_size > 0

    runner.build(held_mib=240)
    script, after = run_gitlab(described, runner.folder, environment | {"CI_COMMIT_BRANCH": "feature"})
    assert script.exit_code == MATCHED, script.output
    assert "failure" in runner.outcomes("check.xml")
    assert not (runner.folder / "compare.xml").exists()
    assert after.exit_code == 0
    assert not runner.lab.client.containers(all=True, filters={"name": "shop"})


@pytest.fixture
def database(docker_lab: DockerLab) -> Iterator[str]:
    identity = docker_lab.run_memory_hog(DATABASE, held_mib=20, limit_mib=64)
    yield identity
    docker_lab.remove(identity)


def fill(lab: DockerLab, identity: str) -> None:
    """Replace the database by one that has used up its memory."""
    lab.remove(identity)
    lab.run_memory_hog(DATABASE, held_mib=60, limit_mib=64)


def sh(runner: Runner, words: str) -> tuple[int, str]:
    done = subprocess.run(
        ["sh", "-c", words], env=runner.environment, capture_output=True, text=True, timeout=EXTERNAL_S
    )
    return done.returncode, done.stdout + done.stderr


def nagios_command() -> str:
    """Return the command line of the service that the page defines, with its arguments put in as Nagios does."""
    (text,) = (text for text in blocks() if "define service" in text)
    pairs = dict(line.strip().split(None, 1) for line in text.splitlines() if line.startswith(" "))
    name, *arguments = pairs["check_command"].split("!")
    assert name == pairs["command_name"]
    command = pairs["command_line"].replace("/usr/local/bin/vmtop", "vmtop")
    for number, argument in enumerate(arguments, 1):
        command = command.replace(f"$ARG{number}$", argument)
    return command


def test_the_nagios_service_is_ok_critical_and_unknown(runner: Runner, database: str) -> None:
    command = nagios_command()
    code, output = sh(runner, command)
    assert (code, output.partition(" - ")[0]) == (0, "VMTOP OK"), output
    assert "db mem" in output.partition("|")[2]
    fill(runner.lab, database)
    code, output = sh(runner, command)
    assert (code, output.partition(" - ")[0]) == (2, "VMTOP CRITICAL"), output
    runner.lab.remove(DATABASE)
    code, output = sh(runner, command)
    assert (code, output.partition(" - ")[0]) == (3, "VMTOP UNKNOWN"), output


def test_the_cron_line_is_silent_until_something_is_wrong(runner: Runner, database: str) -> None:
    (text,) = (text for text in blocks() if "MAILTO" in text)
    (line,) = (line for line in text.splitlines() if line.startswith("*/5"))
    command = line.split(None, 6)[6].replace("\\%", "%")
    assert sh(runner, command) == (0, "")
    fill(runner.lab, database)
    code, output = sh(runner, command)
    assert code == 0
    assert DATABASE in output
