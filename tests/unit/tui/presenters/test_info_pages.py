"""`w`: the age of each source once, the true reason of each cell; `!`: what a number counts."""

from __future__ import annotations

import msgspec

from collectors.analysis.rates import Deriver, Moment
from collectors.model.workloads import Availability, SourceState, Workload
from tests.helpers.strategies import frame, workload
from tui.presenters.pages.info_pages import action_page, sources_page, why_page

WEB = workload("web")


def moment(*sources: SourceState, fields: dict[str, int] | None = None, late_s: float = 0.0) -> Moment:
    """Make a moment with the workload, `late_s` seconds after its newest sample."""
    deriver = Deriver()
    seen: dict[Workload, dict[str, int]] = {WEB: fields or {}}
    deriver.feed(frame(1, seen))
    last = frame(2, seen)
    return deriver.feed(msgspec.structs.replace(last, sources=sources, at_ns=last.at_ns + int(late_s * 1e9)))


def page(at: Moment) -> str:
    """Return the text for the workload."""
    return why_page(at.readings[WEB.id], at).plain


def test_the_age_of_a_source_is_said_once() -> None:
    fields = {"cpu_total_ns": 1, "memory_charged_bytes": 5, "pids": 3}
    text = page(moment(SourceState("cgroup", Availability.OK), fields=fields, late_s=0.4))
    assert text.count("s ago") == 1
    assert "Read: cgroup 0.4 s ago" in text
    assert "from cgroup: memory.current" in text


def test_a_silent_kernel_is_the_reason_and_stands_at_the_top() -> None:
    state = SourceState("cgroup", Availability.DOWN, "", "cgroup has not responded for 22 s")
    text = page(moment(state))
    assert "cgroup has not responded for 22 s (see !)" in text.partition("CPU%")[0]
    assert "not known: cgroup has not responded for 22 s" in text
    assert "CPU accounting" not in text


def test_sources_say_what_they_count() -> None:
    text = sources_page(moment(SourceState("docker", Availability.OK, "27 containers", read_at_ns=1))).plain
    assert "docker: ok, 27 containers\n" in text


def test_the_action_log_lists_what_runs_now_and_what_was_said() -> None:
    page = action_page([], None, "", ["stopping web-1 for 3 s"], [(0.0, "error", "the daemon said no\x1b[31m")])
    lines = page.plain.splitlines()
    assert lines[0] == "now  stopping web-1 for 3 s"
    assert any("error: the daemon said no" in line for line in lines)
    assert "\x1b" not in page.plain
    assert "No actions yet" not in page.plain


def test_what_this_host_does_not_have_comes_last_on_the_page_of_the_sources() -> None:
    absent = SourceState("podman", Availability.ABSENT, reason="no socket")
    present = SourceState("docker", Availability.OK, "2 containers", read_at_ns=1)
    text = sources_page(moment(absent, present)).plain
    assert text.index("docker: ok") < text.index("Not on this host\npodman: no socket")
