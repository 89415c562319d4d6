"""What is said on the signer's socket: JSON, each message behind its length.

Invariants: a request has at most REQUEST_BYTES_MAX bytes, an answer ANSWER_BYTES_MAX; unknown
fields and verbs are refused, and so is any type but the one that stands here.
"""

from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from roost_protocol.errors import ProtocolError
from roost_protocol.limits import ORDER_BYTES_MAX
from roost_protocol.release.approval import OPERATORS_MAX
from roost_protocol.release.director import ASSIGNMENTS_MAX
from roost_protocol.release.meant import Shown
from roost_protocol.release.members import MEMBERS_BYTES_MAX

SIGNER_SOCKET: Final = Path("/run/roost-signer/signer.sock")
REQUEST_BYTES_MAX: Final = 6 << 20  # the targets of the image repository at their bound
ANSWER_BYTES_MAX: Final = 4 << 20  # the CRLs of two node CAs at their bound
LENGTH_BYTES: Final = 4
REQUESTS_AT_ONCE_MAX: Final = 64  # are put on record by one write; more are another one
REVOKED_A_REQUEST_MAX: Final = 500  # the signer knows those of before; 64 KiB hold more
ROWS_AN_ANSWER_MAX: Final = 500  # a row has 600 bytes at most, but for a list's 500 serials
PLACE: Final = "place"  # the code of a refusal: no record has such a row
METADATA_CHARS_MAX: Final = 5_000_000  # as nodes bound it
ROLES_MAX: Final = 32  # that targets give components to
ROOTS_MAX: Final = 8  # at once: a ceremony a year is more than there is
DOCUMENT_CHARS_MAX: Final = 512 << 10  # 64 open jobs of 64 nodes each
APPROVALS_MAX: Final = 256  # of a site's open jobs
APPROVAL_CHARS_MAX: Final = 2_048
MEMBERS_CHARS_MAX: Final = (MEMBERS_BYTES_MAX + 2) // 3 * 4  # base64 of an operator's word
PAYLOAD_CHARS_MAX: Final = (ORDER_BYTES_MAX + 2) // 3 * 4  # base64 of an order

Pem = Annotated[str, Meta(max_length=4_096)]
Name = Annotated[str, Meta(max_length=64)]
Serial = Annotated[str, Meta(pattern=r"\A[0-9a-f]{1,40}\Z")]  # RFC 5280, 4.1.2.2: 20 octets
Ca = Literal["node", "lan"]
Number = Annotated[int, Meta(ge=0, lt=1 << 53)]


class Verb(Struct, frozen=True, forbid_unknown_fields=True, tag_field="verb"):
    """Any request."""


class Info(Verb, frozen=True, tag="info"):
    """Who are you."""


class IssueNode(Verb, frozen=True, tag="issue_node"):
    """A node's certificate; ``generation`` is kept in the log."""

    csr_pem: Pem
    site: Name
    node: Name
    generation: Number
    days: Number = 0  # 0: as the policy says


class IssueLan(Verb, frozen=True, tag="issue_lan"):
    """A certificate for the LAN of a site; exactly one of the two keys is given."""

    site: Name
    node: Name
    box: Number
    use: Literal["client", "broker"]
    csr_pem: Pem = ""
    public_key_pem: Pem = ""


class IssueServer(Verb, frozen=True, tag="issue_server"):
    """A certificate for a server of the centre."""

    csr_pem: Pem
    name: Name


class IssueService(Verb, frozen=True, tag="issue_service"):
    """A certificate for a client of the centre."""

    csr_pem: Pem
    name: Name


class Revoked(Struct, frozen=True, forbid_unknown_fields=True):
    """One certificate that counts no more, since when."""

    serial: Serial
    at_s: Number


class Crl(Verb, frozen=True, tag="crl"):
    """Lists of what is revoked; what was told before need not be told again."""

    ca: Ca
    revoked: Annotated[list[Revoked], Meta(max_length=REVOKED_A_REQUEST_MAX)] = []


class SignOrder(Verb, frozen=True, tag="sign_order"):
    """The bytes of an order, in base64; with the newest key, or with one that it follows."""

    payload: Annotated[str, Meta(max_length=PAYLOAD_CHARS_MAX)]
    key_id: Annotated[str, Meta(pattern=r"\A([0-9a-f]{16})?\Z")] = ""


class Rows(Verb, frozen=True, tag="rows"):
    """The lines of the record past a row, oldest first; refused (PLACE) where there is none such.

    Attributes:
        after: the row's number.
        head: its hash: it may stand in a record that was put aside, and what follows it goes on
            in the next; empty: it is one of the present record.
    """

    after: Number = 0
    head: Annotated[str, Meta(pattern=r"\A([0-9a-f]{64})?\Z")] = ""
    limit: Annotated[int, Meta(ge=1, le=ROWS_AN_ANSWER_MAX)] = ROWS_AN_ANSWER_MAX


Metadata = Annotated[str, Meta(max_length=METADATA_CHARS_MAX)]
Base64 = Annotated[str, Meta(max_length=APPROVAL_CHARS_MAX)]


class SignImage(Verb, frozen=True, tag="sign_image"):
    """Snapshot and timestamp of the image repository, whose targets offline keys signed.

    Attributes:
        roots: that follow the one which the signer knows, oldest first.
        targets: as its holders signed them.
        delegated: of the roles that those give components to, by role.
        operators_manifest, operators: of the newest release of policy/operators, where there is
            one: its manifest, and the file that it names.
        after: no version at or below it is given; the signer's clock gives the rest.
    """

    targets: Metadata
    delegated: Annotated[dict[Name, Metadata], Meta(max_length=ROLES_MAX)] = {}
    roots: Annotated[list[Metadata], Meta(max_length=ROOTS_MAX)] = []
    operators_manifest: Metadata = ""
    operators: Metadata = ""
    after: Number = 0


