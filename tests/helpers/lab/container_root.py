"""A root file system for system containers: a static busybox, and a first process that heeds a clean shutdown."""

import io
import tarfile
from pathlib import Path

from tests.helpers.lab.docker_engine import busybox_archive

GREETING = "hello from the console"
_INIT = f"""#!/bin/sh
trap 'exit 0' PWR TERM
for place in /dev/console /dev/stdout; do echo "{GREETING}" >$place && break; done 2>/dev/null
while :; do
    if [ -e /busy ]; then i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; else sleep 0.1; fi
done
"""


def make_root(root: Path) -> Path:
    """Unpack the file system into a new folder, and return it."""
    root.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(busybox_archive())) as archive:
        archive.extractall(root)  # noqa: S202  # it is made here
    for folder in ("etc", "proc", "sys", "dev", "tmp", "root", "sbin", "usr", "run"):
        (root / folder).mkdir(exist_ok=True)
    init = root / "sbin" / "init"
    init.unlink(missing_ok=True)
    init.write_text(_INIT)
    init.chmod(0o755)
    return root
