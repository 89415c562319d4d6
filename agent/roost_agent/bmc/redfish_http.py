"""HTTP to one Redfish service (DSP0266): in the child only, by aiohttp, and trusting nothing.

TLS goes to the one certificate that is known, or to a CA's. Answers are bounded and must be JSON
objects; a redirect is refused, since it could carry the token elsewhere. A session's token is used
where there is a session service, else the credential with every request.
"""

import asyncio
import hashlib
import hmac
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import aiohttp
import msgspec

from roost_agent.bmc.board import Board
from roost_agent.bmc.fault import BmcError, Fault

CONNECTIONS_MAX: Final = 4  # a controller is a small machine
REQUEST_S: Final = 5.0
BODY_BYTES_MAX: Final = 2 << 20  # 256 sensors, expanded
BYE_S: Final = 1.0
GONE_S: Final = 0.01
ROOT: Final = "/redfish/v1/"
ANOTHER: Final = "it is not the one that was learned: was it replaced?"
TOKEN_CHARS_MAX: Final = 4_096
_NO_CREDENTIAL: Final = 401
_NO_RIGHTS: Final = 403
_REDIRECT: Final = range(300, 400)
_GOOD: Final = range(200, 300)
_decode: Final = msgspec.json.Decoder().decode


class Http:
    """One session; see the module.

    Args:
        session: of aiohttp.
        board: whose.
    """

    def __init__(self, session: aiohttp.ClientSession, board: Board) -> None:
        self._session = session
        self._board = board
        self._headers: dict[str, str] = {}
        self._bye = ""
        self.etags: dict[str, str] = {}

    async def get(self, path: str) -> dict[str, Any]:
        """Return a resource; BmcError: it is not given, too long, or no object."""
        raw = await self._asked("GET", path, None)
        return _object(raw, f"GET {path}")

    async def change(self, method: str, path: str, body: dict[str, Any]) -> None:
        """POST or PATCH; that it was taken says nothing of what came of it."""
        await self._asked(method, path, body)

    async def log_in(self, sessions: str) -> None:
        """Begin a session, or go by the credential itself.

        Args:
            sessions: where, as the service's root says; empty: it has no sessions. Trying both
                ways would count as two wrong passwords where the password is wrong.
        """
        board = self._board
        if not sessions:
            basic = aiohttp.BasicAuth(board.user, board.password, "utf-8")
            self._headers = {"Authorization": basic.encode()}
            return
        said = {"UserName": board.user, "Password": board.password}
        async with self._request("POST", sessions, said) as response:
            self._check(response, "POST", sessions)
            await _body(response, sessions)
            token = response.headers.get("X-Auth-Token", "")
            if not token or len(token) > TOKEN_CHARS_MAX:
                raise BmcError(Fault.GARBAGE, f"POST {sessions}: a session without a token")
            self._headers = {"X-Auth-Token": token}
            self._bye = _path(response.headers.get("Location", ""))

    async def log_out(self) -> None:
        """End the session: a controller has room for few."""
        if not self._bye:
            return
        with suppress(BmcError, TimeoutError):
            async with asyncio.timeout(BYE_S), self._request("DELETE", self._bye, None):
                self._bye = ""

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> bytes:
        async with self._request(method, path, body) as response:
            self._check(response, method, path)
            if method == "GET" and (etag := response.headers.get("ETag")):
                self.etags[path] = etag
            return await _body(response, path)

    @asynccontextmanager
    async def _request(
        self, method: str, path: str, body: dict[str, Any] | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if not path.startswith("/redfish/"):
            raise BmcError(Fault.GARBAGE, f"{method} {path[:80]!r}: no path of Redfish")
        headers = dict(self._headers)
        data = None
        if body is not None:
            data = msgspec.json.encode(body)
            headers["Content-Type"] = "application/json"
            if method == "PATCH" and path in self.etags:
                headers["If-Match"] = self.etags[path]
        try:
            async with self._session.request(
                method, path, data=data, headers=headers, allow_redirects=False
            ) as response:
                yield response
        except (aiohttp.ClientSSLError, ssl.SSLError) as err:
            raise BmcError(Fault.TLS, f"its certificate is not good: {_tls_why(err)}") from err
        except TimeoutError as err:
            text = f"{method} {path}: no answer within {REQUEST_S:g} s"
            raise BmcError(Fault.TIMEOUT, text) from err
        except (aiohttp.ClientConnectorError, aiohttp.ServerDisconnectedError) as err:
            raise BmcError(Fault.UNREACHABLE, f"{method} {path}: {_why(err)}") from err
        except (aiohttp.ClientError, ValueError, OSError) as err:
            text = f"{method} {path}: its answer is no HTTP: {type(err).__name__}"
            raise BmcError(Fault.GARBAGE, text) from err

    def _check(self, response: aiohttp.ClientResponse, method: str, path: str) -> None:
        status, where = response.status, f"{method} {path}: {response.status}"
        if status == _NO_CREDENTIAL:
            raise BmcError(Fault.CREDENTIAL, f"{where}: it refuses the user or the password")
        if status == _NO_RIGHTS:
            raise BmcError(Fault.RIGHTS, f"{where}: the account may not do that")
        if status in _REDIRECT:
            raise BmcError(Fault.REDIRECT, f"{where}: it sends us elsewhere; refused")
        if status not in _GOOD:
            raise BmcError(Fault.REFUSED, where)


@asynccontextmanager
async def opened(board: Board, pin: str) -> AsyncIterator[Http]:
    """Yield a service, not logged in yet.

    Args:
        board: whose; its CA or certificate wins over
        pin: SHA-256 of the certificate that was learned, in hex.
    """
    connector = aiohttp.TCPConnector(
        limit=CONNECTIONS_MAX,
        ssl=_trust(board, pin),
        use_dns_cache=False,
        enable_cleanup_closed=False,
    )
    session = aiohttp.ClientSession(
        f"https://{url_host(board.host)}:{board.port}",
        connector=connector,
        timeout=aiohttp.ClientTimeout(total=REQUEST_S),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"Accept": "application/json", "OData-Version": "4.0"},
        skip_auto_headers=("User-Agent",),
    )
    http = Http(session, board)
    try:
        yield http
    finally:
        await http.log_out()
        await session.close()
        await asyncio.sleep(GONE_S)  # the loop may end next: let it see that its sockets are closed


