"""Builds the Debian package: `deb.py VERSION PROGRAM DIST`.

PROGRAM is the folder that PyInstaller made, DIST where `LICENSES` is and the package is put. Its dependency on glibc is
read from the program itself.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_PARTS = Path(__file__).parent / "debian"
_UNITS = ("vmtop-record.service", "vmtop-serve.service", "vmtop-serve.socket", "vmtop-textfile.service")
_COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/vmtop",
    "zsh": "usr/share/zsh/vendor-completions/_vmtop",
    "fish": "usr/share/fish/vendor_completions.d/vmtop.fish",
}
_GLIBC = re.compile(r"GLIBC_(\d+)\.(\d+)")
_EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])


def glibc_of(program: Path) -> str:
    """Return the version of glibc that a program and its libraries need (readelf -V)."""
    needed = {(2, 17)}
    for path in program.rglob("*"):
        if path.is_file() and path.open("rb").read(4) == b"\x7fELF":
            output = subprocess.run(["readelf", "-V", path], capture_output=True, text=True, check=True).stdout
            needed |= {(int(major), int(minor)) for major, minor in _GLIBC.findall(output)}
    return ".".join(map(str, max(needed)))


def debian_version(version: str) -> str:
    """Return a version of Python (PEP 440) as Debian orders it: 1.0rc1 before 1.0."""
    return re.sub(r"\.?(dev|a|b|rc)(?=\d)", r"~\1", version) + "-1"


def write(root: Path, name: str, text: str | bytes, mode: int = 0o644) -> None:
    """Write a file of the package; one that ends with .gz is compressed, always to the same bytes."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data, 9, mtime=0) if name.endswith(".gz") else data)
    path.chmod(mode)


def lay_out(root: Path, version: str, program: Path, dist: Path) -> None:
    """Lay out all files of the package below a folder."""
    shutil.copytree(program, root / "usr/lib/vmtop", symlinks=True)
    for path in (root / "usr/lib/vmtop").rglob("*"):
        if path.is_file():
            path.chmod(0o755 if path == root / "usr/lib/vmtop/vmtop" else 0o644)
    (root / "usr/bin").mkdir(parents=True)
    (root / "usr/bin/vmtop").symlink_to("../lib/vmtop/vmtop")
    for page in sorted((_ROOT / "build/man").iterdir()):
        write(root, f"usr/share/man/man1/{page.name}.gz", page.read_text())
    for shell, place in _COMPLETIONS.items():
        write(root, place, run(program / "vmtop", "completion", shell))
    for unit in _UNITS:
        text = (_ROOT / "docs" / unit).read_text()
        write(root, f"usr/lib/systemd/system/{unit}", text.replace("/usr/local/bin/", "/usr/bin/"))
    documents = "usr/share/doc/vmtop"
    write(root, f"{documents}/config.toml", run(program / "vmtop", "config", "--default"))
    write(root, f"{documents}/changelog.gz", (_ROOT / "CHANGELOG.md").read_text())
    change = (_PARTS / "changelog").read_text().format(version=debian_version(version), date=formatdate(_EPOCH))
    write(root, f"{documents}/changelog.Debian.gz", change)
    write(root, f"{documents}/copyright", (_PARTS / "copyright").read_text() + (_ROOT / "LICENSE").read_text())
    for licence in sorted((dist / "LICENSES").iterdir()):
        write(root, f"{documents}/licences/{licence.name}", licence.read_bytes())
    write(root, "usr/share/lintian/overrides/vmtop", (_PARTS / "lintian-overrides").read_text())


def describe(root: Path, version: str) -> None:
    """Write the control files of the package."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    size = sum(path.stat().st_size for path in files) // 1024
    glibc = glibc_of(root / "usr/lib/vmtop")
    sums = run("md5sum", *(str(path.relative_to(root)) for path in files), cwd=root)
    control = (_PARTS / "control").read_text().format(version=debian_version(version), size=size, glibc=glibc)
    write(root, "DEBIAN/control", control)
    write(root, "DEBIAN/md5sums", sums)
    for script in ("postinst", "prerm", "postrm"):
        write(root, f"DEBIAN/{script}", (_PARTS / script).read_text().replace("@UNITS@", " ".join(_UNITS)), 0o755)


def run(*words: str | Path, cwd: Path | None = None) -> str:
    """Return what a command prints. It sees no configuration of whoever builds."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "SOURCE_DATE_EPOCH": str(_EPOCH)}
    return subprocess.run(words, env=environment, cwd=cwd, stdout=subprocess.PIPE, text=True, check=True).stdout


def main(version: str, program: Path, dist: Path) -> None:
    root = _ROOT / "build/deb"
    shutil.rmtree(root, ignore_errors=True)
    lay_out(root, version, program, dist)
    describe(root, version)
    for path in (root, *root.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
        os.utime(path, (_EPOCH, _EPOCH), follow_symlinks=False)
    package = dist / f"vmtop_{debian_version(version)}_amd64.deb"
    run("dpkg-deb", "--root-owner-group", "-Zxz", "--build", root, package)
    print(f"{package} made {time.strftime('%Y-%m-%d', time.gmtime(_EPOCH))}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
