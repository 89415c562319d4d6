"""Enrolment as operators see it: who waits, who is let in, and by which claims.

What is decided is written by enrol/queue.py together with its audit row.
"""

import ipaddress
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

import msgspec
import segno
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.acts import Reason, act_of, principal_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.enrolling import desk_of, enrolment_of
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.sites import site_name
from roost_central.enrol.desk import RefusedError
from roost_central.enrol.queue import (
    Approval,
    Matching,
    Nearest,
    NewClaim,
    Note,
    hardware_of,
    token_text,
)
from roost_central.enrol.states import State, TransitionError
from roost_central.errors import NotFoundError
from roost_central.storage import audit
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.enrolments import EnrolmentRecord
from roost_protocol.errors import ProtocolError
from roost_protocol.hardware import Hardware, likeness
from roost_protocol.topics import node_id

NODES_MAX: Final = 1_000  # one token lets in; a site has at most 20, a batch of one product more
LIFE_S: Final = (60, 365 * 86_400)
IMPORT_MAX: Final = 2_000  # claims of one request: 256 KiB of JSON

Name = Annotated[str, Meta(max_length=32)]
Life = Annotated[int, Meta(ge=LIFE_S[0], le=LIFE_S[1])]


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


class ClaimAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A claim; its token and the line that joins a box are shown once, when it is made."""

    id: str
    kind: str
    site: str
    node: str
    subject: str
    broker: bool
    nodes_max: int
    used: int
    auto_approve: bool
    cidr: str
    made_by: str
    made: Time | None
    not_after: Time | None
    revoked: Time | None
    token: str | None = None
    join: str | None = None
    qr: list[str] | None = None  # of the line, for a telephone: rows of 0 and 1


class ClaimPage(msgspec.Struct, frozen=True):
    """Claims, the newest first."""

    items: list[ClaimAnswer]
    next: str | None = None


class BoxQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which boxes: those that wait, or all that are kept."""

    state: Literal["pending", "approved", "issued", "denied"] | None = None


class ApproveBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Into which slot; with the six words where the box brought no claim."""

    node: Name
    site: Name = ""
    words: Annotated[str, Meta(max_length=64)] = ""
    broker: bool = False
    replace: bool = False


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


class TokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token for boxes of a site, or for one slot of it."""

    site: Name
    node: Name = ""
    nodes_max: Annotated[int, Meta(ge=1, le=NODES_MAX)] = 1
    auto_approve: bool = False
    broker: bool = False
    cidr: Annotated[str, Meta(max_length=64)] = ""
    life_s: Life = 86_400


class ListedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One serial number, or SHA-256 of one key (SPKI, hexadecimal), and the slot it is for."""

    site: Name
    node: Name = ""
    serial: Annotated[str, Meta(max_length=128)] = ""
    key: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?$")] = ""
    broker: bool = False


class ImportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many at once: all of them are written, or none."""

    claims: Annotated[list[ListedBody], Meta(min_length=1, max_length=IMPORT_MAX)]
    life_s: Life = 30 * 86_400


async def list_boxes(call: Call[BoxQuery, None]) -> BoxPage:
    """GET /api/v1/enrolments."""
    states = [State(call.query.state)] if call.query.state else [State.PENDING, State.APPROVED]
    boxes = await enrolment_of(call).queue.boxes(states)
    return BoxPage([_box(each) for each in boxes if _sees(call, each.site)])


async def show_box(call: Call[NoQuery, None]) -> BoxAnswer:
    """GET /api/v1/enrolments/{enrolment}."""
    box = await _looked_at(call)
    nearest = await enrolment_of(call).queue.nearest(box)
    sees_it = nearest is not None and _sees(call, nearest.node.partition(".")[0])
    return _box(box, nearest if sees_it else None)


async def approve(call: Call[NoQuery, ApproveBody]) -> BoxAnswer:
    """POST /api/v1/enrolments/{enrolment}/approve."""
    body, queue = call.body, enrolment_of(call).queue
    box = await _looked_at(call)
    site = body.site or box.site
    _check_slot(call, site, body.node)
    with _problems():
        wanted = Approval(site, body.node, body.words, broker=body.broker, replace=body.replace)
        who = principal_of(call).name
        return _box(await queue.approve(call.path("enrolment"), wanted, who, _note(call)))


async def approve_all(call: Call[NoQuery, MatchBody]) -> BoxPage:
    """POST /api/v1/enrolments:approve."""
    body = call.body
    seen = None if call.scope.is_whole else frozenset(call.api.view.sites)
    matching = Matching(
        body.site, body.claim, body.vendor, body.product, frozenset(body.serials), seen
    )
    with _problems():
        decided = await enrolment_of(call).queue.approve_all(
            matching, body.expected, principal_of(call).name, _note(call)
        )
    return BoxPage([_box(each) for each in decided])


async def deny(call: Call[NoQuery, DenyBody]) -> BoxAnswer:
    """POST /api/v1/enrolments/{enrolment}/deny."""
    queue, id_ = enrolment_of(call).queue, call.path("enrolment")
    await _looked_at(call)
    with _problems():
        who = principal_of(call).name
        return _box(await queue.deny(id_, call.body.reason, who, _note(call)))


async def list_claims(call: Call[NoQuery, None]) -> ClaimPage:
    """GET /api/v1/claims."""
    claims = await enrolment_of(call).queue.claims()
    return ClaimPage([_claim(each) for each in claims if _sees(call, each.site)])


