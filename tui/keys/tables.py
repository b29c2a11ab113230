"""The table of keys of every screen."""

from __future__ import annotations

from tui.keys.host import DETAIL_PROCESS_KEYS, HOST_KEYS, PAST_HOST_KEYS, PROCESS_KEYS
from tui.keys.key import Key
from tui.keys.main import FLEET_KEYS, FLEET_PAST_KEYS, LIVE_KEYS, PAST_KEYS, REPLAY_KEYS
from tui.keys.pages import (
    ALERT_KEYS,
    CLASSES_KEYS,
    COMPARE_KEYS,
    DETAIL_KEYS,
    FLEET_DETAIL_KEYS,
    HELP_PAGE_KEYS,
    INSPECT_KEYS,
    LOG_KEYS,
    PAST_ALERT_KEYS,
    PAST_DETAIL_KEYS,
    PAST_SIZE_KEYS,
    SIZE_KEYS,
)

LIVE, PAST, REPLAY = "live", "past", "replay"
DETAIL, PAST_DETAIL, LOGS, INSPECT, COMPARE, CLASSES = "detail", "past detail", "logs", "inspect", "compare", "classes"
HELP_PAGE = "help"
ALERTS, PAST_ALERTS = "alerts", "past alerts"
SIZES, PAST_SIZES = "sizes", "past sizes"
FLEET, FLEET_PAST, FLEET_DETAIL = "fleet", "fleet past", "fleet detail"
HOST, PAST_HOST, PROCESSES, DETAIL_PROCESSES = "host", "past host", "processes", "detail processes"

TABLES: dict[str, tuple[Key, ...]] = {
    LIVE: LIVE_KEYS,
    PAST: PAST_KEYS,
    REPLAY: REPLAY_KEYS,
    DETAIL: DETAIL_KEYS,
    PAST_DETAIL: PAST_DETAIL_KEYS,
    LOGS: LOG_KEYS,
    INSPECT: INSPECT_KEYS,
    COMPARE: COMPARE_KEYS,
    CLASSES: CLASSES_KEYS,
    HOST: HOST_KEYS,
    PAST_HOST: PAST_HOST_KEYS,
    PROCESSES: PROCESS_KEYS,
    DETAIL_PROCESSES: DETAIL_PROCESS_KEYS,
    FLEET: FLEET_KEYS,
    FLEET_PAST: FLEET_PAST_KEYS,
    FLEET_DETAIL: FLEET_DETAIL_KEYS,
    ALERTS: ALERT_KEYS,
    PAST_ALERTS: PAST_ALERT_KEYS,
    SIZES: SIZE_KEYS,
    PAST_SIZES: PAST_SIZE_KEYS,
    HELP_PAGE: HELP_PAGE_KEYS,
}
"""The rows by screen, in the order of the help."""


TITLES = {
    LIVE: "Table of workloads, live",
    PAST: "Table of workloads at a past moment",
    REPLAY: "Table of workloads of a recording",
    DETAIL: "One workload",
    PAST_DETAIL: "One workload at a past moment",
    LOGS: "Log",
    INSPECT: "The engine's description",
    COMPARE: "Workloads compared",
    CLASSES: "Bare metal, virtual machines, containers",
    HOST: "The host",
    PAST_HOST: "The host at a past moment",
    PROCESSES: "Processes of the host",
    DETAIL_PROCESSES: "Processes of one workload",
    FLEET: "Workloads of a fleet, by Prometheus",
    FLEET_PAST: "Workloads of a fleet at a past moment",
    FLEET_DETAIL: "One workload of a fleet",
    ALERTS: "Alerts",
    PAST_ALERTS: "Alerts up to a past moment",
    SIZES: "Sizes that would fit",
    PAST_SIZES: "Sizes that would fit, up to a past moment",
    HELP_PAGE: "Help",
}
"""What each screen is."""


OWN_ON = (LIVE, DETAIL)
"""The screens on which the users' own commands have keys."""


def keys_in(screen: str) -> frozenset[str]:
    """Return Textual's names of all keys of a screen, without the user's changes."""
    return frozenset(key for row in TABLES[screen] for key in row.keys.split(","))


def clashes(rows: tuple[Key, ...]) -> list[tuple[str, Key, Key]]:
    """Return the keys that two rows of a table claim, each with both rows."""
    owners: dict[str, Key] = {}
    claimed_twice = []
    for row in rows:
        for key in row.keys.split(","):
            if key in owners and owners[key].name != row.name:
                claimed_twice.append((key, owners[key], row))
            owners.setdefault(key, row)
    return claimed_twice