class Approved(Struct, frozen=True, forbid_unknown_fields=True):
    """An operator's word (protocol release/approval.py), both in base64."""

    approval: Base64
    signature: Base64


class ForMembers(Struct, frozen=True, forbid_unknown_fields=True):
    """An operator's word for a site's members (protocol release/members.py), both in base64."""

    word: Annotated[str, Meta(max_length=MEMBERS_CHARS_MAX)]
    signature: Base64


class SignDirector(Verb, frozen=True, tag="sign_director"):
    """What a site is to install: its document, who agreed to what is in it, and why it is meant.

    Attributes:
        for_members: who agreed to the members that the document lists.
        is_offline: the site has no WAN; a document for it counts longer.
    """

    site: Name
    document: Annotated[str, Meta(max_length=DOCUMENT_CHARS_MAX)]
    approvals: Annotated[list[Approved], Meta(max_length=APPROVALS_MAX)] = []
    shown: Annotated[list[Shown], Meta(max_length=ASSIGNMENTS_MAX)] = []
    after: Number = 0
    for_members: Annotated[list[ForMembers], Meta(max_length=OPERATORS_MAX)] = []
    is_offline: bool = False


Request = (
    Info
    | IssueNode
    | IssueLan
    | IssueServer
    | IssueService
    | Crl
    | SignOrder
    | Rows
    | SignImage
    | SignDirector
)


class Refused(Struct, frozen=True):
    """No, and why; ``code`` is a word for programs, ``detail`` a sentence."""

    code: str
    detail: str
    ok: bool = False


class Issued(Struct, frozen=True):
    """A certificate; ``chain_pem`` is what its holder sends with it.

    Of a LAN certificate, whose issuer is known to every peer, the chain is empty.
    """

    certificate_pem: str
    chain_pem: str
    serial: str
    fingerprint: str  # SHA-256 of the certificate, hexadecimal
    not_before_s: int
    not_after_s: int
    ok: bool = True


class Lists(Struct, frozen=True):
    """CRLs, one behind the other: one for each issuer whose certificates a listener may meet."""

    crl_pem: str
    revoked: int
    ok: bool = True


class Signed(Struct, frozen=True):
    """A signature of an order, base64, and which of the order keys made it."""

    signature: str
    key_id: str
    ok: bool = True


class SignedImage(Struct, frozen=True):
    """What stands above the targets that were told: metadata as text, and their versions.

    Attributes:
        offline: snapshot and timestamp of the same version, for sites without a WAN.
    """

    snapshot: str
    timestamp: str
    version: int
    ok: bool = True
    offline: tuple[str, str] = ("", "")


class SignedDirector(Struct, frozen=True):
    """All of a site's metadata as text; one version for the three."""

    targets: str
    snapshot: str
    timestamp: str
    version: int
    ok: bool = True


class Record(Struct, frozen=True):
    """Lines of the record (row.py), and how many rows it has."""

    lines: list[str]
    count: int
    ok: bool = True


class OrderKey(Struct, frozen=True):
    """The public half of an order key: 32 bytes in base64.

    Attributes:
        since_s: it signs from then on, UTC; 0: from the beginning.
        until_s: nothing is signed with it from then on; 0: it has no successor.
        vouch: the word for it of the key before it, 64 bytes in base64; empty: there is none.
    """

    key_id: str
    public_key: str
    since_s: int = 0
    until_s: int = 0
    vouch: str = ""


class OrderRules(Struct, frozen=True):
    """What the policy says of orders: verbs that take two people, or are never signed."""

    by_two: list[str] = []
    never: list[str] = []
    hours_max: int = 24


class ReleaseRules(Struct, frozen=True):
    """What the signer wants of a rollout: how many operators, for how many days it signs."""

    approvals: int = 1
    days: int = 7


class Facts(Struct, frozen=True):
    """What a signer is: its fleet, the public half of all it holds, and how much it has signed.

    Every list has the oldest first: the last of each issues.
    """

    domain: str
    root_pem: str
    pin: str
    node_ca_pem: list[str]
    server_ca_pem: list[str]
    lan_ca_pem: list[str]
    order_keys: list[OrderKey]
    rotate_by_s: int  # when the first of the issuing CAs should have a successor
    signatures: int
    log_head: str
    log_bytes: int
    log_bytes_max: int
    revoked: dict[str, int]
    orders: OrderRules = OrderRules()
    releases: ReleaseRules | None = None  # None: it signs no releases
    ok: bool = True


Answer = Refused | Issued | Lists | Signed | SignedImage | SignedDirector | Record | Facts

_decoder: Final[msgspec.json.Decoder[Request]] = msgspec.json.Decoder(Request)
encode: Final = msgspec.json.Encoder().encode


def decode_request(raw: bytes) -> Request:
    """Return a request.

    Raises:
        ProtocolError: ``request``, with the field and its bound.
    """
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as err:
        raise ProtocolError("request", detail=str(err)[:200]) from err


def framed(message: object) -> bytes:
    """Return a message behind its length, big-endian."""
    raw = encode(message)
    return len(raw).to_bytes(LENGTH_BYTES, "big") + raw


def length_of(prefix: bytes, bound: int) -> int:
    """Return how many bytes follow.

    Raises:
        ProtocolError: ``oversize``.
    """
    length = int.from_bytes(prefix, "big")
    if length > bound:
        raise ProtocolError("oversize", got=length, bound=bound)
    return length
