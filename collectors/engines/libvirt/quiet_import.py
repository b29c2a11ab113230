"""Loads libvirt's bindings so that the library does not write its log to the terminal.

Its drivers for ESXi and vCenter write a warning for every property that they do not know: 80 lines for two machines.
"""

from __future__ import annotations

import os
import threading
from typing import Any

_SETTINGS = ("LIBVIRT_LOG_OUTPUTS", "LIBVIRT_DEBUG")
"""Variables by which a user asks for the log; libvirt reads them once, when it is loaded (libvirt docs/logging.rst)."""
_NOWHERE = "4:file:/dev/null"
_lock = threading.Lock()


def load_libvirt() -> Any:
    """Import libvirt. Its errors are raised as exceptions as before.

    Raises:
        ImportError: The bindings are not installed.
    """
    with _lock:
        is_asked_for = any(name in os.environ for name in _SETTINGS)
        if not is_asked_for:
            os.environ[_SETTINGS[0]] = _NOWHERE
        try:
            import libvirt
        finally:
            if not is_asked_for:
                del os.environ[_SETTINGS[0]]
    return libvirt
