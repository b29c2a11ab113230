"""Budgets of real recordings: an idle service does not fail by chance, and one that holds a fifth more always does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from collectors.session.reader import Session
from tests.helpers.lab.docker_engine import DockerLab
from tui.cli.exit_codes import DONE, NOT_MEASURABLE, OVER_BUDGET
from tui.cli.main import main

pytestmark = pytest.mark.lab

VMTOP = str(Path(sys.executable).parent / "vmtop")
LASTS_S = 60
"""Seconds of the one recording that has all services: they ran at the same time, on an equally busy host."""
CUT_S = 10
"""Seconds of a piece."""
PAIRS = 50
SERVICE, SAME, MORE = "budget-main", "budget-same", "budget-more"


@pytest.fixture(scope="module")
def recording(docker_lab: DockerLab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Record two equal idle services, and one that holds 20 % more memory."""
    containers = [docker_lab.run_memory_hog(name, 50, 128) for name in (SERVICE, SAME)]
    containers.append(docker_lab.run_memory_hog(MORE, 60, 128))
    path = tmp_path_factory.mktemp("budgets") / "all.vmtop.gz"
    words = [VMTOP, "record", str(path), "--docker", docker_lab.url, "--interval", "0.2", "--duration", f"{LASTS_S}s"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=LASTS_S + 120, check=False)
    assert done.returncode == 0, done.stderr
    yield path
    for container in containers:
        docker_lab.remove(container)


@pytest.fixture(scope="module")
def pieces(recording: Path) -> list[Path]:
    """Cut pieces that begin a second apart."""
    session = Session([recording])
    first, last = session.span()
    session.close()
    found = []
    for number in range(PAIRS):
        start = 1 + number * (last - first - 2 - CUT_S) / (PAIRS - 1)
        piece = recording.with_name(f"piece-{number}.vmtop.gz")
        run("cut", str(recording), "--from", f"+{start:.1f}s", "--to", f"+{CUT_S}s", "-o", str(piece), code=DONE)
        found.append(piece)
    return found


def run(*words: str, code: int) -> str:
    result = CliRunner().invoke(main, words, prog_name="vmtop")
    assert result.exit_code == code, result.output
    return result.output


def judged(first: Path, second: Path, *names: str, condition: str = "mem > +10%") -> int:
    words = ("compare", *names, "--session", str(first), "--session", str(second), "--past", "--fail-if", condition)
    return CliRunner().invoke(main, words, prog_name="vmtop").exit_code


def test_an_idle_service_is_within_ten_percent_of_itself_in_fifty_of_fifty_pairs(pieces: list[Path]) -> None:
    pairs = zip(pieces, (*pieces[PAIRS // 2 :], *pieces[: PAIRS // 2]), strict=True)
    assert [judged(first, second, SERVICE) for first, second in pairs] == [DONE] * PAIRS


def test_an_equal_service_is_within_ten_percent_in_fifty_of_fifty_pairs(pieces: list[Path]) -> None:
    assert [judged(first, second, SERVICE, SAME) for first, second in zip(pieces, reversed(pieces), strict=True)] == [
        DONE
    ] * PAIRS


def test_a_service_that_holds_a_fifth_more_fails_in_fifty_of_fifty_pairs(pieces: list[Path]) -> None:
    assert [judged(first, second, SERVICE, MORE) for first, second in zip(pieces, reversed(pieces), strict=True)] == [
        OVER_BUDGET
    ] * PAIRS


def test_a_second_of_it_is_too_short_to_be_judged(recording: Path) -> None:
    short = recording.with_name("short.vmtop.gz")
    run("cut", str(recording), "--from", "+5s", "--to", "+2s", "-o", str(short), code=DONE)
    assert judged(recording, short, SERVICE) == NOT_MEASURABLE
