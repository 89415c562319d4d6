"""What every node of this fleet is told: whom to trust, and where to connect."""

from base64 import b64decode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from cryptography import x509

from roost_central.ca.request import spki_of
from roost_central.signer.client import Signer
from roost_protocol.enrol import Broker
from roost_protocol.join_token import from_text
from roost_protocol.order import OrderKey


@dataclass(frozen=True, slots=True)
class Fleet:
    """The public half of a fleet, and the secret that its report keys come of.

    Attributes:
        root: PEM.
        root_spki: DER of the root's public key, which the six words and the pin stand for.
        pin: 16 bytes.
        lan_ca: PEM, of every LAN CA that is live.
        ingest_key: 32 bytes.
        order_keys: by which nodes check orders, the oldest first.
        order_vouches: the word for each of them of the one before it, by its name.
    """

    domain: str
    root: str
    root_spki: bytes
    pin: bytes
    lan_ca: str
    brokers: tuple[Broker, ...]
    ingest_key: bytes = field(repr=False)
    order_keys: tuple[OrderKey, ...] = ()
    order_vouches: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def server_name(self) -> str:
        """The name in the certificate of the listener that boxes come to."""
        return f"enrol.svc.{self.domain}"


async def ask_fleet(signer: Signer, brokers: Iterable[Broker], ingest_key: bytes) -> Fleet:
    """Return what the signer says the fleet is.

    Raises:
        SignerError: it cannot be asked.
    """
    facts = await signer.info()
    root = x509.load_pem_x509_certificate(facts.root_pem.encode())
    return Fleet(
        domain=facts.domain,
        root=facts.root_pem,
        root_spki=spki_of(root.public_key()),
        pin=from_text(facts.pin),
        lan_ca="".join(facts.lan_ca_pem),
        brokers=tuple(brokers),
        ingest_key=ingest_key,
        order_keys=tuple(
            OrderKey(b64decode(each.public_key), each.since_s * 1_000, each.until_s * 1_000)
            for each in facts.order_keys
        ),
        order_vouches={
            each.key_id: b64decode(each.vouch) for each in facts.order_keys if each.vouch
        },
    )
