"""What is read of an idle group, and what is not left out of it."""

from pathlib import Path

from collectors.sources.cgroup.files import Homes
from collectors.sources.cgroup.hierarchy import Hierarchy, Mode
from collectors.sources.cgroup.hot import AT_LEAST_EVERY, HotFiles
from tests.test_cgroup_source import write


def test_a_group_that_may_not_run_is_not_taken_for_an_idle_one(tmp_path: Path) -> None:
    places = {name: str(tmp_path / name) for name in ("cpu", "cpuacct", "memory")}
    write(tmp_path / "cpuacct", {"cpuacct.usage": "5000000\n", "cpuacct.stat": "user 1\nsystem 0\n"})
    write(tmp_path / "memory", {"memory.usage_in_bytes": "4096\n", "memory.stat": "total_inactive_file 0\n"})
    hot = HotFiles(Homes("/one", Hierarchy(Mode.V1, places), places))
    periods = []
    for number in range(1, 2 * AT_LEAST_EVERY):
        write(tmp_path / "cpu", {"cpu.stat": f"nr_periods {number}\nnr_throttled {number}\nthrottled_time 9\n"})
        hot.reopen()
        periods.append(hot.read(None).cpu_throttled_periods_total)
    hot.close()
    assert periods == [*range(1, 2 * AT_LEAST_EVERY)], (
        "it paid off what it had used too much: no CPU time, all throttled"
    )
