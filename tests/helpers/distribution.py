"""A distribution to give remedies for: its groups, the units of its systemd, and who runs vmtop."""

from __future__ import annotations

import grp
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from collectors.safety import permissions

FIRST_GID = 70_000


def pretend(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    groups: Mapping[str, Sequence[str]],
    units: Sequence[str] | None,
    own_groups: Sequence[str] = (),
    user: str = "joe",
    has_polkit: bool = False,
) -> None:
    """Replace what remedies depend on.

    Args:
        monkeypatch: Undoes it.
        folder: An empty one.
        groups: Names of groups, with their members.
        units: The units that systemd has; `None` where it does not run.
        own_groups: Those of this process.
        user: Who runs it.
        has_polkit: Whether polkit takes rules.
    """
    gids = {name: FIRST_GID + number for number, name in enumerate(groups)}
    entries = {name: grp.struct_group((name, "x", gids[name], list(groups[name]))) for name in groups}
    for place in ("runs", "units", "rules"):
        (folder / place).mkdir()
    for unit in units or ():
        (folder / "units" / unit).touch()
    monkeypatch.setattr(permissions, "SYSTEMD_RUNS", folder / ("runs" if units is not None else "none"))
    monkeypatch.setattr(permissions, "UNIT_FOLDERS", (str(folder / "units"),))
    monkeypatch.setattr(permissions, "POLKIT_RULES", folder / ("rules" if has_polkit else "none"))
    monkeypatch.setattr(permissions, "is_in_container", lambda: False)
    monkeypatch.setattr(permissions, "_user_name", lambda: user)
    monkeypatch.setattr(grp, "getgrnam", lambda name: entries[name])
    monkeypatch.setattr(grp, "getgrgid", {gid: entries[name] for name, gid in gids.items()}.__getitem__)
    monkeypatch.setattr(os, "getgroups", lambda: [gids[name] for name in own_groups])
