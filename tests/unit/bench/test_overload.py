"""A list on an overloaded host counts as whole, as one that says what it lacks, or as a fault."""

from __future__ import annotations

import json

import pytest

from bench.overload import SAID, SILENT, WHOLE, Run, judge


def listed(**cpu_by_name: float | None) -> str:
    def metrics(cpu: float | None) -> dict[str, float | None]:
        return {"cpu_percent": cpu, "memory_host_bytes": 4096}

    workloads = [{"name": name, "metrics": metrics(cpu)} for name, cpu in cpu_by_name.items()]
    return json.dumps({"host": {"metrics": metrics(97.0)}, "workloads": workloads})


@pytest.mark.parametrize(
    ("run", "verdict"),
    [
        (Run(0, listed(web=0.0, db=5.0, other=None), ""), WHOLE),
        (Run(0, listed(web=0.0, db=None), "vmtop: cgroup: a reason\n"), SILENT),
        (Run(0, listed(web=0.0), ""), SILENT),
        (Run(8, listed(web=0.0), "vmtop: docker has not answered in 30 s\n"), SAID),
        (Run(8, listed(web=0.0), ""), SILENT),
        (Run(1, "", "Traceback (most recent call last)\n"), SILENT),
    ],
)
def test_a_list_is_judged_by_its_numbers_or_by_its_exit_code_and_a_sentence(run: Run, verdict: str) -> None:
    assert judge(run, ["web", "db"]) == verdict
