"""A login by the provider, from the button to an identity: state, nonce and PKCE around the calls.

Leaves to the API who that is here, and its session. Invariants: nobody is identified but by a
verified ID token, redeemed with the verifier of a login that the same browser began here; issuer
and subject are the identity, never a name or an address of mail (security.md section 6).
"""

import hmac
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from roost_central.access.core import Grant
from roost_central.errors import OidcError
from roost_central.oidc.config import OidcConfig
from roost_central.oidc.id_token import Expected, key_of, verified
from roost_central.oidc.pending import Pending, PendingLogins, digest
from roost_central.oidc.provider import Provider
from roost_central.ports import Clock, Entropy
from roost_protocol.join_token import to_text

SECRET_BYTES: Final = 32  # 43 characters: a verifier of PKCE has 43 to 128 (RFC 7636 section 4.1)


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send a browser, and the secret that it keeps until it is back."""

    url: str
    browser: str


@dataclass(frozen=True, slots=True)
class Identified:
    """Who came back.

    Attributes:
        username: what the provider calls them; a hint.
        grants: what their groups may here.
        next_path: where they wanted to go.
    """

    issuer: str
    subject: str
    username: str
    grants: tuple[Grant, ...]
    next_path: str


class OidcLogin:
    """Logins by one provider."""

    def __init__(self, config: OidcConfig, clock: Clock, entropy: Entropy) -> None:
        self.config = config
        self._provider = Provider(config, clock)
        self._clock = clock
        self._entropy = entropy
        self._pending = PendingLogins()

    async def problem(self) -> str:
        """Return why nobody can log in by the provider just now; empty where one can."""
        try:
            await self._provider.metadata()
        except OidcError as err:
            return err.detail
        return ""

    async def begin(self, next_path: str) -> Begun:
        """Begin a login.

        Raises:
            OidcError: ``unreachable`` or ``refused``.
        """
        metadata = await self._provider.metadata()
        state, nonce, verifier, browser = (self._secret() for _ in range(4))
        pending = Pending(digest(browser), nonce, verifier, next_path, self._clock.wall_ms())
        self._pending.add(state, pending, self._clock.mono_ms())
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.config.client_id,
                "redirect_uri": self.config.redirect_uri,
                "scope": " ".join(self.config.scopes),
                "state": state,
                "nonce": nonce,
                "code_challenge": to_text(digest(verifier)),
                "code_challenge_method": "S256",
            }
        )
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return Begun(f"{metadata.authorization_endpoint}{joint}{query}", browser)

    async def finish(self, *, code: str, state: str, issuer: str, browser: str) -> Identified:
        """Return who a browser came back as.

        Args:
            code: what the provider gave the browser.
            state: whose login it is.
            issuer: who says to be the provider (RFC 9207); empty where nothing was said.
            browser: the secret of ``begin``.

        Raises:
            OidcError: ``over``, ``unreachable`` or ``refused``.
        """
        pending = self._pending.take(state, browser, self._clock.mono_ms())
        if pending is None:
            detail = "this login is over, or was begun in another browser: begin it again"
            raise OidcError("over", detail)
        if issuer and not hmac.compare_digest(issuer.encode(), self.config.issuer.encode()):
            raise OidcError("refused", "the answer is of another provider (iss)")
        token = await self._provider.redeem(code, pending.verifier)
        key = key_of(token, await self._provider.keys())
        if key is None:
            key = key_of(token, await self._provider.keys(renew=True))
        if key is None:
            raise OidcError("refused", "its ID token is signed by a key that it does not show")
        config = self.config
        expected = Expected(config.issuer, config.client_id, pending.nonce, pending.began_ms)
        now_ms = self._clock.wall_ms()
        claims = verified(token, key, expected, now_ms, groups=config.groups_claim)
        held = (grant for group in claims.groups for grant in config.groups.get(group, ()))
        grants = tuple(dict.fromkeys(held))
        return Identified(config.issuer, claims.subject, claims.username, grants, pending.next_path)

    def _secret(self) -> str:
        return to_text(self._entropy.token(SECRET_BYTES))
