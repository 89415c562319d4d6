"""Claims as operators see them: by what boxes are let in, from token to list."""

import ipaddress
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
import segno
from msgspec import Meta
from msgspec.structs import replace

from roost_central.api.acts import principal_of
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery, Reply
from roost_central.api.enrol import Name, check_slot, note_of, problems, sees, slot_of
from roost_central.api.enrolling import desk_of, enrolment_of
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.enrol.claim_desk import NewClaim, token_text
from roost_central.enrol.service import Enrolment
from roost_central.enrol.silence import silent_ms
from roost_central.errors import NotFoundError
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_protocol.patterns import END, NO_CONTROLS

NODES_MAX: Final = 1_000  # one token lets in; a site has at most 20, a batch of one product more
LIFE_S: Final = (60, 365 * 86_400)
IMPORT_MAX: Final = 2_000  # claims of one request: 256 KiB of JSON

Life = Annotated[int, Meta(ge=LIFE_S[0], le=LIFE_S[1])]


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
    replaces: int  # the box of the slot that goes; 0: it fills an empty one
    made_by: str
    made: Time | None
    not_after: Time | None
    revoked: Time | None
    token: str | None = None
    url: str | None = None  # where boxes ask
    join: str | None = None
    qr: list[str] | None = None  # of the line, for a telephone: rows of 0 and 1


class ClaimPage(msgspec.Struct, frozen=True):
    """Claims, the newest first."""

    items: list[ClaimAnswer]
    next: str | None = None


class TokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token for boxes of a site, or for one slot of it."""

    site: Name
    node: Name = ""
    nodes_max: Annotated[int, Meta(ge=1, le=NODES_MAX)] = 1
    auto_approve: bool = False
    broker: bool = False
    cidr: Annotated[str, Meta(max_length=64)] = ""
    life_s: Life = 86_400


class ReplaceBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The box in a slot goes when the next one comes: by a token, or by its serial number.

    A reason is needed where the old box was heard in the last 15 minutes.
    """

    reason: Annotated[str, Meta(max_length=500, pattern=NO_CONTROLS)] = ""
    serial: Annotated[str, Meta(max_length=128, pattern=NO_CONTROLS)] = ""
    broker: bool = False
    life_s: Life = 86_400


class ListedBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One serial number, or SHA-256 of one key (SPKI, hexadecimal), and the slot it is for."""

    site: Name
    node: Name = ""
    serial: Annotated[str, Meta(max_length=128, pattern=NO_CONTROLS)] = ""
    key: Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?" + END)] = ""
    broker: bool = False


class ImportBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many at once: all of them are written, or none."""

    claims: Annotated[list[ListedBody], Meta(min_length=1, max_length=IMPORT_MAX)]
    life_s: Life = 30 * 86_400


async def list_claims(call: Call[NoQuery, None]) -> ClaimPage:
    """GET /api/v1/claims."""
    newest = await enrolment_of(call).claims.newest()
    return ClaimPage([_claim(each) for each in newest if sees(call, each.site)])


async def make_token(call: Call[NoQuery, TokenBody]) -> Reply:
    """POST /api/v1/claims."""
    body, enrolment = call.body, enrolment_of(call)
    desk = desk_of(enrolment)  # first: a token needs the pin of the root
    check_slot(call, body.site, body.node)
    _check_cidr(body.cidr)
    if body.node and body.nodes_max > 1:
        raise blame("invalid", FieldError("nodes_max", "invalid", "is for one slot: 1, or no node"))
    wanted = NewClaim(
        site=body.site,
        node=body.node,
        broker=body.broker,
        nodes_max=body.nodes_max,
        auto_approve=body.auto_approve,
        cidr=body.cidr,
        life_ms=body.life_s * 1000,
    )
    [(claim, secret)] = await _made(call, [wanted])
    return _shown_once(enrolment, claim, token_text(claim, secret, desk.fleet.pin))


async def replace_node(call: Call[NoQuery, ReplaceBody]) -> Reply:
    """POST /api/v1/nodes/{node}/replace: the next box for this slot takes the old one's place."""
    body, enrolment = call.body, enrolment_of(call)
    site, node = slot_of(call, call.path("node"))
    desk = desk_of(enrolment)
    wanted = NewClaim(
        site=site,
        node=node,
        broker=body.broker,
        auto_approve=True,
        life_ms=body.life_s * 1000,
        kind=ClaimType.SERIAL if body.serial else ClaimType.TOKEN,
        subject=body.serial,
    )
    silent = silent_ms(call.api.view, call.path("node"), call.now_ms)
    who = principal_of(call).name
    with problems():
        claim, secret = await enrolment.claims.replace(
            wanted, silent, who, body.reason, note_of(call)
        )
    if claim.kind is ClaimType.SERIAL:
        return Reply(_claim(claim), status=201)
    return _shown_once(enrolment, claim, token_text(claim, secret, desk.fleet.pin))


def _shown_once(enrolment: Enrolment, claim: ClaimRecord, token: str) -> Reply:
    """Return a new token, with the line that joins a box."""
    line = f"echo '{token}' | roost-agent join {enrolment.config.public_url} --token -"
    answer = msgspec.structs.replace(
        _claim(claim), token=token, url=enrolment.config.public_url, join=line, qr=_squares(line)
    )
    return Reply(answer, status=201, headers={"Cache-Control": "no-store"})


async def import_claims(call: Call[NoQuery, ImportBody]) -> ClaimPage:
    """POST /api/v1/claims:import."""
    body = call.body
    wanted = [_listed(call, each, number) for number, each in enumerate(body.claims)]
    return ClaimPage([_claim(claim) for claim, _ in await _made(call, wanted)])


async def revoke_claim(call: Call[NoQuery, None]) -> Reply:
    """DELETE /api/v1/claims/{claim}."""
    claims, id_ = enrolment_of(call).claims, call.path("claim")
    with problems():
        claim = await claims.find(id_)
        if not sees(call, claim.site):
            raise NotFoundError("claim", got=id_)
        await claims.revoke(id_, note_of(call))
    return Reply(status=204)


def _squares(text: str) -> list[str]:
    """Return a QR code (ISO/IEC 18004) as rows of modules, 1 is dark; without the quiet zone."""
    code = segno.make_qr(text, error="m")
    return ["".join(str(module) for module in row) for row in code.matrix_iter(border=0)]


def _listed(call: Call[NoQuery, ImportBody], given: ListedBody, number: int) -> NewClaim:
    where = f"claims[{number}]"
    if bool(given.serial) is bool(given.key):
        raise blame("invalid", FieldError(where, "subject", "says a serial or a key, one of both"))
    try:
        check_slot(call, given.site, given.node)
    except ApiError as err:
        errors = [replace(each, field=f"{where}.{each.field}") for each in err.errors]
        raise ApiError(err.code, f"{where}: {err.detail}", errors=errors) from None
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
    claims, who = enrolment_of(call).claims, principal_of(call).name
    with problems():
        return await claims.make(wanted, who, note_of(call))


def _check_cidr(text: str) -> None:
    try:
        if text:
            ipaddress.ip_network(text)
    except ValueError as err:
        raise blame("invalid", FieldError("cidr", "invalid", str(err))) from None


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
        auto_approve=claim.lets_in_by_itself,
        cidr=claim.cidr,
        replaces=claim.replaces,
        made_by=claim.made_by,
        made=instant(claim.made_ms),
        not_after=instant(claim.not_after_ms),
        revoked=instant(claim.revoked_ms),
    )
