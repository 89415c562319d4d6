"""Lists of revoked certificates.

``nextUpdate`` is the end of time: a list past its nextUpdate makes OpenSSL refuse *everybody*, so
freshness comes from pushing a list, never from its age (security.md, section 3).
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from roost_central.ca.profiles import ALWAYS, BACKDATED, Issuer
from roost_protocol.certificate import DAYS_MAX
from roost_protocol.errors import ProtocolError

REVOKED_MAX: Final = 10_000  # an authority; about 0.6 MB, which each broker reads at each change
LATE_S: Final = 30 * 86_400  # how long after a revocation it may be told
KEPT_S: Final = DAYS_MAX * 86_400 + LATE_S  # then no certificate that ends is valid any more


def crl(by: Issuer, revoked: Mapping[int, int], now: datetime) -> x509.CertificateRevocationList:
    """Return the list of an issuer.

    Args:
        by: the issuer; only its own certificates are looked up there, others do no harm.
        revoked: serial to the second since when, of the epoch.
        now: UTC; the list's number is its milliseconds, so a later list has a greater one.
    """
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(by.subject)
        .last_update(now - BACKDATED)
        .next_update(ALWAYS[1])
        .add_extension(by.key_id, critical=False)
        .add_extension(x509.CRLNumber(round(now.timestamp() * 1_000)), critical=False)
    )
    for serial, at_s in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder().serial_number(serial)
        dated = entry.revocation_date(datetime.fromtimestamp(at_s, UTC))
        builder = builder.add_revoked_certificate(dated.build())
    return builder.sign(by.key, SHA256())


def merged(
    listed: Mapping[int, int], told: Mapping[int, int], now: datetime, *, ends: bool
) -> dict[int, int]:
    """Return what a list holds from now on: serial to second since when.

    Args:
        listed: what it held.
        told: what is added; a time that is in the future or long past is taken for its bound, so
            that nothing is left out because of it.
        now: UTC.
        ends: whether what was revoked ends by itself, as all but LAN certificates do.

    Raises:
        ProtocolError: ``full``.
    """
    now_s = int(now.timestamp())
    new = {serial: max(now_s - LATE_S, min(at_s, now_s)) for serial, at_s in told.items()}
    from_s = now_s - KEPT_S if ends else 0
    kept = {serial: at_s for serial, at_s in {**new, **listed}.items() if at_s >= from_s}
    if len(kept) > REVOKED_MAX:
        raise ProtocolError("full", field="revoked", got=len(kept), bound=REVOKED_MAX)
    return kept


def pem(*lists: x509.CertificateRevocationList) -> str:
    """Return lists one behind the other, as a broker's ``crlfile`` takes them."""
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in lists)
