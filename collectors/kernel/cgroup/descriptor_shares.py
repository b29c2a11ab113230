"""Which files stay open where the limit of open files does not let all: the hottest ones of every group.

A file that is opened for each reading takes three times as long as one that is kept open.
"""

from __future__ import annotations

from collections.abc import Collection

from collectors.kernel.cgroup.group import Group
from collectors.kernel.cgroup.open_files import highest_kept

ALL = 64
"""More descriptors than a group has files."""
_SHARED_OUT_EVERY = 60
"""Readings after which what is left goes to the groups that did most meanwhile."""


class DescriptorShares:
    """Shares the descriptors out: each group has the same number, and what is left goes to the busiest ones first."""

    def __init__(self) -> None:
        self.share = ALL
        """How many descriptors each group may keep."""
        self._readings = 0

    def adapt(self, groups: Collection[Group], new: int) -> None:
        """Adapt the share to the number of groups; it grows again only if there is a tenth to spare.

        Args:
            groups: The groups that are read.
            new: How many are about to be added.
        """
        self._readings += 1
        count, most = max(1, len(groups) + new), highest_kept()
        fitting, growing = min(ALL, most // count), min(ALL, most * 9 // (10 * count))
        share = fitting if fitting < self.share else max(self.share, growing)
        if share != self.share or (share < ALL and self._readings % _SHARED_OUT_EVERY == 0):
            self.share = share
            self.share_out(groups, new)

    def share_out(self, groups: Collection[Group], new: int = 0) -> None:
        """Give each group its share, and what is left to those that did something since the last time, then to any."""
        left = highest_kept() - self.share * (len(groups) + new)
        activities = [(group.take_activity(), group) for group in groups]
        for activity, group in sorted(activities, key=lambda one: -one[0]):
            more = left if activity else min(left, 1)
            left -= max(0, group.keep(min(ALL, self.share + more)) - self.share)
