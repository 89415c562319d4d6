"""Requests of boxes, made by the agent's own code, for a desk in this process."""

import msgspec

from roost_agent.enrol import keys
from roost_agent.enrol.factory import Factory
from roost_agent.enrol.keys import Keys, public_pem
from roost_agent.enrol.tpm.chip import Chip
from roost_central.enrol.desk import Desk
from roost_protocol.enrol import (
    Activation,
    Challenge,
    ClaimKind,
    EnrolRequest,
    Issued,
    Proof,
    Waiting,
    commitment,
    question,
    transcript,
)
from roost_protocol.hardware import Hardware
from roost_protocol.join_token import parse_token


class DeskBox:
    """A box that speaks to a desk without a network."""

    def __init__(self, nonce: bytes = b"n" * 32, *, serial: str = "", product: str = "") -> None:
        self.keys: Keys = keys._loaded(keys._made())
        self.nonce = nonce
        self.hardware = Hardware(serial=serial, product=product, uuid=f"u-{nonce.hex()[:8]}")

    def renewed(self, hardware: Hardware | None = None) -> "DeskBox":
        """Return the same box with a new key."""
        fresh = DeskBox(self.nonce)
        fresh.hardware = self.hardware if hardware is None else hardware
        return fresh

    def unsigned(self, server_nonce: str) -> EnrolRequest:
        """Return a request without a claim and a signature."""
        return EnrolRequest(
            kind=ClaimKind.BARE,
            csr=self.keys.csr,
            lan_key=public_pem(self.keys.lan),
            broker_key=public_pem(self.keys.broker),
            sealing_key=self.keys.sealing_public,
            node_nonce=self.nonce,
            server_nonce=server_nonce,
            hardware=self.hardware,
            agent="0.1",
            signature=b"",
        )

    def request(self, desk: Desk, token: str = "", **changes: object) -> EnrolRequest:
        """Return a request with a nonce of the desk; ``changes`` are made before it is signed."""
        hello = desk.hello(commitment(self.nonce, self.keys.csr))
        request = self.unsigned(hello.server_nonce)
        if token:
            parts = parse_token(token)
            proof = Proof(claim=parts.claim, secret=parts.secret)
            request = msgspec.structs.replace(request, kind=ClaimKind.TOKEN, proof=proof)
        request = msgspec.structs.replace(request, **changes)
        return msgspec.structs.replace(request, signature=self.keys.sign(transcript(request)))

    def vouched(self, desk: Desk, factory: Factory, **changes: object) -> EnrolRequest:
        """Return a request by a factory certificate."""
        proof = Proof(chain=factory.chain)
        unsigned = self.request(desk, kind=ClaimKind.FACTORY, proof=proof, **changes)
        proof = msgspec.structs.replace(proof, signature=factory.sign(transcript(unsigned)))
        return msgspec.structs.replace(unsigned, proof=proof)

    def endorsed(self, desk: Desk, chip: Chip, **changes: object) -> EnrolRequest:
        """Return a request by a TPM."""
        proof = Proof(public_key=chip.attestation_key, chain=chip.certificate)
        return self.request(desk, kind=ClaimKind.TPM, proof=proof, **changes)

    def answer(self, chip: Chip, request: EnrolRequest, challenge: Challenge) -> Activation:
        """Return what the TPM of this box says to a challenge."""
        secret = chip.activate(challenge.credential, challenge.seed)
        attestation, signature = chip.certify(self.keys.node, question(request))
        return Activation(request, secret, attestation, signature)

    async def activated(self, desk: Desk, chip: Chip, address: str) -> Issued | Waiting:
        """Ask by a TPM, and answer its challenge."""
        request = self.endorsed(desk, chip)
        challenge = await desk.enrol(request, address)
        assert isinstance(challenge, Challenge)
        return await desk.activate(self.answer(chip, request, challenge), address)
