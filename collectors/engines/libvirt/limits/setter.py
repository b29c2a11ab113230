"""Limits of domains through libvirt: of the run, and of the definition too if they are to be kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collectors.engines.cgroup_limits import unsettable
from collectors.engines.libvirt.actions import domain_for
from collectors.engines.libvirt.domains import safe_xml
from collectors.engines.libvirt.limits.cpus import Pinning, Plugging, Scheduling
from collectors.engines.libvirt.limits.devices import Disks, Interfaces
from collectors.engines.libvirt.limits.memory import Ballooning
from collectors.engines.libvirt.limits.part import AFFECT_LIVE, CONFIG, FLAG_WORDS, LIVE, Part, Seen, scopes
from collectors.engines.libvirt.shell_commands import argument, program
from collectors.engines.libvirt.stats import BROKEN_DOMAINS
from collectors.model.errors import SourceDown, SourceError
from collectors.model.limits import LIMITS, Amount, Lasts, Limit, LimitKey, Setting, Way
from collectors.model.workloads import Workload
from collectors.safety.sanitize import sanitize

if TYPE_CHECKING:
    from collectors.engines.libvirt.access import LibvirtAccess

_PARTS: tuple[Part, ...] = (Scheduling(), Pinning(), Plugging(), Ballooning(), Disks(), Interfaces())
_BY_KEY = {key: part for part in _PARTS for key in part.keys}
_UNKNOWN_WEIGHT = "whether its host counts shares or weights is not known here: use virsh schedinfo"
_TRANSIENT = "it is transient: it has no definition that could keep a limit; set it without --persist"


class LibvirtLimits:
    """Reads and sets the limits of running domains."""

    settles_s = 10.0

    def __init__(self, access: LibvirtAccess) -> None:
        self._access = access

    def read(self, workload: Workload) -> dict[LimitKey, Limit]:
        """Ask libvirt for everything that limits the domain, read-only."""
        with domain_for(self._access, workload, writable=False) as (_, domain):
            if not domain.isActive():
                raise SourceError("it does not run", "start it first")
            root = safe_xml(domain.XMLDesc(0))
            if root is None:
                raise SourceDown("libvirt sent an invalid description of it")
            seen = Seen(domain, root, domain.isPersistent() == 1)
            found = {key: limit for part in _PARTS for key, limit in _read(part, seen).items()}
        if workload.endpoint:
            unsettable(found, (LimitKey.CPU_WEIGHT,), _UNKNOWN_WEIGHT)
        return {key: found[key] for key in LIMITS if key in found}

    def setting(self, workload: Workload, limit: Limit, amount: Amount | None) -> Setting:
        """Return the same for the run and the definition."""
        setting = _BY_KEY[limit.key].new(limit, amount)
        return setting._replace(values={LIVE: setting.values, CONFIG: setting.values})

    def back(self, workload: Workload, limit: Limit) -> Setting:
        """Return what the run and the definition had, each by itself."""
        return Setting({LIVE: limit.settings[LIVE], CONFIG: limit.settings[CONFIG]}, limit.value)

    def send(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> None:
        """Set it with flags for the run, and for the definition if it is to be kept."""
        import libvirt

        with domain_for(self._access, workload, writable=True) as (_, domain):
            for values, flags in scopes(setting.values, way.is_kept):
                try:
                    _BY_KEY[key].write(domain, key, values, flags)
                except libvirt.libvirtError as error:
                    if flags == AFFECT_LIVE:
                        raise
                    reason = sanitize(str(error.get_error_message() or error))
                    raise SourceDown(f"it runs with it, but its definition does not have it: {reason}") from error

    def commands(self, workload: Workload, key: LimitKey, setting: Setting, way: Way) -> tuple[str, ...]:
        """Return the virsh commands that do the same."""
        name, virsh = argument(workload, way.by_id), program(way.address)
        return tuple(
            f"{virsh} {command}"
            for values, flags in scopes(setting.values, way.is_kept)
            for command in _BY_KEY[key].commands(key, values, name, FLAG_WORDS[flags])
        )

    def lasts(self, workload: Workload, way: Way) -> Lasts:
        """Until it is off, unless it is kept in the definition."""
        return Lasts.ALWAYS if way.is_kept else Lasts.RUN

    def cannot_keep(self, workload: Workload) -> str:
        """Return that it is transient, if it is."""
        with domain_for(self._access, workload, writable=False) as (_, domain):
            return "" if domain.isPersistent() else _TRANSIENT


def _read(part: Part, seen: Seen) -> dict[LimitKey, Limit]:
    """Return the limits of a part; one that the driver does not have leaves the others as they are."""
    import libvirt

    try:
        return part.read(seen)
    except libvirt.libvirtError as error:
        if error.get_error_domain() in BROKEN_DOMAINS or error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
            raise
        why = f"libvirt does not report it: {sanitize(str(error.get_error_message() or error))}"
        return {key: Limit(key, is_measured=False, objection=why) for key in part.keys}
