"""What a server, its library or the connection fails with, as sentences."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from xml.parsers.expat import ExpatError

from collectors.engines.vsphere.address import Address
from collectors.model.errors import AccessDenied, NotInTime, SourceDown, SourceError, WorkloadGone
from collectors.safety.sanitize import sanitize

log = logging.getLogger(__name__)

_LOST = ("NotAuthenticated",)
"""Faults of a session that has ended, as an idle one does after half an hour."""
_GONE = ("ManagedObjectNotFound",)
_DENIED = ("NoPermission", "RestrictedVersion", "RestrictedByAdministrator")


@contextmanager
def translating(address: Address) -> Iterator[None]:
    """Turn whatever the library raises into a `SourceError` that names the server."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # pyvmomi raises any error for an answer that it cannot parse
        raise translate(error, address) from error


def translate(error: Exception, address: Address) -> SourceError:
    """Return the `SourceError` for an error of the library or of the connection."""
    from collectors.engines.vsphere.bounded_stub import AnswerRefused, PinMismatch

    where = f"vSphere at {address.shown}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return SourceDown(f"{where} has a certificate that is not trusted: {error.verify_message}", _pin(address))
    if isinstance(error, PinMismatch):
        return SourceDown(f"{where} has another certificate than the one of the thumbprint: its SHA-256 is {error}")
    if isinstance(error, AnswerRefused):
        return SourceDown(f"{where}: {error}")
    if isinstance(error, TimeoutError):
        return NotInTime(f"{where} has not answered in time")
    if isinstance(error, OSError):
        return SourceDown(f"{where} cannot be reached: {sanitize(error.strerror or str(error))}")
    if (fault := fault_name(error)) is not None:
        text = fault_text(error)
        if fault in _LOST:
            return SourceDown(f"{where} has ended the session")
        if fault in _GONE:
            return WorkloadGone("vSphere no longer has it")
        if fault in _DENIED:
            return AccessDenied(f"{where} does not allow it: {text}", "ask for a role with the privilege")
        return SourceError(f"{where} refused: {text}")
    if isinstance(error, ExpatError):
        return SourceDown(f"{where} does not answer as vSphere does: its answer is not XML")
    if isinstance(error, HTTPException):
        return SourceDown(f"{where} does not answer as vSphere does: {sanitize(str(error)) or type(error).__name__}")
    log.warning("%s: %s", where, error, exc_info=error)
    return SourceDown(f"{where} does not answer as vSphere does ({type(error).__name__})")


def fault_name(error: BaseException) -> str | None:
    """Return the name of the fault that a server answered, such as `InvalidPowerState`; `None` for other errors."""
    from pyVmomi import vmodl

    is_fault = isinstance(error, (vmodl.MethodFault, vmodl.RuntimeFault))
    return type(error).__name__.rpartition(".")[2] if is_fault else None


def fault_text(fault: object) -> str:
    """Return the message of a fault, sanitized; without one, its name."""
    text = " ".join(str(getattr(fault, "msg", "") or "").split()).rstrip(".")
    return sanitize(text) or type(fault).__name__.rpartition(".")[2]


def is_answer(error: BaseException) -> bool:
    """Return whether the session goes on: the server answered, if only by refusing."""
    name = fault_name(error)
    return isinstance(error, SourceError) or (name is not None and name not in _LOST)


def _pin(address: Address) -> str:
    """Return how to trust the certificate that a server shows now; empty if it cannot be read."""
    from collectors.engines.vsphere.bounded_stub import certificate_sha256

    try:
        digest = certificate_sha256(address)
    except OSError:
        return ""
    return f"if its SHA-256 is {digest} on the server too, add ?thumbprint={digest} to the address"
