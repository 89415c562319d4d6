"""What is asked of an OpenID provider: its discovery document, its keys, a token for a code.

Every call has a deadline and a size; nothing follows a redirect, and nothing goes anywhere in the
clear but to this machine. Who waits for a provider that is down waits once: others are told at once
what that one learnt. Errors are OidcError ``unreachable`` (the environment's) and ``refused``.
"""

import asyncio
import base64
import logging
import ssl
from collections.abc import Mapping
from typing import Final, TypeVar
from urllib.parse import quote_plus

import aiohttp
import msgspec

from roost_central.config_section import secret
from roost_central.errors import ConfigError, OidcError
from roost_central.oidc.config import OidcConfig, is_endpoint
from roost_central.oidc.id_token import Jwk
from roost_central.ports import Clock

logger = logging.getLogger(__name__)

CALL_S_MAX: Final = 5.0
ANSWER_BYTES_MAX: Final = 256 * 1024
KEYS_MAX: Final = 64
CALLS_MAX: Final = 8  # at once
FRESH_MS: Final = 600_000  # how long what a provider says of itself is believed
RETRY_MS: Final = 15_000  # a provider that failed is asked again
KEYS_RETRY_MS: Final = 30_000  # for a key that is not known: keys were changed, or somebody guesses
DISCOVERY: Final = "/.well-known/openid-configuration"
BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
OK: Final = 200
CLIENT_ERRORS: Final = range(400, 500)

T = TypeVar("T", bound=msgspec.Struct)


class Metadata(msgspec.Struct, frozen=True):
    """What is used of a discovery document (OpenID Connect Discovery 1.0 section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = (BASIC,)


class KeySet(msgspec.Struct, frozen=True):
    """A JWK set (RFC 7517 section 5)."""

    keys: list[Jwk]


class TokenAnswer(msgspec.Struct, frozen=True):
    """What is used of the token endpoint's answer."""

    id_token: str


