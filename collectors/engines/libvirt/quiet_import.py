"""Loads libvirt's bindings so that the library writes neither its log nor its errors to the terminal.

Its drivers for ESXi and vCenter write a warning for every property that they do not know: 80 lines for two machines.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from collectors.model.errors import SourceAbsent
from collectors.model.installing import carries_its_python, install_command
from collectors.safety.sanitize import sanitize

_SETTINGS = ("LIBVIRT_LOG_OUTPUTS", "LIBVIRT_DEBUG")
"""Variables by which a user asks for the log; libvirt reads them once, when it is loaded (libvirt docs/logging.rst)."""
_NOWHERE = "4:file:/dev/null"
_INSTALL = f"{install_command('libvirt-python')} (needs libvirt-dev, python3-dev, pkg-config, a C compiler)"
_LIBRARY = "libvirt.so.0"
_INSTALL_LIBRARY = "apt-get install libvirt0 (Debian, Ubuntu) or dnf install libvirt-libs (Fedora, RHEL)"
_lock = threading.Lock()


def load_libvirt() -> Any:
    """Import libvirt. Its errors are raised as exceptions as before.

    Raises:
        SourceAbsent: The bindings are not installed, or the library that they need is not there or too old.
    """
    with _lock:
        is_asked_for = any(name in os.environ for name in _SETTINGS)
        if not is_asked_for:
            os.environ[_SETTINGS[0]] = _NOWHERE
        try:
            import libvirt
        except ImportError as error:
            raise _absence(error) from error
        finally:
            if not is_asked_for:
                del os.environ[_SETTINGS[0]]
    libvirt.registerErrorHandler(_ignore, None)
    return libvirt


def _absence(error: ImportError) -> SourceAbsent:
    """Return why the bindings cannot be loaded. A vmtop with its own Python has them, and takes the host's library."""
    if not carries_its_python():
        return SourceAbsent("the libvirt bindings are not installed", _INSTALL)
    if "cannot open shared object file" in str(error):
        return SourceAbsent(f"this host has no {_LIBRARY}, through which vmtop asks libvirt", _INSTALL_LIBRARY)
    return SourceAbsent(
        f"this host's {_LIBRARY} does not fit this vmtop: {sanitize(str(error))}",
        "install vmtop with pipx and its extra libvirt (docs/install.md)",
    )


def _ignore(_context: object, _error: object) -> None:
    """Ignore the error: it is raised as an exception too."""
