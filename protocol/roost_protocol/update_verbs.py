"""What a node may be ordered to do about software updates, apart from what it needs to do it.

Both are the centre's own (docs/rollouts.md): a person starts a rollout, and that orders.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from roost_protocol.order_act import Act
from roost_protocol.patterns import END

ATTEMPT_MAX: Final = 100
JOB_PATTERN: Final = r"^[0-9a-f]{32}" + END
SHA256_PATTERN: Final = r"^[0-9a-f]{64}" + END

JobText = Annotated[str, Meta(pattern=JOB_PATTERN)]
Sha256Text = Annotated[str, Meta(pattern=SHA256_PATTERN)]
Attempt = Annotated[int, Meta(ge=1, le=ATTEMPT_MAX)]


class UpdateOffer(Act, frozen=True):
    """Take a job.

    Attributes:
        digest: of the order's body, an encoded ``Offer`` (``order.body_digest``).
    """

    verb: ClassVar[str] = "update-offer"
    title: ClassVar[str] = "Offer the site a software update."
    is_by_hand: ClassVar[bool] = False
    job: JobText
    attempt: Attempt
    digest: Sha256Text


class UpdateCancel(Act, frozen=True):
    """Give a job up, if that is still possible."""

    verb: ClassVar[str] = "update-cancel"
    title: ClassVar[str] = "Ask the site to give a software update up."
    is_by_hand: ClassVar[bool] = False
    job: JobText


UPDATE_VERBS: Final[Mapping[str, type[Act]]] = MappingProxyType(
    {each.verb: each for each in (UpdateOffer, UpdateCancel)}
)
