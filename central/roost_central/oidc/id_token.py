"""ID tokens, verified: whose they are, or why they are refused. Pure.

Source: OpenID Connect Core 1.0 section 3.1.3.7. Invariants: an algorithm is one of KEY_TYPES and is
used with a key of its type alone, so neither ``none`` nor a MAC keyed by a public key verifies; a
token is of this issuer, for this client, of this very login (nonce), and neither over nor older
than the login.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from joserfc import jws, jwt
from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import RSAKey, import_key

from roost_central.errors import OidcError

KEY_TYPES: Final = MappingProxyType(
    {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP", "Ed25519": "OKP"}
)
CURVES: Final = MappingProxyType({"ES256": "P-256", "EdDSA": "Ed25519", "Ed25519": "Ed25519"})
RSA_BITS_MIN: Final = 2_048  # RFC 7518 section 3.3
SKEW_MS_MAX: Final = 60_000  # between the provider's clock and ours
TOKEN_CHARS_MAX: Final = 32_768
SUBJECT_CHARS_MAX: Final = 255  # OpenID Connect Core 1.0 section 2
GROUPS_MAX: Final = 1_024  # read of a token
TIME_S_MAX: Final = 1 << 40

Jwk = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token has to say.

    Attributes:
        began_ms: UTC of when its login began.
    """

    issuer: str
    client_id: str
    nonce: str
    began_ms: int


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says: the subject is who it is, all else is a hint."""

    subject: str
    username: str
    groups: tuple[str, ...]


class _AllowList(jws.JWSRegistry):
    """The algorithms of KEY_TYPES; what a header has beside them is passed over (RFC 7515 4)."""

    def __init__(self) -> None:
        super().__init__(strict_check_header=False)

    def get_alg(self, name: str) -> JWSAlgModel:
        if name not in KEY_TYPES:
            raise UnsupportedAlgorithmError(f"algorithm {name[:16]!r} is not allowed")
        return self.algorithms[name]


def key_of(token: str, keys: Sequence[Jwk]) -> Jwk | None:
    """Return the key that a token says it is signed with, None where the provider shows none.

    Raises:
        OidcError: ``refused``: it is no token, or of an algorithm that is not allowed.
    """
    if len(token) > TOKEN_CHARS_MAX:
        raise OidcError("refused", f"its ID token has more than {TOKEN_CHARS_MAX} characters")
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError) as err:
        raise OidcError("refused", "its ID token is not a signed token") from err
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES or "crit" in header:
        allowed = ", ".join(KEY_TYPES)
        raise OidcError("refused", f"its ID token is signed by none of {allowed}")
    fitting = [key for key in keys if _fits(key, algorithm)]
    named = [key for key in fitting if key_id is None or key.get("kid") == key_id]
    return named[0] if len(named) == 1 else None


def verified(token: str, key: Jwk, expected: Expected, now_ms: int, *, groups: str) -> Claims:
    """Return what a token says, once everything about it is right.

    Args:
        token: as the provider gave it.
        key: as ``key_of`` found it.
        expected: what it has to say.
        now_ms: UTC.
        groups: the name of the claim with groups.

    Raises:
        OidcError: ``refused``, with what is wrong.
    """
    try:
        public = import_key(key)
        claims = jwt.decode(token, public, registry=_AllowList()).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as err:
        raise OidcError("refused", "the signature of its ID token is wrong") from err
    if isinstance(public, RSAKey) and public.raw_value.key_size < RSA_BITS_MIN:
        raise OidcError("refused", f"its RSA key has less than {RSA_BITS_MIN} bits")
    _check_parties(claims, expected)
    _check_times(claims, expected, now_ms)
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(), expected.nonce.encode()
    ):
        raise OidcError("refused", "its ID token is not of this login (nonce)")
    return Claims(_subject(claims), _text(claims, "preferred_username"), _groups(claims, groups))


def _fits(key: Jwk, algorithm: str) -> bool:
    """Say whether a key of the provider may verify an algorithm."""
    return (
        key.get("kty") == KEY_TYPES[algorithm]
        and key.get("crv") == CURVES.get(algorithm)
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise OidcError("refused", "its ID token is of another issuer (iss)")
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience
    if not isinstance(audiences, list) or expected.client_id not in audiences:
        raise OidcError("refused", "its ID token is for another client (aud)")
    party = claims.get("azp")
    if party != expected.client_id and (party is not None or len(audiences) > 1):
        raise OidcError("refused", "its ID token was given to another client (azp)")


def _check_times(claims: Mapping[str, Any], expected: Expected, now_ms: int) -> None:
    ends_ms, issued_ms = _instant(claims, "exp"), _instant(claims, "iat")
    if now_ms >= ends_ms + SKEW_MS_MAX:
        raise OidcError("refused", "its ID token is over (exp); compare the clocks")
    if not expected.began_ms - SKEW_MS_MAX <= issued_ms <= now_ms + SKEW_MS_MAX:
        raise OidcError("refused", "its ID token is not of now (iat); compare the clocks")
    if "nbf" in claims and _instant(claims, "nbf") > now_ms + SKEW_MS_MAX:
        raise OidcError("refused", "its ID token is not good yet (nbf); compare the clocks")


def _instant(claims: Mapping[str, Any], name: str) -> float:
    """Return a NumericDate in UTC ms."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise OidcError("refused", f"its ID token has no time in {name}")
    if not 0 <= value < TIME_S_MAX:  # so that NaN, which JSON here may hold, fails
        raise OidcError("refused", f"its ID token has no time in {name}")
    return value * 1_000


def _subject(claims: Mapping[str, Any]) -> str:
    subject = _text(claims, "sub")
    if not 0 < len(subject) <= SUBJECT_CHARS_MAX or not subject.isascii():
        raise OidcError("refused", f"its sub is not 1 to {SUBJECT_CHARS_MAX} characters of ASCII")
    if not subject.isprintable():
        raise OidcError("refused", "its sub has control characters")
    return subject


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""


def _groups(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = claims.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value[:GROUPS_MAX] if isinstance(each, str))
