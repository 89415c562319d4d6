"""What the signer agrees to sign: who may be named, for how long, how often.

Leaves to others: keys, certificates and proofs of possession (issue.py), the log, the socket.

Invariants:
- a certificate is agreed to for a holder of the closed list of kinds alone, in this fleet;
- no more is agreed to than the buckets hold, whoever asks and however;
- an order is agreed to by the rules of order_rules.py;
- what is refused here takes nothing from a bucket.
"""

from base64 import b64decode
from dataclasses import dataclass
from typing import Annotated, Final, assert_never

from msgspec import Meta, Struct

from roost_central.signer.bucket import Bucket, Rate
from roost_central.signer.message import (
    Ca,
    Crl,
    Info,
    IssueLan,
    IssueNode,
    IssueServer,
    IssueService,
    Request,
    Rows,
    SignDirector,
    SignImage,
    SignOrder,
)
from roost_central.signer.order_rules import checked
from roost_protocol.certificate import DAYS_MAX, Holder, Kind, node_holder, write
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import GENERATION_MAX
from roost_protocol.order import Order
from roost_protocol.order_verbs import VERBS

USERS_MAX: Final = 8
VERBS_MAX: Final = 64


Days = Annotated[int, Meta(ge=1, le=DAYS_MAX)]
Verbs = Annotated[tuple[str, ...], Meta(max_length=VERBS_MAX)]


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator lets this signer do.

    Attributes:
        domain: of the fleet.
        users: the names of those who may ask, beside the signer's own user.
        node_days: life of a node's certificate where the request names none.
        node_days_max: and the longest that it may name.
        service_days: life of the certificates of the centre's own servers and clients.
        nodes: how often certificates of nodes are made, for the centre and for LANs alike.
        services: how often those of the centre's own.
        lists: how often CRLs.
        orders: how often orders of people are signed.
        configurations: how often orders that bring settings are; the fleet's must not keep a
            person's waiting.
        orders_by_two: verbs of orders that a second person has to approve.
        orders_never: verbs that are not signed, whoever asks.
        order_hours_max: how long an order may count.
        releases: how often metadata of releases is signed: each site has its own.
        release_approvals: how many operators must have agreed to a rollout; 0: none, for a lab.
        release_days: how long that metadata counts.
        release_days_offline: and that of a site without a WAN.
    """

    domain: str
    users: Annotated[tuple[str, ...], Meta(max_length=USERS_MAX)] = ()
    node_days: Days = 90
    node_days_max: Days = 400
    service_days: Days = 90
    nodes: Rate = Rate(1_200, 600)
    services: Rate = Rate(30, 60)
    lists: Rate = Rate(60, 30)
    orders: Rate = Rate(1_200, 600)
    configurations: Rate = Rate(3_000, 600)
    orders_by_two: Verbs = ("reboot",)
    orders_never: Verbs = ()
    order_hours_max: Annotated[int, Meta(ge=1, le=24)] = 24
    releases: Rate = Rate(24_000, 12_000)
    release_approvals: Annotated[int, Meta(ge=0, le=8)] = 1
    release_days: Annotated[int, Meta(ge=1, le=30)] = 7
    release_days_offline: Annotated[int, Meta(ge=1, le=90)] = 30


@dataclass(frozen=True, slots=True)
class Issue:
    """Make a certificate of a holder, for the key in one of the two texts.

    Attributes:
        days: its life; 0 where membership decides instead.
        generation: as it was said; 0 where there is none.
    """

    holder: Holder
    days: int
    csr_pem: str
    public_key_pem: str = ""
    generation: int = 0


@dataclass(frozen=True, slots=True)
class List:
    """Make the CRLs of a kind of listener; ``revoked`` is serial to second, new ones among it."""

    ca: Ca
    revoked: dict[int, int]


@dataclass(frozen=True, slots=True)
class Sign:
    """Sign an order with a key: the newest where none is named."""

    payload: bytes
    order: Order
    key_id: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Say what this signer is."""