async def certificate(board: Board) -> str:
    """Return the SHA-256 of the certificate that a service shows, before a word is said to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # to learn it is what this is for
    try:
        async with asyncio.timeout(REQUEST_S):
            _, writer = await asyncio.open_connection(board.host, board.port, ssl=context)
    except TimeoutError as err:
        raise BmcError(Fault.TIMEOUT, f"no TLS within {REQUEST_S:g} s") from err
    except ssl.SSLError as err:
        raise BmcError(Fault.GARBAGE, f"port {board.port}: no TLS: {err.reason}") from err
    except OSError as err:
        raise BmcError(Fault.UNREACHABLE, f"port {board.port}: {_why(err)}") from err
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return hashlib.sha256(shown or b"").hexdigest()
    finally:
        writer.transport.abort()
        with suppress(OSError):
            await writer.wait_closed()


def _trust(board: Board, pin: str) -> ssl.SSLContext:
    """Return a context that talks to nobody but whom a CA names, or whose certificate is known."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if board.ca_file or board.ca:
        try:
            context.load_verify_locations(board.ca_file or None, cadata=board.ca or None)
        except (OSError, ssl.SSLError) as err:
            why = err.strerror or "no certificate"
            raise BmcError(Fault.CONFIG, f"ca {board.ca_file}: {why}") from err
        return context
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # _Pinned compares it before a byte of HTTP is sent
    known = {"known": board.certificate_sha256.lower() or pin}
    context.sslobject_class = type("_PinnedTo", (_Pinned,), known)
    return context


class _Pinned(ssl.SSLObject):
    """TLS whose handshake fails unless the certificate is the one that is known."""

    known = ""

    def do_handshake(self) -> None:
        """Shake hands, and compare."""
        super().do_handshake()
        shown = hashlib.sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
        if not hmac.compare_digest(shown, self.known):
            raise ssl.SSLCertVerificationError(1, ANOTHER)


def _tls_why(err: BaseException) -> str:
    text = str(err)
    return ANOTHER if ANOTHER in text else text[-120:]


def url_host(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


async def _body(response: aiohttp.ClientResponse, path: str) -> bytes:
    found = bytearray()
    async for chunk in response.content.iter_any():
        found += chunk
        if len(found) > BODY_BYTES_MAX:
            raise BmcError(Fault.OVERSIZE, f"{path}: more than {BODY_BYTES_MAX} bytes")
    return bytes(found)


def _object(raw: bytes, where: str) -> dict[str, Any]:
    try:
        found = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as err:
        raise BmcError(Fault.GARBAGE, f"{where}: its answer is no JSON") from err
    if not isinstance(found, dict):
        raise BmcError(Fault.GARBAGE, f"{where}: its answer is no object")
    return found


def _path(location: str) -> str:
    """Return the path of a Location, which may be a whole URL; empty: none of Redfish."""
    at = location.find("/redfish/")
    return location[at:][:255] if at >= 0 else ""


def _why(err: BaseException) -> str:
    cause = getattr(err, "os_error", err)
    return getattr(cause, "strerror", None) or type(err).__name__
