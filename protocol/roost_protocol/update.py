"""What centre and sites tell each other of software updates.

The centre offers a site a job (``Offer``), as the body of the order ``update-offer`` to a node of
that site; ``update-cancel`` asks to give it up. The site's coordinator tells where the job is
(``JobReport``, an item ``update``), and each node what it runs (``SoftwareReport``, an item
``software``): the word of a coordinator that a job is done is no success, the digest that a node
itself reports after its boot is (docs/updates.md).

A report is known by (job, attempt, seq): one that is older than what was taken changes nothing.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from roost_protocol.codec import Decoder
from roost_protocol.envelope import Count, NodeText, ShortText
from roost_protocol.errors import ProtocolError
from roost_protocol.install_receipt import SignedInstall
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX, HA_NODES_MAX, ORDER_BODY_BYTES_MAX
from roost_protocol.patterns import END
from roost_protocol.update_verbs import Attempt, JobText, Sha256Text
from roost_protocol.window import Window
from roost_protocol.window import check as check_window

COMPONENTS_MAX: Final = 64  # that one node has
PARALLEL_MAX: Final = 10  # nodes of a role at once; StarlingX's, of workers
RELEASE_BYTES_MAX: Final = 1 << 40
IGNORED: Final = "ignored"  # the step of a node whose role its offer leaves out

COMPONENT_PATTERN: Final = r"^(agent|os|(app|plugin|config)/[a-z0-9][a-z0-9._-]{0,62})" + END
VERSION_PATTERN: Final = r"^[0-9A-Za-z][0-9A-Za-z.+~_-]{0,63}" + END

ComponentText = Annotated[str, Meta(pattern=COMPONENT_PATTERN)]
VersionText = Annotated[str, Meta(pattern=VERSION_PATTERN)]
Sentence = Annotated[str, Meta(max_length=ALARM_TEXT_BYTES_MAX)]
Apply = Literal["serial", "parallel", "ignore"]
Alarms = Literal["strict", "relaxed", "permissive"]


class SiteState(StrEnum):
    """Where a site says that a job is."""

    NOT_NEEDED = "not_needed"
    INCOMPATIBLE = "incompatible"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STAGING = "staging"
    STAGED = "staged"
    WAITING = "waiting"
    APPLYING = "applying"
    COMMITTED = "committed"  # of all nodes, it says; the centre measures
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELED = "canceled"
    CANCEL_REJECTED = "cancel_rejected"


class FailureType(StrEnum):
    """Why a job failed; thresholds and retries name these."""

    DOWNLOAD = "download"
    VERIFY = "verify"
    PRECHECK = "precheck"
    INSTALL = "install"
    BOOT = "boot"
    HEALTH = "health"
    OPERATOR = "operator"
    TIMEOUT = "timeout"


class WaitReason(StrEnum):
    """What a job waits for, in a site."""

    WINDOW = "window"
    LOCK = "lock"
    HEALTH = "health"
    QUORUM = "quorum"
    BUDGET = "budget"
    HOLD = "hold"


class Offer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job for a site; it selects what both trust chains must name, it creates nothing.

    Attributes:
        digest: of the release's manifest, SHA-256.
        size: bytes of the release, unpacked.
        nodes: node ids of the site.
        not_before_ms, not_after_ms: UTC.
        window: when nodes may go down, by the site's clock; None: any time.
        controllers, storage, workers: how nodes of these roles are taken.
        parallel_workers, parallel_storage: at once, where that is parallel; of storage nodes those
            of different peer groups alone.
        instances: what drain does with services.
        alarms: which keep nodes from going, judged in the site; the centre has judged before it
            offered. StarlingX's words; an offer of before the site judged says nothing.
    """

    v: int
    rollout: JobText
    job: JobText
    attempt: Attempt
    component: ComponentText
    version: VersionText
    digest: Sha256Text
    size: Annotated[int, Meta(ge=0, le=RELEASE_BYTES_MAX)]
    nodes: Annotated[list[NodeText], Meta(min_length=1, max_length=HA_NODES_MAX)]
    not_before_ms: Count
    not_after_ms: Count
    window: Window | None = None
    controllers: Literal["serial", "ignore"] = "serial"
    storage: Apply = "serial"
    workers: Apply = "serial"
    parallel_workers: Annotated[int, Meta(ge=1, le=PARALLEL_MAX)] = 2
    instances: Literal["migrate", "stop-start"] = "migrate"
    ignore_alarms: Annotated[list[ShortText], Meta(max_length=64)] = []
    alarms: Alarms = "permissive"
    parallel_storage: Annotated[int, Meta(ge=1, le=PARALLEL_MAX)] = 2

    def check(self) -> None:
        """Check what the shape does not say.

        Raises:
            ProtocolError: ``twice``, ``times`` or a field of the window.
        """
        if len({*self.nodes}) < len(self.nodes):
            raise ProtocolError("twice", field="nodes")
        if self.not_after_ms <= self.not_before_ms:
            got = f"{self.not_before_ms} to {self.not_after_ms}"
            raise ProtocolError("times", field="not_after_ms", got=got, bound="> not_before_ms")
        if self.window is not None:
            check_window(self.window)


class NodeSaid(msgspec.Struct, frozen=True, array_like=True):
    """One node of a job.

    Attributes:
        step: of updates.md section 3, or IGNORED.
        failure: None: it has none.
    """

    node: NodeText
    step: ShortText
    failure: FailureType | None = None
    detail: Sentence = ""
    receipt: Annotated[str, Meta(max_length=64)] = ""  # hash of its last journal row, in hex


class JobReport(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a job is, by the site's coordinator.

    Attributes:
        seq: +1 with each report of this attempt.
        failure: of what type; of rejected, failed, rolled_back and timed_out.
        wait: for what; of waiting.
        detail: a sentence for people, with node and remedy.
        retry_at_ms: of rejected: when the site would take it; 0: it does not say.
        install: the newest receipt of this node; None: it has none.
    """

    v: int
    job: JobText
    attempt: Attempt
    seq: Count
    state: SiteState
    failure: FailureType | None = None
    wait: WaitReason | None = None
    detail: Sentence = ""
    retry_at_ms: Count = 0
    nodes: Annotated[list[NodeSaid], Meta(max_length=HA_NODES_MAX)] = []
    install: SignedInstall | None = None

    def check(self) -> None:
        """Check what the shape does not say.

        Raises:
            ProtocolError: ``twice``, ``failure`` or ``wait``.
        """
        if len({each.node for each in self.nodes}) < len(self.nodes):
            raise ProtocolError("twice", field="nodes")
        has_failed = self.state in {SiteState.FAILED, SiteState.ROLLED_BACK}
        if has_failed and self.failure is None:
            raise ProtocolError("failure", field="failure", got=self.state, bound="a type")
        if (self.state is SiteState.WAITING) != (self.wait is not None):
            raise ProtocolError("wait", field="wait", got=self.state, bound="of waiting alone")


class Running(msgspec.Struct, frozen=True, array_like=True):
    """What a node runs of one component; the digest is measured, not remembered."""

    version: VersionText
    digest: Sha256Text


class SoftwareReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a node runs, in this boot: on start and on change."""

    v: int
    components: Annotated[dict[ComponentText, Running], Meta(max_length=COMPONENTS_MAX)]


def read_offer(body: bytes) -> Offer:
    """Return the offer in an order's body.

    Raises:
        ProtocolError: it is none, or what ``Offer.check`` says.
    """
    offer = _offers.decode(body)
    offer.check()
    return offer


_offers: Final[Decoder[Offer]] = Decoder(Offer, limit=ORDER_BODY_BYTES_MAX)
