"""Which tests run which lines, found in one run of the tests under coverage and kept for the same code."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import coverage

from bench.mutants_copies import PYTEST, Runner, say
from bench.mutants_slips import Slip


class Covered(NamedTuple):
    """Which tests run what."""

    seconds: dict[str, float]
    """Of each test, by its name."""
    lines: dict[str, dict[str, list[str]]]
    """Tests by file and line; the keys of JSON are text."""

    def tests_of(self, slip: Slip) -> list[str]:
        """Return the tests that run the slip, the fastest first; of what an import runs, all that run the file."""
        lines = self.lines.get(slip.path, {})
        own = lines.get(str(slip.line)) or lines.get(str(slip.statement), [])
        wanted = lines.values() if slip.is_at_import else [own]
        found = {test for tests in wanted for test in tests if test in self.seconds}
        return sorted(found, key=lambda test: (self.seconds[test], test))


def cover(root: Path, code_in: Sequence[str], tests: list[str], runner: Runner, copy: Path) -> Covered | None:
    """Return which tests run what, from an earlier run of the same code if there was one; `None` if tests fail."""
    key = hashlib.sha256(json.dumps([tests, sys.version, texts_in(root, (".",))]).encode()).hexdigest()[:16]
    kept = root / ".venv" if (root / ".venv").is_dir() else Path(tempfile.gettempdir())
    cache = kept / f"mutants-{os.getuid()}-{key}.json"
    if cache.exists():
        return Covered(*json.loads(cache.read_text()))
    say("running the tests once without a slip, to see which of them run what")
    measured, seconds = copy.parent / "coverage", copy.parent / "seconds.json"
    run = ["-m", "coverage", "run", f"--data-file={measured}", f"--source={','.join(code_in)}"]
    variables = {"VMTOP_TEST_SECONDS": str(seconds), "COVERAGE_CORE": "ctrace"}
    code, said = runner.run(copy, [*run, *PYTEST, "-p", "bench.mutants_contexts", *tests], None, **variables)
    if code != 0:
        say(f"pytest fails without any slip (exit code {code}); nothing can be measured:\n{said[-4000:]}")
        return None
    data = coverage.CoverageData(str(measured))
    data.read()
    lines = {
        str(Path(path).relative_to(copy)): {str(line): names for line, names in data.contexts_by_lineno(path).items()}
        for path in data.measured_files()
    }
    covered = Covered(json.loads(seconds.read_text()), lines)
    cache.write_text(json.dumps(covered))
    return covered


def texts_in(root: Path, places: Sequence[str]) -> dict[str, str]:
    """Return the texts of all Python files in folders of the checkout, by path."""
    found = {path for place in places for path in [root / place, *(root / place).rglob("*.py")] if path.is_file()}
    relative = sorted(path.relative_to(root) for path in found)
    return {str(path): (root / path).read_text() for path in relative if not path.parts[0].startswith(".")}
