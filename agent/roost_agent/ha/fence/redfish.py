"""Switches one machine by Redfish (DSP0266): a program that does one thing and exits.

``python -m roost_agent.ha.fence.redfish``, the request on standard input, the answer on standard
output, JSON both; the credential comes from a file and goes nowhere but into the connection. The
certificate is compared before a byte of HTTP is sent. Nothing but the standard library: a hung or
hostile device cannot touch the agent, and costs it no memory.

Success of an order means that it was taken. What came of it is read, by whoever gave it.
"""

import hashlib
import hmac
import http.client
import json
import os
import ssl
import stat
import sys
import tomllib
from base64 import b64encode
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from roost_agent.ha.fence.machine import is_same_machine

REQUEST_BYTES_MAX: Final = 16 << 10
BODY_BYTES_MAX: Final = 512 << 10  # a system's page is some 10 KiB
SECRET_BYTES_MAX: Final = 4_096
SYSTEMS: Final = "/redfish/v1/Systems"
STRANGERS: Final = stat.S_IRWXG | stat.S_IRWXO
HTTP_OK: Final = 300  # statuses below it
NO_CREDENTIAL: Final = (401, 403)
ORDERS: Final = {"off": ("ForceOff",), "on": ("On", "ForceOn")}  # the first that it allows


class RedfishError(Exception):
    """The device does not do it; says why, without a secret."""


class Connection(http.client.HTTPSConnection):
    """One that talks to nobody but the device whose certificate is known.

    Args:
        url: of the service.
        context: TLS.
        pin: SHA-256 of the certificate, in hex; empty: the context has checked it.
        seconds: for each step.
    """

    def __init__(self, url: str, context: ssl.SSLContext, pin: str, seconds: float) -> None:
        where = urlsplit(url)
        super().__init__(where.hostname or "", where.port, context=context, timeout=seconds)
        self._pin = pin.lower()

    def connect(self) -> None:
        """Connect, and compare; also where http.client connects anew by itself."""
        super().connect()
        if not self._pin:
            return
        shown = self.sock.getpeercert(binary_form=True) or b""
        if not hmac.compare_digest(hashlib.sha256(shown).hexdigest(), self._pin):
            self.close()
            raise RedfishError("its certificate is not the one of certificate_sha256")


class Service:
    """What is asked of a device.

    Args:
        connection: to it.
        user: its account.
        password: of it.
    """

    def __init__(self, connection: Connection, user: str, password: str) -> None:
        token = b64encode(f"{user}:{password}".encode()).decode()
        self._connection = connection
        self._headers = {
            "Authorization": f"Basic {token}",
            "Accept": "application/json",
            "OData-Version": "4.0",
        }

    def get(self, path: str) -> dict[str, Any]:
        """Return a resource.

        Raises:
            RedfishError: it is not given, too long, or no object.
        """
        raw = self._asked("GET", path, None)
        try:
            found = json.loads(raw)
        except ValueError as err:
            raise RedfishError(f"GET {path}: its answer is no JSON") from err
        if not isinstance(found, dict):
            raise RedfishError(f"GET {path}: its answer is no object")
        return found

    def post(self, path: str, body: dict[str, str]) -> None:
        """Order an action; what is answered but its status says nothing.

        Raises:
            RedfishError: it is refused.
        """
        self._asked("POST", path, json.dumps(body).encode())

    def _asked(self, method: str, path: str, body: bytes | None) -> bytes:
        if not path.startswith("/redfish/"):
            raise RedfishError(f"{method} {path[:80]!r}: no path of Redfish")
        more = {} if body is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body, self._headers | more)
        response = self._connection.getresponse()
        raw = response.read(BODY_BYTES_MAX + 1)
        if response.status in NO_CREDENTIAL:
            raise RedfishError(f"{method} {path}: {response.status}: it refuses the credential")
        if response.status >= HTTP_OK:
            raise RedfishError(f"{method} {path}: {response.status}")
        if len(raw) > BODY_BYTES_MAX:
            raise RedfishError(f"{method} {path}: more than {BODY_BYTES_MAX} bytes")
        return raw


