"""Puts slips into copies of the code, one at a time, and counts those that the tests without daemons catch.

Run it with `make mutants`. A line that only child processes of tests run counts as one that no test executes.
"""

from __future__ import annotations

import argparse
import os
import queue
import shutil
import signal
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import date
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from bench.mutants_copies import CAUGHT, LIMIT, PYTEST, SURVIVED, UNRUN, Runner, judge, make_copy, say
from bench.mutants_coverage import Covered, cover, texts_in
from bench.mutants_slips import Slip, choose, find_slips

_ROOT = Path(__file__).parents[1]
_CODE = ("tui", "collectors")


class Result(NamedTuple):
    """What became of a slip."""

    slip: Slip
    outcome: str
    note: str = ""


def report(results: list[Result], changed: dict[Slip, tuple[str, str]]) -> str:
    """Return the score and a table of what survived."""
    count = Counter(result.outcome for result in results)
    share = 100 * count[CAUGHT] / len(results) if results else 0.0
    lines = [f"{count[CAUGHT]} of {len(results)} slips caught ({share:.0f} %)"]
    lines += [f"{name}: {count[name]}" for name in (SURVIVED, UNRUN, LIMIT)]
    lines += ["", "| survivor | kind | before | with the slip | tests |", "|---|---|---|---|---|"]
    for result in sorted(results):
        if result.outcome in (SURVIVED, UNRUN):
            old, new = (f"`{line}`".replace("|", r"\|") for line in changed[result.slip])
            where = f"{result.slip.path}:{result.slip.line}"
            lines.append(f"| {where} | {result.slip.kind} | {old} | {new} | {result.note or result.outcome} |")
    return "\n".join(lines) + "\n"


def changed_line(text: str, slip: Slip) -> tuple[str, str]:
    """Return the line before and with the slip."""
    line = slip.line - 1
    new = slip.put(text).splitlines()
    return text.splitlines()[line].strip(), new[line].strip()


def main(arguments: list[str] | None = None) -> int:
    """Measure; the score does not change the exit code."""
    parser = _arguments()
    asked = parser.parse_args(arguments)
    for place in [*asked.tests, *(asked.code or ())]:
        if not (_ROOT / place.partition("::")[0]).exists():
            parser.error(f"there is no {place} in {_ROOT}")
    signal.signal(signal.SIGINT, _interrupt)  # a handler, even where it was ignored: children then have the default
    signal.signal(signal.SIGTERM, _interrupt)
    runner = Runner()
    with tempfile.TemporaryDirectory(prefix="vmtop-mutants-", dir="/var/tmp") as folder:  # a short path: sockets
        try:
            return _measure(asked, runner, Path(folder))
        except KeyboardInterrupt:
            say("interrupted")
            return 130
        finally:
            runner.end()


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _measure(asked: argparse.Namespace, runner: Runner, folder: Path) -> int:
    texts = texts_in(_ROOT, asked.code or _CODE)
    slips = [slip for path, text in texts.items() for slip in find_slips(path, text)]
    lengths = {path: len(text.splitlines()) for path, text in texts.items()}
    chosen = choose(slips, lengths, asked.slips, asked.seed)
    say(f"{len(chosen)} of {len(slips)} slips in {len(texts)} files, --seed {asked.seed}")
    copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for number in range(asked.workers):
        copies.put(make_copy(_ROOT, folder / str(number)))
    covered = cover(_ROOT, _CODE, asked.tests, runner, folder / "0")
    if covered is None:
        return 1
    results = _all(asked, runner, copies, covered, chosen)
    text = report(results, {slip: changed_line(texts[slip.path], slip) for slip in chosen})
    sys.stdout.write(text)
    if asked.output:
        asked.output.write_text(text)
    return 0


def _all(
    asked: argparse.Namespace, runner: Runner, copies: queue.SimpleQueue[Path], covered: Covered, chosen: list[Slip]
) -> list[Result]:
    """Try every slip, in as many copies as there are workers."""
    results: list[Result] = []
    with ThreadPoolExecutor(asked.workers) as pool:
        try:
            tried = [pool.submit(_try, asked, runner, copies, covered, slip) for slip in chosen]
            for done in as_completed(tried):
                slip, outcome, note = result = done.result()
                say(f"{slip.path}:{slip.line} {slip.kind}: {outcome}{note and f' ({note})'}")
                results.append(result)
        except BaseException:
            runner.end()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results


def _try(
    asked: argparse.Namespace, runner: Runner, copies: queue.SimpleQueue[Path], covered: Covered, slip: Slip
) -> Result:
    """Run the tests of a slip in a copy that has it."""
    tests = covered.tests_of(slip)
    if not tests:
        return Result(slip, UNRUN)
    taken = tests[: asked.most]
    note = f"{len(taken)} of {len(tests)} tests" if len(taken) < len(tests) else f"{len(tests)} tests"
    limit_s = 60 + 3 * sum(covered.seconds[test] for test in taken)
    copy = copies.get()
    try:
        changed = copy / slip.path
        changed.write_text(slip.put(changed.read_text()))
        code, said = runner.run(copy, [*PYTEST, "-x", f"--timeout={asked.timeout}", *taken], limit_s)
        return Result(slip, judge(code, said), note)
    finally:
        shutil.copy2(_ROOT / slip.path, copy / slip.path)
        copies.put(copy)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.mutants", description=__doc__)
    parser.add_argument("tests", nargs="*", help="test files to use; all if none is named")
    parser.add_argument("--slips", type=_count, default=60, help="how many (60)")
    parser.add_argument("--seed", type=int, default=date.today().toordinal(), help="of the choice (today)")
    parser.add_argument("--code", action="append", help="folder or file to put slips into; may be repeated")
    parser.add_argument("--most", type=_count, default=40, help="tests run for a slip, the fastest first (40)")
    parser.add_argument("--timeout", type=_count, default=60, help="seconds for one test (60)")
    parser.add_argument("--workers", type=_count, default=os.cpu_count() or 1, help="copies at a time (cores)")
    parser.add_argument("--output", type=Path, help="write the score and the survivors to this file, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
