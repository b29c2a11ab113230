"""Builds an image without a container engine and without pulling one: `image.py scratch|debian VERSION SOURCE TARGET`.

`scratch` holds the program (SOURCE is its folder) and glibc, and nothing else. `debian` holds a minimal Debian from
debootstrap, libvirt's client library, an ssh client and the Debian package (SOURCE). TARGET is one file that both
`docker load` and `podman load` take: an OCI layout (opencontainers/image-spec, image-layout.md) with the manifest.json
that Docker before 25 asks for.
"""

import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

_EPOCH = int(os.environ["SOURCE_DATE_EPOCH"])
_SUITE = "bookworm"
_LIBRARY = re.compile(r"(?:=> )?(/lib\S+)(?: \(0x)")
_OWNERS = ("libc6:", "zlib1g:")
"""Debian packages of the libraries that the program does not carry: PyInstaller's loader itself takes zlib from the host."""
_REF = "org.opencontainers.image.ref.name"
_PLAIN = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n",
    "etc/group": "root:x:0:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_ENVIRONMENT = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "HOME=/root"]


def scratch_root(root: Path, program: Path) -> None:
    """Lay out the program with zlib and the parts of glibc that it asks for."""
    shutil.copytree(program, root / "usr/lib/vmtop", symlinks=True)
    for folder in ("usr/bin", "etc", "root", "tmp"):
        (root / folder).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    (root / "usr/bin/vmtop").symlink_to("../lib/vmtop/vmtop")
    for name, text in _PLAIN.items():
        (root / name).write_text(text)
    certificates = root / "etc/ssl/certs/ca-certificates.crt"
    certificates.parent.mkdir(parents=True)
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", certificates)
    elf = [path for path in (root / "usr/lib/vmtop").rglob("*") if path.name == "vmtop" or ".so" in path.name]
    output = subprocess.run(["ldd", *filter(Path.is_file, elf)], capture_output=True, text=True, check=False).stdout
    for library in sorted(set(_LIBRARY.findall(output))):
        owner = subprocess.run(["dpkg", "-S", f"*{library}"], capture_output=True, text=True, check=False).stdout
        if owner.startswith(_OWNERS):
            (root / library[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, root / library[1:])


def debian_root(root: Path, package: Path) -> None:
    """Make a minimal Debian with the package and libvirt's client library; what only apt needs is taken out again."""
    run("debootstrap", "--variant=minbase", f"--include=ca-certificates,libvirt0,openssh-client", _SUITE, root)
    shutil.copy(package, root / "tmp/vmtop.deb")
    run("chroot", root, "dpkg", "-i", "/tmp/vmtop.deb")
    for name in ("tmp", "var/cache/apt", "var/lib/apt/lists", "var/log", "var/cache/ldconfig", "usr/share/locale"):
        shutil.rmtree(root / name, ignore_errors=True)
        (root / name).mkdir()
    (root / "tmp").chmod(0o1777)
    for name in ("etc/machine-id", "etc/resolv.conf", "etc/hostname"):
        (root / name).unlink(missing_ok=True)


def layer_of(root: Path) -> bytes:
    """Return a folder as an uncompressed layer; the same files make the same bytes."""
    words = ["tar", "--create", "--sort=name", "--numeric-owner", "--format=posix", f"--mtime=@{_EPOCH}"]
    plain = "--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime"
    return subprocess.run([*words, plain, "-C", root, "."], stdout=subprocess.PIPE, check=True).stdout


def pack(layer: bytes, version: str, name: str, target: Path) -> None:
    """Write a layer as the only one of an image."""
    packed = subprocess.run(["gzip", "-9n"], input=layer, stdout=subprocess.PIPE, check=True).stdout
    made = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(_EPOCH))
    labels = {"org.opencontainers.image.title": "vmtop", "org.opencontainers.image.version": version}
    config = _json(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": made,
            "config": {"Entrypoint": ["/usr/bin/vmtop"], "Env": _environment(name), "WorkingDir": "/", "Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
            "history": [{"created": made, "created_by": ".ci/dist/image.py"}],
        }
    )
    kind = "application/vnd.oci.image"
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": f"{kind}.manifest.v1+json",
            "config": _descriptor(f"{kind}.config.v1+json", config),
            "layers": [_descriptor(f"{kind}.layer.v1.tar+gzip", packed)],
        }
    )
    tag = f"{name}:{version}"
    marked = {"annotations": {"io.containerd.image.name": f"docker.io/library/{tag}", _REF: version}}
    index = {"schemaVersion": 2, "manifests": [{**_descriptor(f"{kind}.manifest.v1+json", manifest), **marked}]}
    files = {_blob(data): data for data in (config, packed, manifest)}
    old = [{"Config": _blob(config), "RepoTags": [tag], "Layers": [_blob(packed)]}]
    files |= {"index.json": _json(index), "manifest.json": _json(old), "oci-layout": _json({"imageLayoutVersion": "1.0.0"})}
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as archive:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(data), _EPOCH, 0o644
            archive.addfile(entry, io.BytesIO(data))


def _environment(name: str) -> list[str]:
    own = ["SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"] if name == "vmtop" else []
    return [*_ENVIRONMENT, *own]


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _blob(data: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(data).hexdigest()}"


def _descriptor(kind: str, data: bytes) -> dict[str, object]:
    return {"mediaType": kind, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


def run(*words: str | Path) -> None:
    """Run a command; its output is that of this script."""
    subprocess.run(words, check=True, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


def main(base: str, version: str, source: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="vmtop-image-") as folder:
        root = Path(folder) / "root"
        root.mkdir(mode=0o755)
        if base == "scratch":
            scratch_root(root, source)
            pack(layer_of(root), version, "vmtop", target)
        else:
            debian_root(root, source)
            pack(layer_of(root), version, "vmtop-libvirt", target)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