def act(service: Service, verb: str, system: str, machine: str) -> dict[str, str]:
    """Return the power and the UUID of a system, once it was told what to do.

    Args:
        service: the device.
        verb: status, off or on.
        system: its resource; empty: the service has one alone.
        machine: UUID that it must have; another one is told nothing.

    Raises:
        RedfishError: it is another machine, or will not.
    """
    path = system or _only_system(service)
    found = service.get(path)
    power = {"On": "on", "Off": "off"}.get(str(found.get("PowerState")), "unknown")
    said = str(found.get("UUID") or "")
    if verb in ORDERS and power != verb:
        if not is_same_machine(machine, said):
            raise RedfishError(f"{path} is machine {said[:45] or 'without a UUID'}, not {machine}")
        _order(service, path, found, verb)
        power = "unknown"
    return {"power": power, "uuid": said[:45]}


def _only_system(service: Service) -> str:
    members = service.get(SYSTEMS).get("Members")
    paths = [each.get("@odata.id") for each in members or () if isinstance(each, dict)]
    if len(paths) != 1 or not isinstance(paths[0], str):
        raise RedfishError(f"{SYSTEMS}: {len(paths)} systems: name one in fence.system")
    return paths[0]


def _order(service: Service, path: str, found: dict[str, Any], verb: str) -> None:
    actions = found.get("Actions")
    reset = actions.get("#ComputerSystem.Reset") if isinstance(actions, dict) else None
    reset = reset if isinstance(reset, dict) else {}
    target = reset.get("target") or f"{path.rstrip('/')}/Actions/ComputerSystem.Reset"
    allowed = reset.get("ResetType@Redfish.AllowableValues")
    orders = ORDERS[verb]
    known = [each for each in orders if isinstance(allowed, list) and each in allowed]
    service.post(str(target), {"ResetType": (known or orders)[0]})


def credential(file: str) -> tuple[str, str]:
    """Return user and password.

    Raises:
        RedfishError: the file is not there, not ours alone, or says something else.
    """
    try:
        with Path(file).open("rb") as stream:
            found = os.fstat(stream.fileno())
            raw = stream.read(SECRET_BYTES_MAX)
    except OSError as err:
        raise RedfishError(f"{file}: {err.strerror}") from err
    if found.st_mode & STRANGERS or found.st_uid not in {0, os.geteuid()}:
        mode = stat.S_IMODE(found.st_mode)
        raise RedfishError(f"{file}: mode {mode:04o} of user {found.st_uid}: must be ours, 0600")
    try:
        said = tomllib.loads(raw.decode())
        user, password = said["user"], said["password"]
    except (ValueError, KeyError):  # whose text may quote the line
        raise RedfishError(f"{file}: must say user and password, as TOML") from None
    if not (isinstance(user, str) and isinstance(password, str) and user and ":" not in user):
        raise RedfishError(f"{file}: user and password must be texts, no colon in the user")
    return user, password


def tls(ca_file: str) -> ssl.SSLContext:
    """Return a context that trusts one CA, or nobody yet where a certificate is pinned.

    Raises:
        RedfishError: the CA's file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not ca_file:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE  # Connection compares it before it says a word
        return context
    try:
        context.load_verify_locations(ca_file)
    except (OSError, ssl.SSLError) as err:
        raise RedfishError(f"{ca_file}: {err.strerror or 'no certificate'}") from err
    return context


def answer(asked: dict[str, Any]) -> dict[str, str]:
    """Return what came of a request: power, uuid and fault."""
    connection = None
    try:
        user, password = credential(asked["credentials"])
        context = tls(asked["ca_file"])
        pin = asked["certificate_sha256"]
        connection = Connection(asked["url"], context, pin, asked["timeout_s"])
        service = Service(connection, user, password)
        return act(service, asked["verb"], asked["system"], asked["uuid"]) | {"fault": ""}
    except RedfishError as err:
        fault = str(err)
    except ssl.SSLCertVerificationError as err:
        fault = f"its certificate is not good: {err.verify_message}"
    except (OSError, http.client.HTTPException) as err:
        fault = f"{asked['url']}: {str(err) or type(err).__name__}"
    finally:
        if connection is not None:
            connection.close()
    return {"power": "unknown", "uuid": "", "fault": fault}


def main() -> None:
    """Read one request, act, answer."""
    asked = json.loads(sys.stdin.buffer.read(REQUEST_BYTES_MAX))
    json.dump(answer(asked), sys.stdout)


if __name__ == "__main__":
    main()
