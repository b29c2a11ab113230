"""What Podman's runtime is sent, from what the container's control group has."""

from __future__ import annotations

from collectors.engines.cgroup_limits import UNLIMITED_BYTES, Group, group_limits
from collectors.engines.podman.limits import PodmanLimits, _settings, nested, new_setting
from collectors.model.limits import LimitKey, Way
from tests.helpers.fake_limits import WEB

MIB = 1 << 20
CPUS = frozenset(range(4))
PODMAN = PodmanLimits(None)  # type: ignore[arg-type]  # it is not asked
GROUP = Group(50_000, 20_000, 100, b"0-1\n", 256 * MIB, 300 * MIB, -1)


def test_the_swap_moves_with_the_memory_and_the_period_stays() -> None:
    limits = {key: limit._replace(settings=_settings(key, GROUP)) for key, limit in group_limits(GROUP, CPUS).items()}
    memory = new_setting(limits[LimitKey.MEMORY], 200 * MIB)
    assert nested(memory.values) == {"memory": {"limit": 200 * MIB, "swap": 244 * MIB}}
    assert nested(new_setting(limits[LimitKey.CPU], 1.5).values) == {"cpu": {"quota": 30_000, "period": 20_000}}
    assert nested(new_setting(limits[LimitKey.MEMORY], None).values) == {
        "memory": {"limit": UNLIMITED_BYTES, "swap": -1}
    }
    back = PODMAN.back(WEB, limits[LimitKey.MEMORY])
    assert nested(back.values) == {"memory": {"limit": 256 * MIB, "swap": 300 * MIB}}


def test_what_podman_forgets_is_not_kept() -> None:
    assert "forgets it" in PODMAN.cannot_keep(WEB)
    memory = new_setting(group_limits(GROUP, CPUS)[LimitKey.MEMORY]._replace(settings={"memory.limit": 1}), 200 * MIB)
    assert PODMAN.commands(WEB, LimitKey.MEMORY, memory, Way()) == (f"docker update --memory={200 * MIB} web",)


def test_a_group_without_a_file_is_not_measured_and_not_without_a_limit() -> None:
    limits = group_limits(Group(quota_us=-1, period_us=100_000, memory_bytes=-1), CPUS)
    assert (limits[LimitKey.CPU].value, limits[LimitKey.CPU].is_measured) == (None, True)
    assert (limits[LimitKey.PIDS].value, limits[LimitKey.PIDS].is_measured) == (None, False)