async def make_token(call: Call[NoQuery, TokenBody]) -> Reply:
    """POST /api/v1/claims."""
    body, enrolment = call.body, enrolment_of(call)
    desk = desk_of(enrolment)  # first: a token needs the pin of the root
    _check_slot(call, body.site, body.node)
    _check_cidr(body.cidr)
    wanted = NewClaim(
        site=body.site,
        node=body.node,
        broker=body.broker,
        nodes_max=1 if body.node else body.nodes_max,
        auto_approve=body.auto_approve,
        cidr=body.cidr,
        life_ms=body.life_s * 1000,
    )
    [(claim, secret)] = await _made(call, [wanted])
    token = token_text(claim, secret, desk.fleet.pin)
    line = f"echo '{token}' | roost-agent join {enrolment.config.public_url} --token -"
    answer = msgspec.structs.replace(_claim(claim), token=token, join=line, qr=_squares(line))
    return Reply(answer, status=201, headers={"Cache-Control": "no-store"})


async def import_claims(call: Call[NoQuery, ImportBody]) -> ClaimPage:
    """POST /api/v1/claims:import."""
    body = call.body
    wanted = [_listed(call, each, number) for number, each in enumerate(body.claims)]
    return ClaimPage([_claim(claim) for claim, _ in await _made(call, wanted)])


async def revoke_claim(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/claims/{claim}."""
    queue, id_ = enrolment_of(call).queue, call.path("claim")
    with _problems():
        claim = await queue.claim(id_)
        if not _sees(call, claim.site):
            raise NotFoundError("claim", got=id_)
        await queue.revoke_claim(id_, _note(call))
    return Reply(status=204)


def _squares(text: str) -> list[str]:
    """Return a QR code (ISO/IEC 18004) as rows of modules, 1 is dark; without the quiet zone."""
    code = segno.make_qr(text, error="m")
    return ["".join(str(module) for module in row) for row in code.matrix_iter(border=0)]


def _sees(call: Call[Any, Any], site: str) -> bool:
    """Whether the caller's scope holds what belongs to a site; empty: it belongs to none yet."""
    return call.api.alarms.sees(site or None)


async def _looked_at(call: Call[Any, Any]) -> EnrolmentRecord:
    """Return the box that is meant.

    Raises:
        ApiError: ``not-found``: there is none that the caller may see.
    """
    with _problems():
        box = await enrolment_of(call).queue.find(call.path("enrolment"))
        if not _sees(call, box.site):
            raise NotFoundError("enrolment", got=box.id)
        return box


def _listed(call: Call[NoQuery, ImportBody], given: ListedBody, number: int) -> NewClaim:
    if bool(given.serial) is bool(given.key):
        where = f"claims[{number}]"
        raise blame("invalid", FieldError(where, "subject", "says a serial or a key, one of both"))
    _check_slot(call, given.site, given.node)
    return NewClaim(
        site=given.site,
        node=given.node,
        broker=given.broker,
        life_ms=call.body.life_s * 1000,
        kind=ClaimType.SERIAL if given.serial else ClaimType.KEY,
        subject=given.serial or given.key,
    )


async def _made(
    call: Call[Any, Any], wanted: Sequence[NewClaim]
) -> list[tuple[ClaimRecord, bytes]]:
    queue, who = enrolment_of(call).queue, principal_of(call).name
    with _problems():
        return await queue.make_claims(wanted, who, _note(call))


def _note(call: Call[Any, Any]) -> Note:
    """Return what writes the audit row of an act, in the act's transaction."""

    async def note(
        connection: AsyncConnection, action: str, about: str, detail: dict[str, Any]
    ) -> None:
        reason = str(detail.get("reason", ""))
        await audit.add(connection, act_of(call, action, about, detail, reason=reason))

    return note


def _check_slot(call: Call[Any, Any], site: str, node: str) -> None:
    """Refuse a slot that cannot be, or that is of a site which the caller may not see.

    Raises:
        ApiError: ``invalid`` or ``not-found``.
    """
    site_name(site)
    if not _sees(call, site):
        raise _missing(NotFoundError("site", got=site))
    try:
        if node:
            node_id(site, node)
    except ProtocolError as err:
        raise blame("invalid", FieldError(err.field, err.code, str(err), err.bound)) from None


def _check_cidr(text: str) -> None:
    try:
        if text:
            ipaddress.ip_network(text)
    except ValueError as err:
        raise blame("invalid", FieldError("cidr", "invalid", str(err))) from None


@contextmanager
def _problems() -> Iterator[None]:
    """Answer what the queue refuses with a problem: ``not-found`` or ``conflict``."""
    try:
        yield
    except NotFoundError as err:
        raise _missing(err) from None
    except (RefusedError, TransitionError) as err:
        code = err.code if isinstance(err, RefusedError) else "state"
        error = FieldError("enrolment", code, str(err))
        raise ApiError("conflict", str(err), errors=[error]) from None


def _missing(err: NotFoundError) -> ApiError:
    return ApiError("not-found", f"there is no {err.code} {str(err.got)[:64]!r}")


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


def _claim(claim: ClaimRecord) -> ClaimAnswer:
    return ClaimAnswer(
        id=claim.id,
        kind=claim.kind,
        site=claim.site,
        node=claim.node,
        subject=claim.subject,
        broker=claim.broker,
        nodes_max=claim.nodes_max,
        used=claim.used,
        auto_approve=claim.auto_approve,
        cidr=claim.cidr,
        made_by=claim.made_by,
        made=instant(claim.made_ms),
        not_after=instant(claim.not_after_ms),
        revoked=instant(claim.revoked_ms),
    )
