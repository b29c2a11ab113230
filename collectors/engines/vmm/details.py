"""What QEMU tells about its machine over QMP."""

from __future__ import annotations

from collectors.engines.vmm.qmp import Qmp, qmp
from collectors.kernel.vmm.process import VmmProcess
from collectors.model.details import Column, Fact, Page, Table, Value
from collectors.model.errors import SourceError
from collectors.model.metrics import Unit
from collectors.safety.sanitize import sanitize
from collectors.safety.untrusted import at, count, items, part, text

_LONGEST = 1024


def qemu_tables(process: VmmProcess, socket_path: str) -> list[Table]:
    """Ask QEMU about the machine's disks, its memory balloon and its virtual CPUs.

    Raises:
        SourceError: Its socket cannot be used now.
    """
    with qmp(process, socket_path) as session:
        version = part(session.ask("query-version"), "qemu")
        status = text(at(session.ask("query-status"), "status"))
        cpus = len(items(session.ask("query-cpus-fast")))
        disks = _disks(session)
        balloon = _balloon(session)
    numbers = [str(number) for key in ("major", "minor", "micro") if (number := count(version.get(key))) is not None]
    facts = (
        Fact("QEMU", ".".join(numbers) or None),
        Fact("state", _inert(status)),
        Fact("virtual CPUs now", cpus or None),
        Fact("balloon", balloon, Unit.BYTES),
    )
    return [Table(Page.FACTS, "QEMU", facts=tuple(fact for fact in facts if fact.value is not None)), disks]


def _balloon(session: Qmp) -> int | None:
    """Return the memory that the balloon leaves to the guest, in bytes; `None` without a balloon device."""
    try:
        return count(at(session.ask("query-balloon"), "actual"))
    except SourceError:
        return None  # QEMU refuses the question where there is none


def _disks(session: Qmp) -> Table:
    rows: list[tuple[Value, ...]] = []
    for device in items(session.ask("query-block")):
        inserted = part(device, "inserted")
        rows.append(
            (
                _inert(text(at(device, "device")) or text(at(device, "qdev"))),
                _inert(text(inserted.get("file"))),
                _inert(text(inserted.get("drv"))),
                count(at(inserted, "image", "virtual-size")),
                bool(inserted.get("ro")) if inserted else None,
            )
        )
    columns = (Column("DISK"), Column("FILE"), Column("FORMAT"), Column("SIZE", Unit.BYTES), Column("READ-ONLY"))
    return Table(Page.DEVICES, "Disks of QEMU", columns, tuple(rows))


def _inert(value: str | None) -> str | None:
    return sanitize(value, _LONGEST) if value else None
