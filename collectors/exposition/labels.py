"""The labels of series as text, made once for each workload and kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from collectors.exposition.families import HOST_LABEL
from collectors.model.workloads import Workload, WorkloadId
from collectors.safety.redact import redact_label, redact_text
from collectors.safety.sanitize import sanitize

LONGEST_VALUE = 256
"""Characters of a label's value; what is longer is cut, except ids."""
_WHOLE = frozenset({"id", "full_id", "parent_id"})
PROJECT = "project"
"""The extra label that is no label of a container: Compose project, pod or slice."""
_NO_LABEL = re.compile(r"[^a-zA-Z0-9_]")


def pairs(labels: Iterable[tuple[str, str | None]]) -> str:
    """Return labels as between the braces; those without a value are left out, which means the same to a scraper."""
    return ",".join(
        [f'{name}="{escaped(value if name in _WHOLE else _cut(value))}"' for name, value in labels if value]
    )


def _cut(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"


def escaped(value: str) -> str:
    """Return a label's value as both text formats escape it."""
    if value.isascii() and value.isprintable() and '"' not in value and "\\" not in value:
        return value
    value = value.encode("utf-8", "replace").decode()
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", " ")


def label_name(label: str) -> str:
    """Return the name under which a workload's label is exposed: `label_` and what a label's name may hold of it."""
    return label if label == PROJECT else "label_" + _NO_LABEL.sub("_", label)


class Labels(NamedTuple):
    """What the series of one workload carry."""

    workload: Workload
    """The description that they were made of."""
    every: str
    """With its braces and the space before the value."""
    info: str
    """The same for `vmtop_workload_info`."""


class LabelCache:
    """Keeps the labels of every workload until its description changes.

    Args:
        extra: Labels of workloads to expose on every series, and `project`.
    """

    def __init__(self, extra: tuple[str, ...] = ()) -> None:
        self._extra = extra
        self._kept: dict[WorkloadId, Labels] = {}
        self._owners: dict[str, WorkloadId] = {}

    def of(self, workload: Workload) -> Labels:
        """Return a workload's labels. No two workloads have the same."""
        kept = self._kept.get(workload.id)
        if kept is not None and (kept.workload is workload or kept.workload == workload):
            return kept
        shown_id, made = workload.id.id, self._made(workload, workload.short_id)
        while self._owners.setdefault(made.every, workload.id) != workload.id:
            made = self._made(workload, shown_id)
            shown_id += "~"
        if kept is not None and kept.every != made.every:
            self._disown(kept)
        self._kept[workload.id] = made
        return made

    def keep_only(self, identities: Mapping[WorkloadId, object]) -> None:
        """Forget the workloads that are gone."""
        for identity in self._kept.keys() - identities.keys():
            self._disown(self._kept.pop(identity))

    def _disown(self, labels: Labels) -> None:
        if self._owners.get(labels.every) == labels.workload.id:
            del self._owners[labels.every]

    def _made(self, workload: Workload, shown_id: str) -> Labels:
        identity = workload.id
        common = [(HOST_LABEL, identity.host), ("kind", str(workload.kind)), ("engine", identity.engine)]
        common += [("id", shown_id), ("name", workload.name)]
        every = pairs(common + [(label_name(name), _value(workload, name)) for name in self._extra])
        info = pairs(_info(workload, shown_id, is_with_project=PROJECT not in self._extra))
        return Labels(workload, f"{{{every}}} ", f"{{{every},{info}}} " if info else f"{{{every}}} ")


def _value(workload: Workload, name: str) -> str | None:
    if name == PROJECT:
        return workload.project
    value = next((value for key, value in workload.labels if key == name), None)
    return None if value is None else sanitize(redact_label(name, value))


def _info(workload: Workload, shown_id: str, is_with_project: bool) -> list[tuple[str, str | None]]:
    parent = workload.parent
    return [
        ("full_id", workload.id.id if shown_id != workload.id.id else None),
        ("state", str(workload.state)),
        ("state_reason", workload.state_reason),
        ("health", workload.health),
        ("image", None if workload.image is None else redact_text(workload.image)),
        ("project", workload.project if is_with_project else None),
        ("cgroup", workload.cgroup),
        ("endpoint", workload.endpoint),
        ("parent_engine", parent.engine if parent else None),
        ("parent_id", parent.short if parent else None),
        ("sandbox", "true" if workload.is_sandbox else None),
    ]