class Provider:
    """One provider, with what it said of itself."""

    def __init__(self, config: OidcConfig, clock: Clock) -> None:
        self._config = config
        self._clock = clock
        self._tls = _tls(config)
        self._calls = asyncio.Semaphore(CALLS_MAX)
        self._asking = asyncio.Lock()
        self._metadata: tuple[Metadata, int] | None = None
        self._failed: tuple[OidcError, int] | None = None
        self._keys: tuple[list[Jwk], int] | None = None

    async def metadata(self) -> Metadata:
        """Return its discovery document, FRESH_MS old at most.

        Raises:
            OidcError: see the module.
        """
        async with self._asking:
            now_ms = self._clock.mono_ms()
            if self._metadata is not None and now_ms - self._metadata[1] < FRESH_MS:
                return self._metadata[0]
            if self._failed is not None and now_ms - self._failed[1] < RETRY_MS:
                raise self._failed[0]
            try:
                found = await self._discover()
            except OidcError as err:
                self._failed = (err, self._clock.mono_ms())
                logger.warning("nobody can log in by %s: %s", self._config.issuer, err.detail)
                raise
            self._metadata, self._failed = (found, self._clock.mono_ms()), None
            return found

    async def keys(self, *, renew: bool = False) -> list[Jwk]:
        """Return its public keys; asked again for an unknown one every KEYS_RETRY_MS at most.

        Raises:
            OidcError: see the module.
        """
        metadata = await self.metadata()
        async with self._asking:
            age_max_ms = KEYS_RETRY_MS if renew else FRESH_MS
            now_ms = self._clock.mono_ms()
            if self._keys is not None and now_ms - self._keys[1] < age_max_ms:
                return self._keys[0]
            found = await self._call("GET", metadata.jwks_uri, KeySet)
            self._keys = (found.keys[:KEYS_MAX], self._clock.mono_ms())
            return self._keys[0]

    async def redeem(self, code: str, verifier: str) -> str:
        """Return the ID token that a code stands for (RFC 6749 section 4.1.3, RFC 7636).

        Raises:
            OidcError: see the module.
        """
        metadata = await self.metadata()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._config.redirect_uri,
            "client_id": self._config.client_id,
            "code_verifier": verifier,
        }
        headers: dict[str, str] = {}
        own = await asyncio.to_thread(self._secret)
        if own:
            methods = metadata.token_endpoint_auth_methods_supported
            if BASIC in methods or POST not in methods:
                headers["Authorization"] = _basic(self._config.client_id, own)
            else:
                form["client_secret"] = own
        answer = await self._call("POST", metadata.token_endpoint, TokenAnswer, form, headers)
        return answer.id_token

    async def _discover(self) -> Metadata:
        issuer = self._config.issuer
        found = await self._call("GET", issuer.rstrip("/") + DISCOVERY, Metadata)
        if found.issuer != issuer:
            detail = f"it says that it is {found.issuer[:200]!r}, not {issuer!r}: see oidc.issuer"
            raise OidcError("refused", detail)
        tls_only = issuer.startswith("https:")
        for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if not is_endpoint(url, tls_only=tls_only):
                raise OidcError("refused", f"its address {url[:200]!r} is not https")
        return found

    def _secret(self) -> str:
        """Return the client's secret, read anew: it may have been replaced."""
        if self._config.client_secret_file is None:
            return ""
        try:
            return secret(self._config.client_secret_file).decode()
        except (ConfigError, UnicodeDecodeError) as err:
            detail = "oidc.client_secret_file cannot be used; see it on the centre"
            raise OidcError("unreachable", detail) from err

    async def _call(
        self,
        method: str,
        url: str,
        answer: type[T],
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        try:
            async with asyncio.timeout(CALL_S_MAX), self._calls:
                status, body = await self._exchange(method, url, form, headers)
        except TimeoutError as err:
            detail = f"it did not answer within {CALL_S_MAX:g} s"
            raise OidcError("unreachable", detail) from err
        except (aiohttp.ClientError, OSError) as err:
            raise OidcError("unreachable", f"it does not answer: {str(err)[:200]}") from err
        if status != OK:
            code = "refused" if form and status in CLIENT_ERRORS else "unreachable"
            raise OidcError(code, f"it answered with status {status}{_reason(body)}")
        try:
            return msgspec.json.decode(body, type=answer)
        except (msgspec.DecodeError, RecursionError) as err:
            raise OidcError("unreachable", f"its answer is not understood: {err}") from err

    async def _exchange(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None,
        headers: Mapping[str, str] | None,
    ) -> tuple[int, bytes]:
        connector = aiohttp.TCPConnector(ssl=self._tls)
        body = bytearray()
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(
                method, url, data=form, headers=headers, allow_redirects=False
            ) as answer,
        ):
            async for chunk in answer.content.iter_chunked(ANSWER_BYTES_MAX):
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    detail = f"its answer has more than {ANSWER_BYTES_MAX} bytes"
                    raise OidcError("unreachable", detail)
            return answer.status, bytes(body)


class _Refusal(msgspec.Struct, frozen=True):
    """RFC 6749 section 5.2; its description is for developers and may quote what was sent."""

    error: str


def _reason(body: bytes) -> str:
    try:
        word = msgspec.json.decode(body, type=_Refusal).error
    except (msgspec.DecodeError, RecursionError):
        return ""
    return f" ({word})" if word.isascii() and word.isprintable() and len(word) <= 40 else ""  # noqa: PLR2004 - longer is no word


def _basic(client_id: str, own: str) -> str:
    """Return the header of RFC 6749 section 2.3.1."""
    pair = f"{quote_plus(client_id)}:{quote_plus(own)}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


def _tls(config: OidcConfig) -> ssl.SSLContext:
    """Return what connections are made with.

    Raises:
        ConfigError: ``ca_file`` holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=config.ca_file)
    except OSError as err:  # ssl.SSLError is one
        raise ConfigError("oidc", field="oidc.ca_file", bound="PEM certificates") from err
