"""What tests of enrolment do at a desk: let a box in, come back, look at an identity."""

import msgspec
from boxes import DeskBox
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from roost_agent.enrol.keys import public_pem
from roost_central.storage import identities
from roost_protocol.enrol import ClaimKind, Proof, commitment, transcript

ADDRESS = "192.0.2.7"


async def enrolled(office, box, token):
    """Return what a box gets by a token."""
    return await office.desk.enrol(box.request(office.desk, token), ADDRESS)


async def identity_of(office, generation, node="lab.n1"):
    """Return a generation."""
    async with office.database.read() as connection:
        return await identities.find(connection, node, generation)


async def release_of(office, node):
    """Let a node out of quarantine."""
    async with office.database.write() as connection:
        await identities.release(connection, node, now_ms=1, reason="looked at")


def returning(desk, old: DeskBox, new: DeskBox):
    """Return the request of a node whose certificate ended: by its old key, for a new one."""
    hello = desk.hello(commitment(new.nonce, new.keys.csr))
    request = msgspec.structs.replace(new.unsigned(hello.server_nonce), kind=ClaimKind.EXPIRED)
    said = transcript(request)
    by_old = old.keys.node.sign(said, ECDSA(SHA256()))
    proof = Proof(public_key=public_pem(old.keys.node), signature=by_old)
    return msgspec.structs.replace(request, proof=proof, signature=new.keys.sign(said))
