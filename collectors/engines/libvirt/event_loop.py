"""libvirt's event loop: one per process, on its own daemon thread.

Keep-alive and events work only while it runs, and it has to exist before the first connection. libvirt does not allow
a second one, so it is never stopped.
"""

from __future__ import annotations

import logging
import threading
import time

log = logging.getLogger(__name__)

_lock = threading.Lock()
_thread: threading.Thread | None = None


def ensure_event_loop() -> None:
    """Register and start the loop. Later calls do nothing.

    Raises:
        ImportError: The bindings are not installed.
        libvirt.libvirtError: The loop cannot be registered.
    """
    import libvirt

    global _thread
    with _lock:
        if _thread is not None:
            return
        libvirt.virEventRegisterDefaultImpl()
        _thread = threading.Thread(target=_run, name="libvirt-events", daemon=True)
        _thread.start()


def _run() -> None:
    import libvirt

    while True:
        try:
            libvirt.virEventRunDefaultImpl()
        except libvirt.libvirtError as error:
            log.warning("libvirt's event loop: %s", error)
            time.sleep(0.5)  # the error would repeat at once
