"""Checks passwords against bcrypt hashes by the C library's crypt(3), which needs no further package."""

from __future__ import annotations

import ctypes
import ctypes.util
import hashlib
import hmac
import os
import re
import threading
from collections import OrderedDict

HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-6])\$[./A-Za-z0-9]{53}")
"""A bcrypt hash. From cost 17 on, one check takes longer than a scrape may."""
_PROBE = "$2b$04$" + "." * 53
_LIBRARIES = ("libcrypt.so.1", "libcrypt.so.2", "libc.so")
_MOST_KEPT = 64
_LONGEST = 72
"""Bytes that bcrypt looks at."""


def load_crypt() -> ctypes.CDLL | None:
    """Return the library that has crypt(3), `None` where there is none that knows bcrypt."""
    for name in (*_LIBRARIES, ctypes.util.find_library("crypt")):
        try:
            library = ctypes.CDLL(name) if name else None
            crypt = getattr(library, "crypt", None)
        except OSError:
            continue
        if library is None or crypt is None:
            continue
        crypt.restype, crypt.argtypes = ctypes.c_char_p, (ctypes.c_char_p, ctypes.c_char_p)
        if (crypt(b"x", _PROBE.encode()) or b"").startswith(b"$2b$"):
            return library
    return None


class Passwords:
    """Knows who may ask. A check takes a tenth of a second of CPU; its outcome is kept, as a keyed hash.

    Args:
        hashes: By user.
        library: As `load_crypt` returns it.
    """

    def __init__(self, hashes: dict[str, str], library: ctypes.CDLL) -> None:
        self._hashes = hashes
        self._for_nobody = next(iter(hashes.values()), _PROBE)
        """What the password of an unknown user is checked against, so that the time does not tell who is known."""
        self._library = library
        self._lock = threading.Lock()
        """crypt(3) has one buffer for its answer; and wrong guesses take one core at most."""
        self._key = os.urandom(32)
        self._known: OrderedDict[bytes, bool] = OrderedDict()

    def may(self, user: str, password: bytes) -> bool:
        """Return whether this is the password of that user."""
        named = user.encode("utf-8", "surrogateescape")
        digest = hmac.new(self._key, b"%d:%b%b" % (len(named), named, password), hashlib.sha256).digest()
        known = self._known.get(digest)
        if known is not None:
            return known
        with self._lock:
            known = self._known.get(digest)
            if known is None:
                known = self._check(user, password)
                self._known[digest] = known
                if len(self._known) > _MOST_KEPT:
                    self._known.popitem(last=False)
        return known

    def _check(self, user: str, password: bytes) -> bool:
        expected = self._hashes.get(user, self._for_nobody).encode()
        made = self._library.crypt(password[:_LONGEST].replace(b"\0", b""), expected) or b""
        return hmac.compare_digest(made, expected) and user in self._hashes and b"\0" not in password
