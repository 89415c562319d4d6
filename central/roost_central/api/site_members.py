"""Who belongs to a site by the director's word, and what operators say of it, over HTTP.

Where more than one member of a site goes within a day the signer wants two operators' signatures;
this is where they are brought. It checks them anew, by what it has verified itself.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from roost_central.api.acts import act_of, telling_refusals
from roost_central.api.call import Call, NoQuery
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.releases import desk_of, problems
from roost_central.api.sites import site_name
from roost_central.signer.members import OPERATORS_NEEDED
from roost_central.storage import audit
from roost_protocol.release.approval import SIGNATURE_BYTES
from roost_protocol.release.members import MEMBERS_BYTES_MAX, SignedMembers

_BASE64_MAX: Final = MEMBERS_BYTES_MAX * 2


class MembersApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operator's word as it was signed, and the signature, both in base64."""

    word: Annotated[str, Meta(min_length=1, max_length=_BASE64_MAX)]
    signature: Annotated[str, Meta(min_length=1, max_length=128)]


class MemberAnswer(msgspec.Struct, frozen=True):
    """One member: ``box`` as it is now, ``told``: as the site was told last; 0: none."""

    node: str
    box: int
    told: int


class MembersAnswer(msgspec.Struct, frozen=True):
    """Who belongs to a site.

    Attributes:
        approvals: operators who signed for just these members, in a word that counts now.
        needed: of them, where more than one member goes within 24 h.
        refusal: why the signer does not sign what the site is to be told; empty: it does.
    """

    site: str
    members: list[MemberAnswer]
    approvals: list[str]
    needed: int
    refusal: str


async def show_members(call: Call[NoQuery, None]) -> MembersAnswer:
    """GET /api/v1/sites/{site}/members."""
    return await _shown(call, _site(call))


async def approve_members(call: Call[NoQuery, MembersApproval]) -> MembersAnswer:
    """POST /api/v1/sites/{site}/members/approve."""
    site = _site(call)
    async with telling_refusals(
        call, "members.approve", site, {}, reason="", codes={"conflict", "invalid"}
    ):
        with problems():
            said = await desk_of(call).words.take_word(site, _signed(call.body))
        detail = {"operator": said.operator, "members": said.members}
        async with call.api.database.write() as connection:
            await audit.add(connection, act_of(call, "members.approve", site, detail))
    await desk_of(call).sites.tell_members(site)
    return await _shown(call, site)


def _site(call: Call[Any, Any]) -> str:
    site = site_name(call.path("site"))
    if site not in call.api.view.sites:
        raise ApiError("not-found", f"there is no site {site!r}")
    return site


async def _shown(call: Call[Any, Any], site: str) -> MembersAnswer:
    desk = desk_of(call)
    now = (await desk.sites.members_of([site])).get(site, {})
    document, refused = desk.sites.document(site), desk.sites.refused(site)
    told = {} if document is None else document.members
    with problems():
        agreed = await desk.words.agreed(site)
    return MembersAnswer(
        site=site,
        members=[
            MemberAnswer(node, now.get(node, 0), told.get(node, 0))
            for node in sorted({*now, *told})
        ],
        approvals=sorted(agreed),
        needed=OPERATORS_NEEDED,
        refusal="" if refused is None else refused.detail,
    )


def _signed(body: MembersApproval) -> SignedMembers:
    """Return the word of a body.

    Raises:
        ApiError: ``invalid``.
    """
    word = _decoded("word", body.word, 1, MEMBERS_BYTES_MAX)
    signature = _decoded("signature", body.signature, SIGNATURE_BYTES, SIGNATURE_BYTES)
    return SignedMembers(word=word, signature=signature)


def _decoded(field: str, text: str, least: int, most: int) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError) as err:
        error = FieldError(field=field, code="base64", detail="is no base64")
        raise blame("invalid", error) from err
    if not least <= len(raw) <= most:
        detail = f"has {len(raw)} bytes, not {least} to {most}"
        error = FieldError(field=field, code="size", detail=detail, bound=most)
        raise blame("invalid", error)
    return raw
