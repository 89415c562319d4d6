"""Asks to be a node again after the certificate ended: signed by its old key and by a new one.

For a node that was off, or cut off, for months. TLS would not take the old certificate any more, so
its key signs the request instead; the centre lets it back for a day and in quarantine, or has a
human look (docs/enrolment.md).
"""

from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from roost_agent.enrol.centre import Address, Centre
from roost_agent.enrol.keys import Keys, load_key, public_pem
from roost_agent.enrolled import NODE_KEY, ROOT, Enrolled
from roost_agent.ports import Entropy
from roost_protocol import __version__
from roost_protocol.enrol import (
    NONCE_BYTES,
    ClaimKind,
    EnrolRequest,
    Issued,
    Proof,
    Waiting,
    commitment,
    transcript,
)
from roost_protocol.hardware import Hardware

EXPIRED_PATH: Final = "/api/v1/enrol/expired"
ANSWER: Final[Any] = Issued | Waiting


def ask_expired(
    known: Enrolled, keys: Keys, hardware: Hardware, entropy: Entropy
) -> Issued | Waiting:
    """Return what the centre gives a node whose certificate ended.

    Raises:
        AgentError: nothing; its text says what to do.
        OSError: the identity cannot be read.
    """
    nonce = entropy.token(NONCE_BYTES)
    root = (known.folder / ROOT).read_text()
    with closing(Centre(Address.parse(known.facts.centre))) as centre:
        centre.trust(root, known.facts.fleet_domain)
        hello = centre.hello(commitment(nonce, keys.csr))
        request = _request(known.folder, keys, hardware, nonce, hello.server_nonce)
        answer: Issued | Waiting = centre.post(EXPIRED_PATH, request, ANSWER)
    return answer


def _request(
    folder: Path, keys: Keys, hardware: Hardware, nonce: bytes, server_nonce: str
) -> EnrolRequest:
    old = load_key(folder / NODE_KEY)
    request = EnrolRequest(
        kind=ClaimKind.EXPIRED,
        csr=keys.csr,
        lan_key=public_pem(keys.lan),
        broker_key=public_pem(keys.broker),
        sealing_key=keys.sealing_public,
        node_nonce=nonce,
        server_nonce=server_nonce,
        hardware=hardware,
        agent=__version__,
        signature=b"",
    )
    said = transcript(request)  # of everything but the proofs, which are over it
    by_old = old.sign(said, ECDSA(SHA256()))
    proof = Proof(public_key=public_pem(old), signature=by_old)
    return msgspec.structs.replace(request, proof=proof, signature=keys.sign(said))