@dataclass(frozen=True, slots=True)
class Recall:
    """Say what was signed past a row; of the present record where no hash is told."""

    after: int
    limit: int
    head: str = ""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say no."""

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Name:
    """Sign metadata of releases, if what is asked holds (signer/release.py)."""

    request: SignImage | SignDirector


Action = Issue | List | Sign | Name | Tell | Recall | Refuse


class Decider:
    """Agrees or refuses by a policy; knows nothing but how much it agreed to lately."""

    __slots__ = (
        "_configurations",
        "_lists",
        "_nodes",
        "_orders",
        "_policy",
        "_releases",
        "_services",
    )

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._nodes = Bucket(policy.nodes)
        self._services = Bucket(policy.services)
        self._lists = Bucket(policy.lists)
        self._orders = Bucket(policy.orders)
        self._configurations = Bucket(policy.configurations)
        self._releases = Bucket(policy.releases)

    def handle(self, request: Request, now_ms: int, wall_ms: int = 0) -> Action:
        """Return what to do about a request.

        Args:
            request: as it was read.
            now_ms: a clock that never steps.
            wall_ms: UTC, by which the times in an order are judged.
        """
        try:
            action = self._wanted(request, wall_ms)
        except ProtocolError as err:
            return Refuse(err.code, str(err))
        bucket = self._bucket(request, action)
        if bucket is None:
            return action
        wait_ms = bucket.wait_ms(now_ms)
        if wait_ms:
            rate = bucket.rate
            return Refuse(
                "busy",
                f"at most {rate.per_minute} a minute and {rate.burst} at once, as the policy says: "
                f"ask again in {wait_ms} ms",
            )
        bucket.take()
        return action

    def _wanted(  # noqa: PLR0911 - one for each verb
        self, request: Request, wall_ms: int
    ) -> Action:
        match request:
            case Info():
                return Tell()
            case Rows():
                return Recall(request.after, request.limit, request.head)
            case Crl():
                return List(
                    request.ca, {int(each.serial, 16): each.at_s for each in request.revoked}
                )
            case SignOrder():
                payload = _bytes(request.payload)
                return Sign(payload, checked(payload, self._policy, wall_ms), request.key_id)
            case SignImage() | SignDirector():
                return Name(request)
            case IssueNode():
                return self._node(request)
            case IssueLan():
                return self._lan(request)
            case IssueServer() | IssueService():
                return self._own(request)
        assert_never(request)

    def _node(self, request: IssueNode) -> Issue:
        _within("generation", request.generation, GENERATION_MAX)
        days = request.days or self._policy.node_days
        _within("days", days, self._policy.node_days_max)
        holder = self._named(node_holder(Kind.NODE, request.site, request.node))
        return Issue(holder, days, request.csr_pem, generation=request.generation)

    def _lan(self, request: IssueLan) -> Issue:
        if bool(request.csr_pem) == bool(request.public_key_pem):
            raise ProtocolError("key", field="csr_pem", bound="it or public_key_pem, not both")
        kind = Kind.LAN if request.use == "client" else Kind.BROKER
        holder = self._named(node_holder(kind, request.site, request.node, request.box))
        return Issue(holder, 0, request.csr_pem, request.public_key_pem)

    def _own(self, request: IssueServer | IssueService) -> Issue:
        kind = Kind.SERVER if isinstance(request, IssueServer) else Kind.SERVICE
        holder = self._named(Holder(kind, request.name))
        return Issue(holder, self._policy.service_days, request.csr_pem)

    def _named(self, holder: Holder) -> Holder:
        write(holder, self._policy.domain)  # or it is refused
        return holder

    def _bucket(self, request: Request, action: Action) -> Bucket | None:
        match request:
            case Info() | Rows():
                return None
            case IssueNode() | IssueLan():
                return self._nodes
            case IssueServer() | IssueService():
                return self._services
            case Crl():
                return self._lists
            case SignImage() | SignDirector():
                return self._releases
            case SignOrder():
                is_own = isinstance(action, Sign) and not VERBS[action.order.verb].is_by_hand
                return self._configurations if is_own else self._orders
        assert_never(request)


def _within(field: str, value: int, high: int) -> None:
    if not 1 <= value <= high:
        raise ProtocolError(field, field=field, got=value, bound=f"1 to {high}")


def _bytes(payload: str) -> bytes:
    try:
        return b64decode(payload, validate=True)
    except ValueError as err:
        raise ProtocolError("payload", field="payload", bound="base64") from err
