"""Certificates for tests, made by openssl."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path, name: str = "server") -> Path:
    """Make `NAME.crt` and `NAME.key` for 127.0.0.1 and localhost; return the certificate, which signs itself."""
    certificate = folder / f"{name}.crt"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-keyout", folder / f"{name}.key", "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate
