"""An SSH server of the test run's own, on loopback, with keys that nobody else has."""

import getpass
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.helpers.lab.process import Daemon, find_program, in_private_mounts, made_anew, require_root

_CONFIG = """ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile {folder}/sshd.pid
StrictModes no
UsePAM no
PasswordAuthentication no
PermitRootLogin prohibit-password
"""


@contextmanager
def ssh_server(folder: Path, environment: str = "") -> Iterator[list[str]]:
    """Run a server; give the words of a client's command that opens a terminal on it, the remote command to follow.

    Args:
        folder: Where its files are put.
        environment: What remote commands find in their environment, `NAME=VALUE ...`.
    """
    require_root()
    server, client, keygen = (find_program(name) for name in ("sshd", "ssh", "ssh-keygen"))
    made_anew(folder)
    for name in ("host", "user"):
        subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    more = f"SetEnv {environment}\n" if environment else ""
    (folder / "sshd_config").write_text(_CONFIG.format(port=port, folder=folder) + more)
    mounts = ["mount -t tmpfs tmpfs /run", "mkdir -m 755 /run/sshd"]  # where it changes its root to
    command = in_private_mounts(mounts, [server, "-D", "-e", "-f", str(folder / "sshd_config")])
    daemon = Daemon(command, folder / "sshd.log")
    try:
        daemon.wait_until(lambda: "listening" in daemon.log_tail(), 30, "the SSH server")
        yield [
            *(client, "-tt", "-F", "none", "-i", str(folder / "user"), "-p", str(port)),
            *("-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "LogLevel=ERROR", f"{getpass.getuser()}@127.0.0.1"),
        ]
    finally:
        daemon.stop()
