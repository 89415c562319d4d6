"""Who asks: the owner of a token, or of a browser's session.

Leaves storage to storage/accounts.py and tokens.py, passwords to logins.py, and what a route asks
for to routes/. Invariants: a token is compared as a digest, in constant time; what somebody may is
read again from storage RECHECK_MS later at the latest, and at once after a change of ours; a write
by cookie comes from our own pages (SameSite, Origin, X-Roost-CSRF); what an address cannot prove
costs it (throttle.py), and who guesses on costs storage nothing (token_hashes.py); no secret
reaches a log or an answer, but for the session cookie itself.
"""

import asyncio
import hmac
import logging
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from roost_central.access.core import Grant, within
from roost_central.access.throttle import Throttle
from roost_central.api.problem import ApiError
from roost_central.api.secret import digest, is_token, new_secret
from roost_central.api.sessions import SESSION_MS_MAX, Login, Proof, Session, Sessions, TokenHash
from roost_central.api.token_hashes import TokenHashes
from roost_central.errors import StorageError
from roost_central.ports import Clock, Entropy
from roost_central.storage import accounts, tokens
from roost_central.storage.engine import Database

logger = logging.getLogger(__name__)

RECHECK_MS: Final = 10_000  # what another process revoked works that long at most
KNOWN_MAX: Final = 1_024
USED_S: Final = 60.0  # how old the last use of a token is told at most
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
COOKIE: Final = "roost_session"
HOST_PREFIX: Final = "__Host-"  # needs TLS
CSRF_HEADER: Final = "X-Roost-CSRF"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, what they may, and how it was proved who they are.

    Attributes:
        name: of the account.
        grants: what counts: of a token, those of its own that its owner's cover.
        proof: what to look at again while a stream lasts.
        via: ``token:NAME``, ``password`` or ``oidc``.
        is_full: it is what the account itself may, neither less nor more.
        expires_ms: of its token, UTC; None: never.
    """

    name: str
    grants: tuple[Grant, ...]
    proof: Proof
    via: str
    is_full: bool
    expires_ms: int | None = None


class Access:
    """Decides whether a request is let in."""

    def __init__(
        self, database: Database, clock: Clock, entropy: Entropy, *, is_secure: bool
    ) -> None:
        self.throttle = Throttle()
        self._database = database
        self._clock = clock
        self._entropy = entropy
        self._is_secure = is_secure
        self._sessions = Sessions()
        self._hashes = TokenHashes(database, clock)
        self._known: OrderedDict[Proof, tuple[Principal, int]] = OrderedDict()
        self._forgotten = 0  # how often: what was read before counts no more
        self._used: dict[bytes, int] = {}

    @property
    def cookie(self) -> str:
        """The name of the session cookie on this listener."""
        return self.cookie_name(COOKIE)

    async def run(self) -> None:
        """Note the last uses of tokens, now and then, until cancelled."""
        while True:
            await asyncio.sleep(USED_S)
            used, self._used = self._used, {}
            if not used:
                continue
            try:
                async with self._database.write() as connection:
                    await tokens.touch(connection, used)
            except StorageError as err:
                logger.warning("the last uses of tokens are not stored: %s", err)

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
        principal = await self.recheck(session.proof)
        if principal is None:
            raise _unauthenticated("what this login was made by is valid no more: log in again")
        return principal

    async def prove(self, token: str, request: web.Request) -> Principal:
        """Return whom a token belongs to; a wrong one counts against the address.

        A right one is let in whatever its address did: behind a proxy all have one.

        Raises:
            ApiError: ``unauthenticated`` or ``throttled``.
        """
        address = request.remote or ""
        proof = TokenHash(digest(token)) if is_token(token) else None
        looks = proof is not None and await self._may_be_right(proof, address)
        principal = await self.recheck(proof) if proof is not None and looks else None
        if principal is None or proof is None:
            self.check_throttle(address)
            self.throttle.failed(address, self._clock.mono_ms())
            raise _unauthenticated("the token is not one of this central")
        self._used[proof.hash] = self._clock.wall_ms()
        return principal

    async def _may_be_right(self, proof: TokenHash, address: str) -> bool:
        """Say whether a token is worth a look into storage: from who guesses, if there is one."""
        is_free = not self.throttle.wait_ms(address, self._clock.mono_ms())
        return is_free or proof in self._known or await self._hashes.has(proof.hash)

    def check_throttle(self, *keys: str) -> None:
        """Refuse what failed too often: an address, or an account.

        Raises:
            ApiError: ``throttled``.
        """
        now_ms = self._clock.mono_ms()
        wait_ms = max(self.throttle.wait_ms(key, now_ms) for key in keys)
        if wait_ms:
            raise ApiError(
                "throttled",
                "too many failed attempts; wait and try again",
                headers={"Retry-After": str(wait_ms // 1000 + 1)},
            )

    async def recheck(self, proof: Proof) -> Principal | None:
        """Return whom a proof stands for now, None when it was revoked or ran out."""
        principal = self._fresh(proof)
        if principal is None:
            forgotten = self._forgotten
            match proof:
                case TokenHash():
                    principal = await self._by_token(proof)
                case Login():
                    principal = await self._by_login(proof)
            if principal is None:
                self._known.pop(proof, None)
                return None
            if forgotten == self._forgotten:  # else a change was made while this one was read
                self._known[proof] = (principal, self._clock.mono_ms())
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return None if self._is_over(principal) else principal

    def forget(self) -> None:
        """Ask storage again, after a change of accounts or tokens."""
        self._forgotten += 1
        self._hashes.forget()
        self._known.clear()

    def begin(self, proof: Proof) -> tuple[str, Session]:
        """Begin a session; return the Set-Cookie header with it."""
        session_id = new_secret(self._entropy)
        session = self._sessions.begin(session_id, proof, self._clock.wall_ms())
        return self.set_cookie(self.cookie, session_id, SESSION_MS_MAX // 1000), session

    def log_out(self, request: web.Request) -> str:
        """End the session of a request; return the Set-Cookie header that forgets it."""
        self._sessions.end(self._session_id(request))
        return self.set_cookie(self.cookie, "", 0)

    def cookie_name(self, name: str) -> str:
        """Return a cookie's name on this listener: over TLS the browser binds it to the host."""
        return HOST_PREFIX + name if self._is_secure else name

    def set_cookie(self, name: str, value: str, age_s_max: int) -> str:
        """Return the Set-Cookie header of a cookie that no script and no other page can use."""
        secure = "; Secure" if self._is_secure else ""
        return f"{name}={value}; Path=/; Max-Age={age_s_max}; HttpOnly; SameSite=Strict{secure}"

    async def _by_token(self, proof: TokenHash) -> Principal | None:
        async with self._database.read() as connection:
            token = await tokens.find(connection, proof.hash)
            owner = None if token is None else await accounts.find(connection, token.owner)
        if token is None or owner is None or owner.disabled:
            return None
        if not hmac.compare_digest(token.hash, proof.hash):
            return None
        return Principal(
            name=owner.name,
            grants=within(owner.grants, token.grants),
            proof=proof,
            via=f"token:{token.name}",
            is_full=token.grants is None,
            expires_ms=token.expires_ms,
        )

    async def _by_login(self, proof: Login) -> Principal | None:
        async with self._database.read() as connection:
            account = await accounts.find(connection, proof.account)
        if account is None or account.disabled or account.changed_ms != proof.changed_ms:
            return None
        grants = tuple(dict.fromkeys((*account.grants, *proof.grants)))
        return Principal(account.name, grants, proof, proof.via, is_full=not proof.grants)

    def _session(self, request: web.Request) -> Session | None:
        session_id = self._session_id(request)
        return self._sessions.find(session_id, self._clock.wall_ms()) if session_id else None

    def _session_id(self, request: web.Request) -> str:
        return request.cookies.get(self.cookie, "")

    def _fresh(self, proof: Proof) -> Principal | None:
        known = self._known.get(proof)
        if known is None or self._is_over(known[0]):
            return None
        return known[0] if self._clock.mono_ms() - known[1] < RECHECK_MS else None

    def _is_over(self, principal: Principal) -> bool:
        return principal.expires_ms is not None and principal.expires_ms <= self._clock.wall_ms()


def check_origin(request: web.Request) -> None:
    """Refuse what a browser sends on behalf of another page.

    Raises:
        ApiError: ``csrf``.
    """
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise ApiError("csrf", "the Origin header names another host than the one asked")


def _unauthenticated(detail: str) -> ApiError:
    return ApiError("unauthenticated", detail, headers={"WWW-Authenticate": 'Bearer realm="roost"'})
