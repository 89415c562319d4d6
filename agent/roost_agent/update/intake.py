"""Whether an offer is taken up on this node: read, and weighed against what was here. Pure."""

from collections.abc import Sequence
from typing import Final

from roost_agent.update import words
from roost_protocol.errors import ProtocolError
from roost_protocol.remedy import Refusal
from roost_protocol.update import Offer, read_offer

BUSY_AGAIN_MS: Final = 60_000  # one job a node: another one may be offered again then


class RejectedError(Exception):
    """An offer or a cancel is not taken; ``code`` is a ``Refusal``.

    Attributes:
        retry_at_ms: when it may be taken, UTC, which the centre is told; 0: never, as it is.
    """

    def __init__(self, code: Refusal, text: str, retry_at_ms: int = 0) -> None:
        super().__init__(text)
        self.code = code
        self.retry_at_ms = retry_at_ms


def read(job: str, attempt: int, body: bytes) -> Offer:
    """Return the offer in an order's body.

    Raises:
        RejectedError: it is none, or another one than the order names.
    """
    try:
        offer = read_offer(body)
    except ProtocolError as err:
        raise RejectedError(Refusal.OFFER, f"the offer cannot be read: {err}") from err
    if (offer.job, offer.attempt) != (job, attempt):
        raise RejectedError(Refusal.OFFER, f"the body is an offer of job {offer.job}")
    return offer


def check(
    offer: Offer, node: str, *, attempts: Sequence[int], under_way: Offer | None, now_ms: int
) -> None:
    """Refuse what cannot be begun.

    Args:
        offer: of a job.
        node: this node's id.
        attempts: of the job that were here.
        under_way: the job that is; None: none is.
        now_ms: UTC.

    Raises:
        RejectedError: why not.
    """
    if node not in offer.nodes:
        raise RejectedError(Refusal.NODE, f"the job is not for {node}")
    if offer.not_after_ms <= now_ms:
        raise RejectedError(Refusal.LATE, f"{words.release_of(offer)}: its time has ended")
    if newest := max((each for each in attempts if each > offer.attempt), default=0):
        raise RejectedError(Refusal.ATTEMPT, f"attempt {newest} of the job was here already")
    if under_way is not None:
        text = f"{words.release_of(under_way)} is under way on this node"
        raise RejectedError(Refusal.BUSY, text, now_ms + BUSY_AGAIN_MS)
