"""The services on which the tests with a real systemd act."""

from __future__ import annotations

import sys
from pathlib import Path

UNITS = {
    "calm.service": "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n",
    "broken.service": "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/false\nType=oneshot\n",
    "failing.service": ("[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sh -c 'echo going down; exit 3'\n"),
    "restless.service": (
        "[Unit]\nDefaultDependencies=no\nStartLimitIntervalSec=0\n[Service]\nRestart=always\nRestartSec=5\n"
        "ExecStart=/bin/sh -c 'exit 4'\n"
    ),
    "phoenix.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nRestart=always\nRestartSec=100ms\n"
        "ExecStart=/bin/sh -c 'test -e /run/phoenix && exec sleep 1000; : >/run/phoenix; exit 1'\n"
    ),
    "once.service": "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "deaf.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nTimeoutStopSec=100\n"
        "ExecStart=/bin/sh -c \"trap '' TERM; : >/run/deaf; while :; do sleep 0.2; done\"\n"
    ),
    "enabled.service": (
        "[Unit]\nDescription=Stopped, though enabled\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n"
        "[Install]\nWantedBy=lab.target\n"
    ),
    "resliced.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nSlice=a-b.slice\nExecStart=/bin/sleep 1000\n"
        "[Install]\nWantedBy=lab.target\n"
    ),
    "errand.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nExecStart=/bin/true\n[Install]\nWantedBy=lab.target\n"
    ),
    "elsewhere.service": (
        "[Unit]\nDefaultDependencies=no\nConditionPathExists=/nowhere\n[Service]\nExecStart=/bin/sleep 1000\n"
        "[Install]\nWantedBy=lab.target\n"
    ),
    "slow.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nExecStartPre=/bin/sleep 1\nExecStart=/bin/sleep 1000\n"
        "User=nobody\nPrivateTmp=yes\nNoNewPrivileges=yes\nProtectSystem=full\n"
    ),
    "leans.service": (
        "[Unit]\nRequires=calm.service\nAfter=calm.service\nDefaultDependencies=no\n"
        "[Service]\nExecStart=/bin/sleep 1000\n"
    ),
    "bound.service": (
        "[Unit]\nBindsTo=calm.service\nAfter=calm.service\nDefaultDependencies=no\n"
        "[Service]\nExecStart=/bin/sleep 1000\n"
    ),
    "idle.service": ("[Unit]\nPartOf=calm.service\nDefaultDependencies=no\n[Service]\nExecStart=/bin/sleep 1000\n"),
    "talk.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nStandardOutput=journal\n"
        "ExecStart=/bin/sh -c 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done'\n"
    ),
    "loud.service": (
        "[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nStandardOutput=journal\n"
        f"ExecStart={sys.executable} -c \"print('\\\\x1b[33mcareful\\\\x1b[0m ' + 'x' * 30000 + 'END')\"\n"
    ),
}


SYSTEM_UNITS = Path("/lib/systemd/system")


def units() -> dict[str, str]:
    """Return the units of the test and, as they are installed, those of the journal."""
    journal = ("systemd-journald.service", "systemd-journald.socket")
    return UNITS | {name: (SYSTEM_UNITS / name).read_text() for name in journal}
