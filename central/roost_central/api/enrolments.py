"""Boxes that ask to be let in, as operators see them: who waits, and who is let in."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from roost_central.api.acts import Reason, principal_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery
from roost_central.api.enrol import Name, check_slot, note_of, problems, sees
from roost_central.api.enrolling import enrolment_of
from roost_central.api.instants import instant
from roost_central.enrol.hardware import hardware_of
from roost_central.enrol.matching import Matching
from roost_central.enrol.queue import Approval, Nearest
from roost_central.enrol.states import State
from roost_central.errors import NotFoundError
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.hardware import Hardware, likeness


class Near(msgspec.Struct, frozen=True):
    """The known box that is most like it: ``same``, ``unsure`` or ``other``."""

    node: str
    points: int
    likeness: str


class BoxAnswer(msgspec.Struct, frozen=True):
    """A box that asked to be let in."""

    id: str
    state: str
    kind: str
    claim: str
    site: str
    node: str
    words: str
    reason: str
    address: str
    agent: str
    hardware: Hardware
    asked: Time | None
    seen: Time | None
    decided: Time | None
    decided_by: str
    nearest: Near | None = None


class BoxPage(msgspec.Struct, frozen=True):
    """Boxes, who came first first; never more than wait at a time."""

    items: list[BoxAnswer]
    next: str | None = None


class BoxQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which boxes: those that wait, or all that are kept."""

    state: Literal["pending", "approved", "issued", "denied"] | None = None


class ApproveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Into which slot; with the six words where the box brought no claim.

    A reason is needed where the box that goes was heard in the last 15 minutes.
    """

    node: Name
    site: Name = ""
    words: Annotated[str, Meta(max_length=64)] = ""
    broker: bool = False
    replace: bool = False
    reason: Annotated[str, Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$(?!\n)")] = ""


class MatchBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which boxes; ``expected`` is how many the caller has seen."""

    expected: Annotated[int, Meta(ge=1, le=1_000)]
    site: Name = ""
    claim: Name = ""
    vendor: Annotated[str, Meta(max_length=128)] = ""
    product: Annotated[str, Meta(max_length=128)] = ""
    serials: Annotated[list[Annotated[str, Meta(max_length=128)]], Meta(max_length=1_000)] = []


class DenyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Reason


async def list_boxes(call: Call[BoxQuery, None]) -> BoxPage:
    """GET /api/v1/enrolments."""
    states = [State(call.query.state)] if call.query.state else [State.PENDING, State.APPROVED]
    boxes = await enrolment_of(call).queue.boxes(states)
    return BoxPage([_box(each) for each in boxes if sees(call, each.site)])


async def show_box(call: Call[NoQuery, None]) -> BoxAnswer:
    """GET /api/v1/enrolments/{enrolment}."""
    box = await _looked_at(call)
    nearest = await enrolment_of(call).queue.nearest(box)
    sees_it = nearest is not None and sees(call, nearest.node.partition(".")[0])
    return _box(box, nearest if sees_it else None)


async def approve(call: Call[NoQuery, ApproveBody]) -> BoxAnswer:
    """POST /api/v1/enrolments/{enrolment}/approve."""
    body, queue = call.body, enrolment_of(call).queue
    box = await _looked_at(call)
    site = body.site or box.site
    check_slot(call, site, body.node)
    with problems():
        wanted = Approval(
            site, body.node, body.words,
            broker=body.broker, replace=body.replace, reason=body.reason,
        )  # fmt: skip
        who = principal_of(call).name
        return _box(await queue.approve(call.path("enrolment"), wanted, who, note_of(call)))


async def approve_all(call: Call[NoQuery, MatchBody]) -> BoxPage:
    """POST /api/v1/enrolments:approve."""
    body = call.body
    seen = None if call.scope.is_whole else frozenset(call.api.view.sites)
    matching = Matching(
        body.site, body.claim, body.vendor, body.product, frozenset(body.serials), seen
    )
    with problems():
        decided = await enrolment_of(call).queue.approve_all(
            matching, body.expected, principal_of(call).name, note_of(call)
        )
    return BoxPage([_box(each) for each in decided])


async def deny(call: Call[NoQuery, DenyBody]) -> BoxAnswer:
    """POST /api/v1/enrolments/{enrolment}/deny."""
    queue, id_ = enrolment_of(call).queue, call.path("enrolment")
    await _looked_at(call)
    with problems():
        who = principal_of(call).name
        return _box(await queue.deny(id_, call.body.reason, who, note_of(call)))


async def _looked_at(call: Call[Any, Any]) -> EnrolmentRecord:
    """Return the box that is meant.

    Raises:
        ApiError: ``not-found``: there is none that the caller may see.
    """
    with problems():
        box = await enrolment_of(call).queue.find(call.path("enrolment"))
        if not sees(call, box.site):
            raise NotFoundError("enrolment", got=box.id)
        return box


def _box(box: EnrolmentRecord, nearest: Nearest | None = None) -> BoxAnswer:
    near = None
    if nearest is not None:
        near = Near(nearest.node, nearest.points, likeness(nearest.points))
    return BoxAnswer(
        id=box.id,
        state=box.state,
        kind=box.kind,
        claim=box.claim,
        site=box.site,
        node=box.node,
        words=box.words,
        reason=box.reason,
        address=box.address,
        agent=box.agent,
        hardware=hardware_of(box.hardware),
        asked=instant(box.asked_ms),
        seen=instant(box.seen_ms),
        decided=instant(box.decided_ms),
        decided_by=box.decided_by,
        nearest=near,
    )
