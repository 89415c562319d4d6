"""Speaks to the centre's enrolment listener: HTTPS to the fleet's own root, and to nothing else.

The first question is asked of whoever answers, to learn the root that it claims; everything after
that goes over a connection which that root vouches for, by the name ``enrol.svc.<domain>`` whatever
address was dialled. Whether the root is the right one is the caller's to say (a pin, or a human).
Dates of certificates are not checked: a box whose clock stopped can still join, and a wrong root or
name is refused all the same.
"""

import http.client
import re
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

import msgspec

from roost_agent.errors import AgentError
from roost_protocol.certificate import check_domain
from roost_protocol.enrol import ISSUED_BYTES_MAX, Hello
from roost_protocol.errors import ProtocolError
from roost_protocol.join_token import to_text
from roost_protocol.tls import NO_CHECK_TIME

DEFAULT_PORT: Final = 8471
TALK_S: Final = 20.0  # for each step of a connection: a slow line, a busy centre
ENDED_ALERT: Final = "SSLV3_ALERT_CERTIFICATE_EXPIRED"  # RFC 8446, 6.2; OpenSSL's word
_HOST: Final = re.compile(r"[A-Za-z0-9.:_-]{1,253}", re.ASCII)

T = TypeVar("T")


class CentreError(AgentError):
    """The centre could not be asked; asking again later may help."""


class EndedError(CentreError):
    """The centre's TLS does not take the node's certificate any more: it has ended."""


class RefusedError(AgentError):
    """The centre said no; ``code`` is its word."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class UntrustedError(AgentError):
    """Whoever answers is not the centre of this fleet; nothing was told to it."""


class _Fault(msgspec.Struct):
    code: str = ""


class _Problem(msgspec.Struct):
    detail: str = ""
    code: str = ""
    errors: list[_Fault] = []


@dataclass(frozen=True, slots=True)
class Address:
    """Where the centre listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, url: str) -> "Address":
        """Return the address in ``https://HOST[:PORT]``.

        Raises:
            AgentError: it is another kind of URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or DEFAULT_PORT
        except ValueError:
            parts, port = urlsplit(""), 0
        host = parts.hostname or ""
        if parts.scheme != "https" or not _HOST.fullmatch(host) or parts.path not in {"", "/"}:
            raise AgentError(f"{url[:200]!r} is not https://HOST[:PORT], as the centre shows it")
        return cls(host, port)

    @property
    def url(self) -> str:
        """As it is written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Centre:
    """One enrolment listener; ``trust`` says whose.

    Args:
        address: where.
        identity: certificate and key files to show, for a renewal.
    """

    def __init__(self, address: Address, identity: tuple[Path, Path] | None = None) -> None:
        self.address = address
        self._identity = identity
        self._context = _unverified()
        self._name: str | None = None
        self._link: http.client.HTTPConnection | None = None  # kept between questions

    def hello(self, commit: bytes) -> Hello:
        """Return what the centre says it is, and its nonce for ``commit``."""
        return self._asked("GET", f"/api/v1/enrol/hello?commit={to_text(commit)}", None, Hello)

    def trust(self, root: str, domain: str) -> None:
        """Speak from now on only to whom a root (PEM) vouches for.

        Raises:
            UntrustedError: no fleet has such a root or domain.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags |= NO_CHECK_TIME
        try:
            context.load_verify_locations(cadata=root)
            self._name = f"enrol.svc.{check_domain(domain)}"
            if self._identity is not None:
                context.load_cert_chain(*self._identity)
        except (ssl.SSLError, ValueError, ProtocolError) as err:
            raise UntrustedError(
                f"{self.address}: its root or domain makes no sense: {err}"
            ) from err
        self.close()
        self._context = context

    def close(self) -> None:
        """Hang up; the next question connects again."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def post(self, path: str, body: msgspec.Struct, kind: type[T]) -> T:
        """Return the answer to a document.

        Raises:
            RefusedError: the centre says no.
            UntrustedError: whoever answers is not the centre.
            CentreError: it cannot be asked now.
        """
        return self._asked("POST", path, msgspec.json.encode(body), kind)

    def _asked(self, method: str, path: str, body: bytes | None, kind: type[T]) -> T:
        status, raw = self._exchanged(method, path, body)
        try:
            if status >= http.client.BAD_REQUEST:
                raise _refusal(status, msgspec.json.decode(raw, type=_Problem))
            return msgspec.json.decode(raw, type=kind)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
            raise CentreError(f"{self.address}: its answer cannot be read: {err}") from err

    def _exchanged(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            link = self._linked()
            link.request(method, path, body, headers)
            with link.getresponse() as answer:
                status, raw = answer.status, answer.read(ISSUED_BYTES_MAX + 1)
                is_last = answer.will_close or len(raw) > ISSUED_BYTES_MAX
        except ssl.SSLCertVerificationError as err:
            self.close()
            why = f"{self.address} is not the centre of this fleet: {err.verify_message}"
            raise UntrustedError(f"{why}; check the URL, and whose token it is") from err
        except (OSError, http.client.HTTPException) as err:
            self.close()
            if getattr(err, "reason", None) == ENDED_ALERT:
                raise EndedError(f"{self.address}: the node's certificate has ended") from err
            raise CentreError(f"{self.address}: {str(err) or type(err).__name__}") from err
        if is_last:
            self.close()
        if len(raw) > ISSUED_BYTES_MAX:
            raise CentreError(f"{self.address}: its answer is longer than {ISSUED_BYTES_MAX} bytes")
        return status, raw

    def _linked(self) -> http.client.HTTPConnection:
        """Return the connection, made where there is none."""
        if self._link is None:
            self._link = http.client.HTTPConnection(
                self.address.host, self.address.port, timeout=TALK_S
            )
            self._link.sock = self._connected()
        return self._link

    def _connected(self) -> ssl.SSLSocket:
        plain = socket.create_connection((self.address.host, self.address.port), timeout=TALK_S)
        try:
            return self._context.wrap_socket(plain, server_hostname=self._name)
        except BaseException:
            plain.close()
            raise


def _unverified() -> ssl.SSLContext:
    """Return a context for the one question that tells whom to verify."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _refusal(status: int, problem: _Problem) -> AgentError:
    code = problem.errors[0].code if problem.errors else problem.code
    detail = problem.detail or f"the centre answers {status}"
    is_passing = status >= http.client.INTERNAL_SERVER_ERROR or status in {
        http.client.TOO_MANY_REQUESTS, http.client.REQUEST_TIMEOUT,
    }  # fmt: skip
    return CentreError(f"the centre: {detail}") if is_passing else RefusedError(code, detail)
