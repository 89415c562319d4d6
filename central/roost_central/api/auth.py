"""Who asks: a bearer token, or a browser's session that stands for one.

Leaves storage of tokens to storage/tokens.py and which route asks for what to routes/.
Invariants: a token is compared as a digest, in constant time; a write by cookie comes from our own
pages (SameSite, Origin, X-Roost-CSRF); what an address cannot prove costs it (throttle.py); nothing
secret reaches a log or an answer, but for the session cookie itself.
"""

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from roost_central.api.problem import ApiError
from roost_central.api.secret import digest, is_token, new_secret
from roost_central.api.sessions import SESSION_MS_MAX, Session, Sessions
from roost_central.api.throttle import Throttle
from roost_central.ports import Clock, Entropy
from roost_central.storage import tokens
from roost_central.storage.engine import Database
from roost_central.storage.tokens import TokenRecord

RECHECK_MS: Final = 10_000  # a revoked token works that long at most
KNOWN_TOKENS_MAX: Final = 1_024
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE: Final = "roost_session"
SECURE_COOKIE: Final = "__Host-roost_session"  # bound to the host by the browser, needs TLS
CSRF_HEADER: Final = "X-Roost-CSRF"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as what, and how that was proved."""

    name: str
    role: str
    token_digest: bytes
    via: str


class Access:
    """Decides whether a request is let in."""

    def __init__(
        self, database: Database, clock: Clock, entropy: Entropy, *, is_secure: bool
    ) -> None:
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._is_secure = is_secure
        self._sessions = Sessions()
        self._throttle = Throttle()
        self._known: OrderedDict[bytes, tuple[TokenRecord, int]] = OrderedDict()

    @property
    def cookie(self) -> str:
        """The name of the session cookie on this listener."""
        return SECURE_COOKIE if self._is_secure else COOKIE

    async def admit(self, request: web.Request) -> Principal:
        """Return who asks.

        Raises:
            ApiError: ``unauthenticated``, ``csrf`` or ``throttled``.
        """
        header = request.headers.get("Authorization")
        if header is not None:
            scheme, _, text = header.partition(" ")
            return await self.prove(text.strip() if scheme.lower() == "bearer" else "", request)
        session = self._session(request)
        if session is None:
            raise _unauthenticated("send Authorization: Bearer rtk_..., or log in")
        if request.method not in SAFE_METHODS:
            check_origin(request)
            if request.headers.get(CSRF_HEADER) != "1":
                raise ApiError("csrf", f"a write by cookie needs the header {CSRF_HEADER}: 1")
        principal = await self.recheck(session.token_digest)
        if principal is None:
            raise _unauthenticated("the token of this login was revoked: log in again")
        return principal

    async def prove(self, token: str, request: web.Request) -> Principal:
        """Return whom a token belongs to; a wrong one counts against the address.

        Raises:
            ApiError: ``unauthenticated`` or ``throttled``.
        """
        now_ms = self._clock.mono_ms()
        hashed = digest(token) if is_token(token) else None
        if hashed is not None and self._fresh(hashed, now_ms) is not None:
            return _principal(self._known[hashed][0])
        address = request.remote or ""
        wait_ms = self._throttle.wait_ms(address, now_ms)
        if wait_ms:
            raise ApiError(
                "throttled",
                "too many wrong tokens from this address; wait and try again",
                headers={"Retry-After": str(wait_ms // 1000 + 1)},
            )
        principal = None if hashed is None else await self.recheck(hashed)
        if principal is None:
            self._throttle.failed(address, now_ms)
            raise _unauthenticated("the token is not one of this central")
        return principal

    async def recheck(self, hashed: bytes) -> Principal | None:
        """Return whom a token's digest belongs to now, None when it was revoked or ran out."""
        now_ms = self._clock.mono_ms()
        record = self._fresh(hashed, now_ms)
        if record is None:
            async with self._database.read() as connection:
                record = await tokens.find(connection, hashed)
            if record is None or not hmac.compare_digest(record.hash, hashed):
                self._known.pop(hashed, None)
                return None
            self._known[hashed] = (record, now_ms)
            while len(self._known) > KNOWN_TOKENS_MAX:
                self._known.popitem(last=False)
        return None if self._is_over(record) else _principal(record)

    async def log_in(self, token: str, request: web.Request) -> tuple[Principal, str, Session]:
        """Begin a session for the owner of a token; return it with the Set-Cookie header.

        Raises:
            ApiError: ``unauthenticated``, ``csrf`` or ``throttled``.
        """
        check_origin(request)
        principal = await self.prove(token, request)
        session_id = new_secret(self._entropy)
        session = self._sessions.begin(session_id, principal.token_digest, self._clock.wall_ms())
        return principal, self._set_cookie(session_id, SESSION_MS_MAX // 1000), session

    def log_out(self, request: web.Request) -> str:
        """End the session of a request; return the Set-Cookie header that forgets it."""
        self._sessions.end(self._session_id(request))
        return self._set_cookie("", 0)

    def _session(self, request: web.Request) -> Session | None:
        session_id = self._session_id(request)
        return self._sessions.find(session_id, self._clock.wall_ms()) if session_id else None

    def _session_id(self, request: web.Request) -> str:
        return request.cookies.get(self.cookie, "")

    def _set_cookie(self, value: str, age_s_max: int) -> str:
        secure = "; Secure" if self._is_secure else ""
        return (
            f"{self.cookie}={value}; Path=/; Max-Age={age_s_max}; HttpOnly; SameSite=Strict{secure}"
        )

    def _fresh(self, hashed: bytes, now_ms: int) -> TokenRecord | None:
        known = self._known.get(hashed)
        if known is None or now_ms - known[1] >= RECHECK_MS or self._is_over(known[0]):
            return None
        return known[0]

    def _is_over(self, record: TokenRecord) -> bool:
        return record.expires_ms is not None and record.expires_ms <= self._clock.wall_ms()


def check_origin(request: web.Request) -> None:
    """Refuse what a browser sends on behalf of another page.

    Raises:
        ApiError: ``csrf``.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise ApiError("csrf", "the Origin header names another host than the one asked")


def _principal(record: TokenRecord) -> Principal:
    return Principal(record.name, record.role, record.hash, f"token:{record.name}")


def _unauthenticated(detail: str) -> ApiError:
    return ApiError("unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="roost"'})
