"""Enrolment over HTTPS: what a box and the centre say to each other, and what they sign.

JSON, a request at most ENROL_BYTES_MAX, an identity at most ISSUED_BYTES_MAX. The bytes that are
signed (``transcript``) are put together from the fields as they were sent, each with its length,
never from JSON written anew. Order of the words: the box commits to its nonce and key
(``commitment``) before it learns the centre's nonce, so that nobody in between can choose a key
whose six words look right (docs/enrolment.md).
"""

from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Final

import msgspec

from roost_protocol.hardware import Hardware
from roost_protocol.join_token import CLAIM_PATTERN
from roost_protocol.limits import ORDER_KEYS_MAX, ORDER_MESSAGE_BYTES_MAX
from roost_protocol.order import ORDER_SIGNATURE_BYTES, KeyId, OrderKey
from roost_protocol.patterns import END
from roost_protocol.tpm import ATTESTATION_BYTES_MAX, CREDENTIAL_BYTES_MAX, SEED_BYTES_MAX

ENROL_BYTES_MAX: Final = 64 * 1024  # any request of this page
ISSUED_BYTES_MAX: Final = ENROL_BYTES_MAX + (ORDER_MESSAGE_BYTES_MAX + 2) // 3 * 4  # in base64
PEM_CHARS_MAX: Final = 4 * 1024  # one request or certificate of a P-256 key is below 1 KiB
CHAIN_CHARS_MAX: Final = 16 * 1024
NONCE_BYTES: Final = 32
SIGNATURE_BYTES_MAX: Final = 72  # ECDSA over P-256, DER
PROOF_BYTES_MAX: Final = 512  # RSA of 4096 bits, which some makers use
BROKERS_MAX: Final = 16
TICKET_BYTES: Final = 32
RETRY_S: Final = (2, 60)  # how often a box asks whether somebody decided: soon, then less often
WORDS: Final = 6
_TRANSCRIPT: Final = b"roost enrol 1\n"
_WORDS_TAG: Final = b"roost words 1\n"
_CONSONANTS: Final = "bdfghjklmnprstvz"
_VOWELS: Final = "aiou"

