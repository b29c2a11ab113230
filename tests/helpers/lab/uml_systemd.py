"""A real systemd as the first process of a user-mode kernel, with units of the test's own and a system bus.

It loads no unit of the machine: `SYSTEMD_UNIT_PATH` names the only folder that it looks into.
"""

import os
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.helpers.checkout import ROOT
from tests.helpers.lab.process import Daemon, LabUnavailable, find_program, made_anew
from tests.helpers.lab.uml import kernel_command

_SYSTEMD = Path("/lib/systemd/systemd")
_INIT = """#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/systemd
mount -t devpts devpts /dev/pts
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/lab /run/dbus /run/etc
mount -t ext4 /dev/ubda /run/lab
mkdir /run/lab/tmp
ip link set lo up
echo 0123456789abcdef0123456789abcdef >/run/etc/machine-id
mount --bind /run/etc/machine-id /etc/machine-id
mkdir -p /run/systemd/system/lab.target.wants # what `systemctl enable --runtime` would make
for unit in $(grep -l WantedBy=lab.target {folder}/units/*); do ln -s $unit /run/systemd/system/lab.target.wants/; done
export SYSTEMD_UNIT_PATH={folder}/units:/run/systemd/system SYSTEMD_GENERATOR_PATH=/run/none
export SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none SYSTEMD_LOG_TARGET=console
exec {systemd} --system --unit=lab.target --show-status=no --log-level=warning
"""
_UNITS = {
    "lab.target": "[Unit]\nWants=dbus.socket dbus.service lab.service\n",
    "sysinit.target": "[Unit]\nDescription=nothing to do\nDefaultDependencies=no\n",
    "basic.target": "[Unit]\nDescription=nothing to do\nDefaultDependencies=no\n",
    "shutdown.target": "[Unit]\nDescription=the end\nDefaultDependencies=no\n",
    "sockets.target": "[Unit]\nDescription=nothing to do\nDefaultDependencies=no\n",
    "dbus.socket": "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/dbus/system_bus_socket\n",
    "dbus.service": (
        "[Unit]\nRequires=dbus.socket\nDefaultDependencies=no\n[Service]\nType=notify\n"
        "ExecStart=/usr/bin/dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation\n"
    ),
}


def run_under_systemd(
    folder: Path,
    argv: Sequence[str],
    units: Mapping[str, str],
    environment: Mapping[str, str],
    timeout_s: float = 120,
) -> subprocess.CompletedProcess[str]:
    """Boot systemd in a user-mode kernel, run a command in the checkout as one of its services, and halt.

    Args:
        folder: A new folder for this run.
        argv: The command.
        units: Names and texts of more units.
        environment: Added to the command's environment.
        timeout_s: For all of it; the boot takes some seconds.

    Raises:
        TimeoutError: It took too long.
        ChildProcessError: The kernel halted without running the command to its end.
    """
    if not _SYSTEMD.exists():
        raise LabUnavailable("systemd is not installed")
    find_program("dbus-daemon")
    (made_anew(folder) / "units").mkdir()
    script = (
        f"cd {shlex.quote(str(ROOT))}; {shlex.join(argv)} >{folder}/output 2>&1 </dev/null; "
        f"echo $? >{folder}/status; sync; echo o >/proc/sysrq-trigger"
    )
    (folder / "command").write_text(script)
    variables = {
        "PATH": f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/run/lab",
        **environment,
    }
    lines = "".join(f'Environment="{name}={value}"\n' for name, value in variables.items())
    main = f"[Unit]\nAfter=dbus.service\nDefaultDependencies=no\n[Service]\n{lines}ExecStart=/bin/sh {folder}/command\n"
    for name, text in {**_UNITS, "lab.service": main, **units}.items():
        (folder / "units" / name).write_text(text)
    init = folder / "init"
    init.write_text(_INIT.format(folder=folder, systemd=_SYSTEMD))
    init.chmod(0o755)
    kernel = Daemon(kernel_command(folder, init), folder / "console")
    try:
        has_ended = kernel.wait(timeout_s)
    finally:
        kernel.stop(2)
    output = (folder / "output").read_text(errors="replace") if (folder / "output").exists() else ""
    if not has_ended:
        raise TimeoutError(f"no end within {timeout_s:g} s\n{kernel.log_tail()}\n{output}")
    if not (folder / "status").exists():
        raise ChildProcessError(f"the user-mode kernel halted early\n{kernel.log_tail()}\n{output}")
    return subprocess.CompletedProcess(argv, int((folder / "status").read_text()), output, "")
