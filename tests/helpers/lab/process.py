"""Starting and stopping the lab's programs, and the folder that all of them live in."""

import ctypes
import errno
import os
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.helpers.patience import PATIENCE

PR_SET_PDEATHSIG = 1
CGROUPS = Path("/sys/fs/cgroup")
_SBIN = "/usr/sbin:/sbin"
_libc = ctypes.CDLL(None)


class LabUnavailable(Exception):
    """This machine cannot run a part of the lab; the text says why."""


def require_root() -> None:
    """Raise `LabUnavailable` unless the tests run as root."""
    if os.geteuid() != 0:
        raise LabUnavailable("the lab needs root")


def find_program(name: str) -> str:
    """Return the path of a program, or raise `LabUnavailable` when it is not installed."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{_SBIN}")
    if path is None:
        raise LabUnavailable(f"{name} is not installed")
    return path


def wait_until(condition: Callable[[], bool], timeout_s: float, what: str) -> None:
    """Poll until the condition holds; raise `TimeoutError` naming `what` once a busy machine had its time too."""
    deadline = time.monotonic() + PATIENCE * timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {PATIENCE * timeout_s:g} s")
        time.sleep(0.05)


def listens(path: Path) -> bool:
    """Return whether a daemon takes calls at a socket: its file alone says nothing."""
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


class Daemon:
    """A program that runs until it is stopped, and does not outlive the test run.

    Start it in the main thread: the kernel ends it when the thread that started it ends.
    """

    def __init__(self, argv: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        """Start the program with both of its outputs in `log`, and the environment added to ours."""
        self.log = log
        path = f"{os.environ.get('PATH', '')}:{_SBIN}"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PATH": path, **(environment or {})},
                start_new_session=True,
                preexec_fn=_end_with_parent,
            )

    @property
    def pid(self) -> int:
        """Process id; it stays the same through every `exec` of the program."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the program has not ended yet."""
        return self._process.poll() is None

    def wait_until(self, condition: Callable[[], bool], timeout_s: float, what: str) -> None:
        """Wait for a condition; a program that ends meanwhile is a failure that shows the end of its log."""
        try:
            wait_until(lambda: condition() or not self.is_running, timeout_s, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log_tail()}") from None
        if not self.is_running:
            raise ChildProcessError(f"{what}: ended with {self._process.returncode}\n{self.log_tail()}")

    def wait(self, timeout_s: float) -> bool:
        """Wait for the program's own end; return whether it came within `timeout_s`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return False
        return True

    def freeze(self) -> None:
        """Let the program stand still, as one does whose disk hangs: its sockets take calls and answer none.

        On a busy machine threads run on for a moment after the signal; all of them stand still when this returns.
        """
        self._process.send_signal(signal.SIGSTOP)
        wait_until(self._is_still, 10, "the program standing still")

    def _is_still(self) -> bool:
        stats = Path(f"/proc/{self._process.pid}/task").glob("*/stat")
        try:
            return all(stat.read_text().rpartition(")")[2].split()[0] in "TXZ" for stat in stats)
        except (FileNotFoundError, ProcessLookupError):  # a thread that ended
            return False

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, with no chance to tidy up; one that is frozen too."""
        self._process.kill()
        self._process.wait()

    def log_tail(self, length: int = 3000) -> str:
        """Return the last characters of the log."""
        return self.log.read_text(errors="replace")[-length:]

    def stop(self, timeout_s: float = 30) -> None:
        """Ask the program to end, and end it after `timeout_s`. Also ends one that is stopped (SIGSTOP)."""
        for request in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_running:
                return
            self._process.send_signal(request)
            self._process.send_signal(signal.SIGCONT)
            if self.wait(timeout_s):
                return


def in_private_mounts(mounts: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Return the command that runs a program with mounts that only it sees, and that end with it.

    Daemons make things in fixed places of the machine. Hiding these is safe beside other daemons; tidying them is not.

    Args:
        mounts: Shell commands that mount; the first that fails ends it all.
        argv: The program.
    """
    script = "\n".join(["set -e", *mounts, f"exec {shlex.join(argv)}"])
    return [find_program("unshare"), "--mount", "--propagation", "private", "sh", "-c", script]


@contextmanager
def lab_folder() -> Iterator[Path]:
    """Give a folder on a real disk with a short path (sockets live in it); unmount and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="vmtop-", dir=os.environ.get("VMTOP_LAB_ROOT", "/var/tmp")))  # noqa: S108
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        unmount_below(folder)
        shutil.rmtree(folder)


def made_anew(folder: Path) -> Path:
    """Make a folder and return it; what a failed try of the same test has left there is moved aside, for its logs."""
    if folder.exists():
        folder.rename(Path(tempfile.mkdtemp(prefix=f"{folder.name}-", dir=folder.parent)) / folder.name)
    folder.mkdir(parents=True)
    return folder


@contextmanager
def cgroup_parents(name: str) -> Iterator[None]:
    """Remove the engines' empty parent cgroups (`/docker`, `/machine`) afterwards, where they were not there before."""
    folders = [root / name for root in (CGROUPS, *CGROUPS.iterdir()) if root.is_dir()]
    fresh = [folder for folder in folders if not folder.exists()]
    try:
        yield
    finally:
        for folder in fresh:
            with suppress(OSError):  # another engine uses it by now, or it was never made
                folder.rmdir()


def cgroups_named(text: str) -> list[Path]:
    """Return the cgroups whose names contain a text, in all hierarchies. Others may vanish meanwhile."""
    return [Path(folder) for folder, _, _ in os.walk(CGROUPS) if text in os.path.basename(folder)]


def remove_cgroups(pattern: str) -> None:
    """Remove the cgroups that an engine left behind when it ended abruptly, in every hierarchy.

    One in which something runs is another engine's: domains of two daemons of one run have like names.
    """
    for group in [*CGROUPS.glob(pattern), *CGROUPS.glob(f"*/{pattern}")]:
        for folder, _, _ in os.walk(group, topdown=False):
            try:
                Path(folder).rmdir()
            except FileNotFoundError:
                continue  # the engine was not gone yet
            except OSError as error:
                if error.errno != errno.EBUSY:
                    raise


def end_cgroups(pattern: str) -> None:
    """End what runs in the cgroups of a test run that ended abruptly, and remove them, in every hierarchy."""
    for group in [*CGROUPS.glob(pattern), *CGROUPS.glob(f"*/{pattern}")]:
        for folder, _, _ in os.walk(group):
            with suppress(OSError):
                for pid in Path(folder, "cgroup.procs").read_text().split():
                    os.kill(int(pid), signal.SIGKILL)
    time.sleep(0.2)
    remove_cgroups(pattern)


def unmount_below(folder: Path) -> None:
    """Unmount whatever is mounted below a folder."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for mount in reversed([mount for mount in mounts if mount.startswith(f"{folder}/")]):
        subprocess.run(["umount", "--lazy", mount], check=True)


def _end_with_parent() -> None:
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
