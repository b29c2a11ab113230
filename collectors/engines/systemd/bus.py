"""Calls systemd over the system D-Bus (org.freedesktop.systemd1(5)).

Uses jeepney on the caller's thread; every call has a time-out. Unit names are only ever used in messages.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from collectors.model.errors import AccessDenied, NotInTime, SourceAbsent, SourceDown, SourceError
from collectors.safety.permissions import as_root, polkit_remedy
from collectors.safety.sanitize import sanitize
from collectors.sampling.timeout import ANSWER_S, call_with_timeout

_NAME, _PATH = "org.freedesktop.systemd1", "/org/freedesktop/systemd1"
MANAGER = "org.freedesktop.systemd1.Manager"
UNIT = "org.freedesktop.systemd1.Unit"
SERVICE = "org.freedesktop.systemd1.Service"
SERVICE_NAME = re.compile(r"[A-Za-z0-9:_.\\@-]{1,247}\.service")
_NOT_ALLOWED = ("AccessDenied", "InteractiveAuthorizationRequired", "AuthFailed", "Spawn.PermissionsInvalid")
_MANAGE_UNITS = "org.freedesktop.systemd1.manage-units"
"""The action of polkit for starting, stopping and killing units."""


class NoSuchUnit(SourceError):
    """systemd has no unit of this name."""


class SystemBus:
    """A connection to a bus that systemd is on: the system's, or a user's."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def call(self, method: str, signature: str = "", body: tuple[object, ...] = (), interface: str = MANAGER) -> Any:
        """Call a method of the manager; return its answer, a tuple. It may take `ANSWER_S`.

        Raises:
            SourceError: It was refused (`AccessDenied`, `NoSuchUnit`), or there was no answer (`SourceDown`).
        """
        return self.ask(_PATH, interface, method, signature, body)

    @contextmanager
    def signals(self, members: Sequence[str], queue: deque[Any]) -> Iterator[None]:
        """Append the manager's signals of these names to a queue, as later calls receive them.

        Raises:
            SourceError: Like `call`.
        """
        from jeepney import MatchRule, message_bus

        with ExitStack() as filters:
            for member in members:
                rule = MatchRule(type="signal", sender=_NAME, interface=MANAGER, member=member, path=_PATH)
                self._send(message_bus.AddMatch(rule))
                # Signals carry the unique name of their sender, so the rule on this side does not contain it.
                received = MatchRule(type="signal", interface=MANAGER, member=member, path=_PATH)
                filters.enter_context(self._connection.filter(received, queue=queue))
            self.call("Subscribe")
            yield

    def properties(self, path: str, interface: str = UNIT, name: str = _NAME) -> dict[str, Any]:
        """Return all properties of an object of a service on the bus. Raises like `call`."""
        answer = self.ask(path, "org.freedesktop.DBus.Properties", "GetAll", "s", (interface,), name)
        return {name: value for name, (_, value) in answer[0].items()}

    def get(self, path: str, interface: str, name: str) -> Any:
        """Return one property of an object. Raises like `call`."""
        return self.ask(path, "org.freedesktop.DBus.Properties", "Get", "ss", (interface, name))[0][1]

    def await_job(self, path: str, method: str, signature: str, body: tuple[object, ...], seconds: float) -> str | None:
        """Call a method that creates a job; return the job's result, `None` if it has not finished after `seconds`."""
        from jeepney import MatchRule, message_bus

        self._send(message_bus.AddMatch(MatchRule(type="signal", sender=_NAME, interface=MANAGER, path=path)))
        # Signals carry the unique name of their sender, so the rule on this side does not contain it.
        rule = MatchRule(type="signal", interface=MANAGER, member="JobRemoved", path=path)
        self.call("Subscribe")
        with self._connection.filter(rule, bufsize=100) as removed:
            job = self.call(method, signature, body)[0]
            deadline = time.monotonic() + seconds
            try:
                while True:
                    left = max(0.0, deadline - time.monotonic())
                    signal = self._connection.recv_until_filtered(removed, timeout=left)
                    if signal.body[1] == job:
                        return str(signal.body[3])
            except TimeoutError:
                return None
            except OSError as error:
                raise SourceDown(f"the connection to systemd was lost: {error}") from error

    def ask(
        self, path: str, interface: str, method: str, signature: str, body: tuple[object, ...], name: str = _NAME
    ) -> Any:
        """Call a method of an object: of systemd, or of another service of its, such as machined. Raises as `call`."""
        from jeepney import DBusAddress, new_method_call

        address = DBusAddress(path, bus_name=name, interface=interface)
        return self._send(new_method_call(address, method, signature or None, body))

    def _send(self, message: Any) -> Any:
        from jeepney import DBusErrorResponse, MessageType

        try:
            answer = self._connection.send_and_get_reply(message, timeout=ANSWER_S)
        except TimeoutError:
            raise NotInTime(f"systemd did not answer within {ANSWER_S:g} s") from None
        except OSError as error:
            raise SourceDown(f"the connection to systemd was lost: {error}") from error
        if answer.header.message_type is MessageType.error:
            raise _refusal(DBusErrorResponse(answer))
        return answer.body


@contextmanager
def system_bus() -> Iterator[SystemBus]:
    """Connect to the system bus.

    Raises:
        SourceAbsent: This host has no system bus.
        SourceError: It denies access to this user, or does not answer.
    """
    with _connected("SYSTEM", "the system bus") as bus:
        yield bus


@contextmanager
def user_bus() -> Iterator[SystemBus]:
    """Connect to the bus of this user's own systemd. Raises like `system_bus`."""
    runtime = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    address = os.environ.get("DBUS_SESSION_BUS_ADDRESS") or f"unix:path={runtime}/bus"
    with _connected(address, "the user's bus") as bus:
        yield bus


@contextmanager
def _connected(address: str, name: str) -> Iterator[SystemBus]:
    from jeepney.io.blocking import open_dbus_connection

    try:
        connection = call_with_timeout(ANSWER_S, lambda: open_dbus_connection(bus=address), name)
    except FileNotFoundError:
        raise SourceAbsent("systemd's D-Bus is not present on this host") from None
    except PermissionError as error:
        raise AccessDenied(f"no permission to use {name}: {error.strerror}", as_root()) from error
    except (ConnectionRefusedError, KeyError, ValueError, RuntimeError) as error:
        raise SourceAbsent(f"systemd's D-Bus is not present on this host: {sanitize(str(error))}") from error
    except OSError as error:
        raise SourceDown(f"{name} cannot be reached: {error.strerror or error}") from error
    try:
        yield SystemBus(connection)
    finally:
        connection.close()


def _refusal(error: Any) -> SourceError:
    """Return the `SourceError` for a D-Bus error."""
    name = str(error.name)
    message = sanitize(str(error.data[0]) if error.data else name).rstrip(".")
    if name.endswith(_NOT_ALLOWED):
        return AccessDenied(f"systemd does not allow it: {message}", polkit_remedy(_MANAGE_UNITS))
    if name.endswith(("NoSuchUnit", "NoSuchMachine", "LoadFailed", "UnknownObject")):
        return NoSuchUnit(message)
    if name.endswith(("ServiceUnknown", "NameHasNoOwner")):
        return SourceAbsent("systemd is not on the system bus of this host")
    if name.endswith(("NoReply", "Disconnected", "Timeout")):
        return SourceDown(f"the connection to systemd was lost: {message}")
    return SourceError(f"systemd refused: {message}")
