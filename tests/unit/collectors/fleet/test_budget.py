"""How much another host may make this one work."""

from __future__ import annotations

from collectors.fleet.budget import FLOOD_S, CpuBudget


def test_frames_of_an_ordinary_host_never_wait() -> None:
    budget = CpuBudget(0.0)
    assert not any(budget.spend(0.05, float(second)) for second in range(100))
    assert not budget.is_flooded(100.0)


def test_a_burst_is_taken_and_a_flood_waits_until_it_is_cut() -> None:
    budget, now, cpu_s = CpuBudget(0.0), 0.0, 0.0
    while not budget.is_flooded(now):
        now += 0.1
        cpu_s += 0.1
        now += budget.spend(0.1, now)
        assert now < 100
    assert now > FLOOD_S
    assert cpu_s < 0.25 * now + 1
