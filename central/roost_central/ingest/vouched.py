"""Receipts of updates, as nodes sign them: whose key it is, and whether it is a new one.

Invariants: a receipt counts once, under a key of the box that fills the slot, as the newest of its
node; a report with another one is refused whole, and changes nothing. What is known of a node
stays known when it says nothing of it.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol.states import State
from roost_central.storage import identities
from roost_protocol.errors import ProtocolError
from roost_protocol.install_receipt import DOMAIN, SignedInstall, follows, read_receipt
from roost_protocol.update import JobReport

_LOST: Final = (State.REVOKED, State.DECOMMISSIONED)


async def taken(
    connection: AsyncConnection, node: str, report: JobReport, last: JobReport | None
) -> tuple[JobReport, str]:
    """Return a report as it is kept, and what people should know of its receipt; empty: nothing.

    Args:
        connection: to read keys by.
        node: who said it.
        report: as it said.
        last: its newest that is kept; None: there is none.

    Raises:
        ProtocolError: ``receipt``: it is another node's, an old one, or not signed by this box.
    """
    known = None if last is None else last.install
    fresh = report.install
    if fresh is None or fresh == known:
        return replace(report, install=known), ""
    receipt = read_receipt(fresh)
    missing = follows(receipt, known, node)
    keys = await _keys(connection, node)
    if not any(_is_by(key, fresh) for key in keys):
        raise ProtocolError("receipt", field="signature", detail=f"not by a key of {node}'s box")
    if receipt.clock_ok_ms:
        word = "root vouched for a clock that no time service keeps"
        missing = "; ".join(each for each in (missing, word) if each)
    return report, missing


async def _keys(connection: AsyncConnection, node: str) -> list[EllipticCurvePublicKey]:
    """Return the keys of the box that fills a slot; those before its last renewal, too."""
    found = await identities.of_node(connection, node)
    mine = [each for each in found if each.box == found[0].box and each.state not in _LOST]
    keys = [
        x509.load_pem_x509_certificate(each.certificate.encode()).public_key()
        for each in mine
        if each.certificate
    ]
    return [key for key in keys if isinstance(key, EllipticCurvePublicKey)]


def _is_by(key: EllipticCurvePublicKey, signed: SignedInstall) -> bool:
    try:
        key.verify(signed.signature, DOMAIN + signed.body, ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True
