"""The ``[oidc]`` table: which OpenID provider logs operators in, and what its groups may here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from roost_central.access.core import GRANTS_MAX, ROLES, Grant, canonical_selector
from roost_central.config_section import Section, is_loopback
from roost_central.fleet.query import QueryError

KEYS: Final = ("issuer", "client_id", "client_secret_file", "ca_file", "scopes", "groups_claim",
               "group")  # fmt: skip
CALLBACK_PATH: Final = "/login/oidc"  # below http.public_url; what the provider must know
URL_CHARS_MAX: Final = 255  # of an issuer, as an account stores it
TEXT_CHARS_MAX: Final = 255
SCOPES_MAX: Final = 16
GROUPS_MAX: Final = 64  # that mean something here
OPENID: Final = "openid"


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """A provider.

    Attributes:
        issuer: as its tokens name it; below it is its discovery document.
        client_id: who we are there.
        redirect_uri: where it sends a browser back to.
        client_secret_file: without one only PKCE proves that a code is redeemed by us.
        ca_file: PEM of the authority of a provider of the house; None: those of the system.
        groups_claim: the claim of the ID token that lists groups.
        groups: what members of a group may, beside what their account may.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret_file: Path | None = None
    ca_file: Path | None = None
    scopes: tuple[str, ...] = (OPENID,)
    groups_claim: str = "groups"
    groups: Mapping[str, tuple[Grant, ...]] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """How people know the provider."""
        return urlsplit(self.issuer).netloc


def read(section: Section, public_url: str) -> OidcConfig:
    """Return what ``[oidc]`` says; ``public_url`` is the console's, without a slash at its end."""
    section.only(*KEYS)
    issuer = section.needed("issuer")
    if issuer and not is_endpoint(issuer):
        section.fault("issuer", f"{issuer[:URL_CHARS_MAX]!r} is not like https://idp.example/realm")
    if not public_url:
        section.fault("issuer", "needs http.public_url: the provider sends browsers back there")
    return OidcConfig(
        issuer=issuer,
        client_id=section.needed("client_id"),
        redirect_uri=public_url + CALLBACK_PATH,
        client_secret_file=section.file("client_secret_file"),
        ca_file=_ca_file(section),
        scopes=_scopes(section),
        groups_claim=section.get("groups_claim", "groups"),
        groups=_groups(section),
    )


def is_endpoint(text: str, *, tls_only: bool = False) -> bool:
    """Say whether secrets may go to an address: over TLS, or to this very machine."""
    try:
        parts = urlsplit(text)
        is_whole = bool(parts.hostname) and parts.port != 0 and not parts.username
    except ValueError:
        return False
    is_plain = text.isascii() and text.isprintable() and not any(c in text for c in ' <>"\\#')
    is_safe = parts.scheme == "https" or (
        parts.scheme == "http" and not tls_only and is_loopback(parts.hostname or "")
    )
    return is_whole and is_plain and is_safe and len(text) <= URL_CHARS_MAX


def _ca_file(section: Section) -> Path | None:
    text = section.get("ca_file", "")
    if text and not Path(text).is_file():
        section.fault("ca_file", f"there is no file {text!r}")
    return Path(text) if text else None


def _scopes(section: Section) -> tuple[str, ...]:
    given = _texts(section, "scopes", [OPENID], SCOPES_MAX)
    if OPENID not in given:
        section.fault("scopes", f"must have {OPENID!r}: without it there is no ID token")
    if any(not each.isascii() or " " in each for each in given):
        section.fault("scopes", "each is a word without spaces")
    return given


def _groups(section: Section) -> dict[str, tuple[Grant, ...]]:
    tables = section.sections("group")
    if len(tables) > GROUPS_MAX:
        section.fault("group", f"there are {len(tables)}, at most {GROUPS_MAX} are read")
    found: dict[str, tuple[Grant, ...]] = {}
    for table in tables:
        table.only("name", "grants")
        name = table.needed("name")
        if name in found:
            table.fault("name", f"{name!r} stands twice")
        texts = _texts(table, "grants", [], GRANTS_MAX)
        if not texts:
            table.fault("grants", "is missing: what members of the group may")
        found[name] = tuple(each for each in (_grant(table, text) for text in texts) if each)
    return found


def _grant(table: Section, text: str) -> Grant | None:
    """Return the grant that ``ROLE`` or ``ROLE@QUERY`` says."""
    role, _, query = text.partition("@")
    if role not in ROLES:
        table.fault("grants", f"{role[:TEXT_CHARS_MAX]!r} is none of {', '.join(ROLES)}")
        return None
    try:
        return Grant(role, canonical_selector(query))
    except QueryError as err:
        table.fault("grants", f"{query!r}: {err.message}")
        return None


def _texts(section: Section, key: str, default: list[str], most: int) -> tuple[str, ...]:
    given: list[object] = section.get(key, list[object](default))
    texts = tuple(each for each in given if isinstance(each, str) and each)
    if len(texts) != len(given) or len(given) > most:
        section.fault(key, f"is a list of at most {most} texts")
    return texts
