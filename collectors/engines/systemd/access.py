"""Access to single services of systemd."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from collectors.engines.access import EngineAccess, ReadFacts
from collectors.engines.systemd.engine import is_managed, is_of_user
from collectors.model.actions import EngineActions
from collectors.model.facts import Fact
from collectors.model.limit_changes.elsewhere import AnyLimits
from collectors.model.logs import Log
from collectors.model.workloads import Workload

log = logging.getLogger(__name__)
_USER_MANAGER = re.compile(r"/user@(\d+)\.service/")


class SystemdAccess(EngineAccess):
    """Everything that can be done with a service on demand."""

    def actions(self, workload: Workload) -> EngineActions:
        if not is_managed(workload):
            return super().actions(workload)
        from collectors.engines.systemd.actions import SystemdActions

        return SystemdActions()

    def limits(self, workload: Workload) -> AnyLimits:
        if not is_managed(workload):
            return super().limits(workload)
        from collectors.engines.systemd.limits import SystemdLimits

        return SystemdLimits()

    def open_log(self, workload: Workload) -> Log:
        from collectors.engines.systemd.journal import JournalLog

        manager = _USER_MANAGER.search(workload.id.id) if is_of_user(workload) else None
        return JournalLog(workload.id.id.rpartition("/")[2], user_id=int(manager[1]) if manager else None)

    @contextmanager
    def facts(self, may_write: bool) -> Iterator[ReadFacts]:
        """Query all services over one connection."""
        from collectors.engines.systemd.bus import NoSuchUnit, system_bus
        from collectors.engines.systemd.unit import read_unit

        with system_bus() as bus:

            def read(workload: Workload) -> dict[str, Fact]:
                if workload.id.engine != "systemd":
                    return {}
                try:
                    return read_unit(bus, workload.id.id.rpartition("/")[2])
                except NoSuchUnit as error:  # a scope or slice that is listed as a service: the bus has none
                    log.debug("%s has no facts: %s", workload.name, error.reason)
                    return {}

            yield read