Pem = Annotated[str, msgspec.Meta(max_length=PEM_CHARS_MAX)]
Nonce = Annotated[bytes, msgspec.Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
Key = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Signature = Annotated[bytes, msgspec.Meta(max_length=SIGNATURE_BYTES_MAX)]
ProofSignature = Annotated[bytes, msgspec.Meta(max_length=PROOF_BYTES_MAX)]
Vouch = Annotated[
    bytes, msgspec.Meta(min_length=ORDER_SIGNATURE_BYTES, max_length=ORDER_SIGNATURE_BYTES)
]
Word = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[ -~]*" + END)]


class ClaimKind(StrEnum):
    """By what a box asks to be let in."""

    BARE = "bare"  # nothing; a human compares six words
    TOKEN = "token"  # noqa: S105 - a word, no secret
    KEY = "key"  # a key that was announced beforehand
    EXPIRED = "expired"  # the key of an identity whose certificate ended
    FACTORY = "factory"  # a certificate that its maker put into it (IDevID)
    TPM = "tpm"  # a TPM whose maker vouches for its endorsement key


class Hello(msgspec.Struct, frozen=True):
    """``GET /api/v1/enrol/hello?commit=...``: whom the box talks to.

    Attributes:
        server_nonce: good for one request within five minutes.
        root: the fleet's root certificate, PEM; the box checks it against its pin.
    """

    server_nonce: str
    root: Annotated[str, msgspec.Meta(max_length=PEM_CHARS_MAX)]
    fleet_domain: str
    time_ms: int


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Of a claim: a token's secret, or a key's signature over the transcript.

    Attributes:
        public_key: of a key that was announced, or of the identity that ended; a TPM's attestation
            key.
        chain: of a factory or an endorsement certificate, PEM, the box's own first.
        signature: by that key; SHA-256 with ECDSA, or with RSA (PKCS #1 v1.5).
    """

    claim: Annotated[str, msgspec.Meta(pattern=CLAIM_PATTERN)] | None = None
    secret: Key | None = None
    public_key: Pem = ""
    signature: ProofSignature = b""
    chain: Annotated[str, msgspec.Meta(max_length=CHAIN_CHARS_MAX)] = ""


class EnrolRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /api/v1/enrol``; of the kind ``expired``: ``POST /api/v1/enrol/expired``.

    Attributes:
        csr: PKCS #10, PEM: its key counts, all else in it is ignored.
        lan_key, broker_key: public keys (SPKI, PEM) for the LAN certificates.
        sealing_key: X25519 public key.
        wish: the node name it would like; only a hint among empty slots.
        signature: by the CSR's key over ``transcript``, in every kind of claim.
    """

    kind: ClaimKind
    csr: Pem
    lan_key: Pem
    broker_key: Pem
    sealing_key: Key
    node_nonce: Nonce
    server_nonce: Annotated[str, msgspec.Meta(max_length=128)]
    hardware: Hardware
    agent: Word
    signature: Signature
    proof: Proof = Proof()
    wish: Annotated[str, msgspec.Meta(max_length=32)] = ""


class Challenge(msgspec.Struct, frozen=True, tag_field="result", tag="challenge"):
    """What only one TPM can answer: a secret for its endorsement and its attestation key.

    Attributes:
        credential: TPMS_ID_OBJECT, the secret enciphered for the attestation key's name.
        seed: TPM2B_ENCRYPTED_SECRET without its length, for the endorsement key.
    """

    credential: Annotated[bytes, msgspec.Meta(max_length=CREDENTIAL_BYTES_MAX)]
    seed: Annotated[bytes, msgspec.Meta(max_length=SEED_BYTES_MAX)]


class Activation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /api/v1/enrol/activate``: the answer to a challenge, with the request it was for.

    Attributes:
        secret: that the TPM found in the challenge.
        attestation: TPMS_ATTEST: that the key of the CSR is loaded in the TPM, for ``question``.
        signature: over it by the attestation key; ECDSA with SHA-256, DER.
    """

    request: EnrolRequest
    secret: Key
    attestation: Annotated[bytes, msgspec.Meta(max_length=ATTESTATION_BYTES_MAX)]
    signature: Signature


class TicketRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``POST /api/v1/enrol/ticket``: has somebody decided? It is a secret: never in a path.

    Attributes:
        withdraw: the box asks no more: whoever stands at it refused the six words.
    """

    ticket: Key
    withdraw: bool = False


class RenewRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``POST /api/v1/renew``, over TLS with the present certificate: a new key for the same box."""

    csr: Pem
    agent: Word


class Broker(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A broker to connect to; its certificate's name is ``<name>.svc.<fleet domain>``."""

    name: Annotated[str, msgspec.Meta(max_length=16)]
    url: Annotated[str, msgspec.Meta(max_length=256)]


class Issued(msgspec.Struct, frozen=True, tag_field="result", tag="issued"):
    """The identity.

    Attributes:
        certificate, chain: the node's, and its issuers' below the root.
        lan_certificate: for the site's LAN; empty where it stays as it is (a renewal).
        lan_ca: every LAN CA that is live.
        broker_certificate: where the node may be a site broker.
        report_key: of this node and generation; seals every report.
        order_keys: by which orders are checked, the oldest first.
        order_vouches: for an order key, by its name, the signature of the one before it over
            ORDER_KEY_DOMAIN and its 32 bytes: for whom knows that one and not this.
        configuration: a SignedOrder ``configure`` for this generation, so that a new node is what
            it should be without another message; empty: there are no settings for it.
    """

    site: str
    node: str
    generation: Annotated[int, msgspec.Meta(ge=1)]
    box: Annotated[int, msgspec.Meta(ge=1)]
    fleet_domain: str
    certificate: Pem
    chain: Annotated[str, msgspec.Meta(max_length=CHAIN_CHARS_MAX)]
    root: Pem
    report_key: Key
    brokers: Annotated[tuple[Broker, ...], msgspec.Meta(max_length=BROKERS_MAX)]
    issued_ms: int
    lan_certificate: Pem = ""
    lan_ca: Annotated[str, msgspec.Meta(max_length=CHAIN_CHARS_MAX)] = ""
    broker_certificate: Pem = ""
    order_keys: Annotated[tuple[OrderKey, ...], msgspec.Meta(max_length=ORDER_KEYS_MAX)] = ()
    order_vouches: Annotated[dict[KeyId, Vouch], msgspec.Meta(max_length=ORDER_KEYS_MAX)] = {}
    configuration: Annotated[bytes, msgspec.Meta(max_length=ORDER_MESSAGE_BYTES_MAX)] = b""


class Waiting(msgspec.Struct, frozen=True, tag_field="result", tag="waiting"):
    """Somebody has to decide; ask again with the ticket."""

    ticket: Key
    retry_after_s: Annotated[int, msgspec.Meta(ge=1, le=3_600)]
    reason: str


def commitment(node_nonce: bytes, csr: str) -> bytes:
    """Return what the box promises before it learns the centre's nonce."""
    return sha256(_framed((node_nonce, csr.encode()))).digest()


def transcript(request: EnrolRequest) -> bytes:
    """Return the bytes that prove a request: all of it but what proves it."""
    hardware = request.hardware
    parts = [
        request.server_nonce.encode(),
        request.node_nonce,
        request.kind.encode(),
        sha256(request.csr.encode()).digest(),
        request.lan_key.encode(),
        request.broker_key.encode(),
        request.sealing_key,
        (request.proof.claim or "").encode(),
        request.wish.encode(),
        request.agent.encode(),
    ]
    for name in hardware.__struct_fields__:
        value: str | tuple[str, ...] = getattr(hardware, name)
        parts += (
            [value.encode()] if isinstance(value, str) else [_framed(x.encode() for x in value)]
        )
    parts.append(sha256(request.proof.chain.encode()).digest())
    return _TRANSCRIPT + _framed(parts)


def question(request: EnrolRequest) -> bytes:
    """Return what a TPM is to certify the key of a request for: the request, by its hash."""
    return sha256(transcript(request)).digest()


def code_words(root_spki: bytes, csr: str, node_nonce: bytes, server_nonce: str) -> str:
    """Return the six words that both sides show: of both keys and both nonces.

    96 bits as proquints (Wilkerson, arXiv:0901.4016): words that can be said in any language.
    """
    parts = (root_spki, csr.encode(), node_nonce, server_nonce.encode())
    digest = sha256(_WORDS_TAG + _framed(parts)).digest()
    numbers = [int.from_bytes(digest[2 * n : 2 * n + 2], "big") for n in range(WORDS)]
    return " ".join(_proquint(number) for number in numbers)


def _proquint(number: int) -> str:
    return (
        _CONSONANTS[number >> 12]
        + _VOWELS[number >> 10 & 3]
        + _CONSONANTS[number >> 6 & 15]
        + _VOWELS[number >> 4 & 3]
        + _CONSONANTS[number & 15]
    )


def _framed(parts: Iterable[bytes]) -> bytes:
    """Return parts one after the other, each behind its length: no two lists give the same."""
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)
