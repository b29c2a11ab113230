"""Every engine sets limits, or says in a sentence why not and what does."""

from __future__ import annotations

import pytest

from collectors.engines.base import Engine
from collectors.engines.registry import ENGINES
from collectors.model.errors import SourceAbsent
from collectors.model.limit_changes.elsewhere import SetsElsewhere
from collectors.model.limits import LIMITS
from collectors.model.workloads import Kind, State, Workload, WorkloadId

SETS_LIMITS = {"docker", "podman", "lxd", "lxc", "nspawn", "libvirt", "systemd", "demo"}


@pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.name)
def test_an_engine_sets_limits_or_says_why_not_and_what_does(engine: Engine) -> None:
    kind = Kind(min(engine.kinds)) if engine.kinds else Kind.VM
    name = min(engine.engine_names or {engine.name})
    workload = Workload(WorkloadId(name, "/a/web.service"), kind, "web", State.RUNNING)
    access = engine.connect([])
    if engine.name in SETS_LIMITS:
        limits = access.limits(workload)
        assert not isinstance(limits, SetsElsewhere)
        assert limits.settles_s >= 0
        return
    with pytest.raises(SourceAbsent) as error:
        access.limits(workload)
    assert f"vmtop sets no limits of {name}: " in error.value.reason
    assert error.value.remedy


def test_a_user_s_own_service_is_not_the_system_s() -> None:
    unit = Workload(WorkloadId("systemd-user", "/user.slice/x.service"), Kind.SERVICE, "x.service", State.RUNNING)
    engine = next(engine for engine in ENGINES if engine.name == "systemd")
    with pytest.raises(SourceAbsent):
        engine.connect([]).limits(unit)


def test_each_limit_has_a_range_and_workloads_that_can_have_it() -> None:
    for spec in LIMITS.values():
        assert spec.least < spec.most
        assert spec.kinds
        assert spec.bounds
