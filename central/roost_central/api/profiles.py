"""Profiles over HTTP: what counts, what a change would do, and the change itself.

What is decided is in profiles/desk.py. A profile of the fleet, or with a selector, concerns nodes
that nobody can name beforehand: it takes a grant over the whole fleet; one of a site or a node
takes a grant over that site.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated, Any, Final, TypeVar

import msgspec
from msgspec import Meta

from roost_central.api.call import Call, NoQuery
from roost_central.api.instants import instant
from roost_central.api.problem import ApiError, FieldError
from roost_central.api.profile_answers import (
    PlanAnswer,
    ProfileAnswer,
    ProfileDetail,
    ProfilePage,
    RevisionAnswer,
    RevisionPage,
    plan_answer,
    sentence,
)
from roost_central.errors import NotFoundError, RevisionConflictError
from roost_central.profiles.change import Wanted, read_kept
from roost_central.profiles.fault import ProfileFault
from roost_central.profiles.layer import SOURCE_BYTES_MAX, Layer, Profile, ProfileRecord
from roost_central.profiles.source import ProfileError
from roost_central.storage import profiles
from roost_protocol.patterns import NO_CONTROLS
from roost_protocol.profile.check import leaves

FILES_MAX: Final = 64  # of one change: a folder that is reviewed together
REVISIONS_MAX: Final = 50  # of one answer, each with its text
BODY_BYTES_MAX: Final = 4 * 1024 * 1024  # so many files of the usual size
SCOPE: Final = "scope"  # a fault's code: not the file's, but the caller's

T = TypeVar("T")

FileName = Annotated[str, Meta(min_length=1, max_length=255, pattern=NO_CONTROLS)]
ProfileName = Annotated[str, Meta(min_length=1, max_length=63)]


class ProfileFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file by its name, for complaints, and its text."""

    file: FileName
    source: Annotated[str, Meta(max_length=SOURCE_BYTES_MAX)]


class PreviewBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Profiles that come, and names of those that go."""

    files: Annotated[list[ProfileFile], Meta(max_length=FILES_MAX)] = []
    remove: Annotated[list[ProfileName], Meta(max_length=FILES_MAX)] = []


class ProfilesQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With ``count`` each comes with the number of nodes that it is for."""

    count: bool = False


async def list_profiles(call: Call[ProfilesQuery, None]) -> ProfilePage:
    """GET /api/v1/profiles."""
    async with call.api.database.read() as connection:
        records = await profiles.load(connection)
    counts = await _counts(call, records, is_asked=call.query.count)
    shown = [each for each in records if _sees(call, each.name, counts)]
    answers = [_answer(each, None if counts is None else counts.get(each.name)) for each in shown]
    order = {layer.word: layer for layer in Layer}
    answers.sort(key=lambda each: (order[each.layer], each.priority, each.name))
    return ProfilePage(answers)


async def show_profile(call: Call[NoQuery, None]) -> ProfileDetail:
    """GET /api/v1/profiles/{profile}."""
    name = call.path("profile")
    async with call.api.database.read() as connection:
        records = await profiles.load(connection)
    counts = await _counts(call, records, is_asked=True)
    found = next((each for each in records if each.name == name), None)
    if found is None or not _sees(call, name, counts):
        raise _no_profile(name)
    short = _answer(found, (counts or {}).get(name))
    profile = _read(found)
    return ProfileDetail(
        **{field: getattr(short, field) for field in ProfileAnswer.__struct_fields__},
        source=found.source,
        sections={} if isinstance(profile, str) else dict(profile.sections),
    )


async def list_revisions(call: Call[NoQuery, None]) -> RevisionPage:
    """GET /api/v1/profiles/{profile}/revisions."""
    name = call.path("profile")
    async with call.api.database.read() as connection:
        found = await profiles.history(connection, name, limit=REVISIONS_MAX)
        records = await profiles.load(connection)
    counts = await _counts(call, records, is_asked=False)
    if not found or not _sees(call, name, counts):
        raise _no_profile(name)
    return RevisionPage(
        [
            RevisionAnswer(each.revision, instant(each.at_ms), each.by, each.reason, each.source)
            for each in found
        ]
    )


async def preview_profiles(call: Call[NoQuery, PreviewBody]) -> PlanAnswer:
    """POST /api/v1/profiles:preview."""
    plan = await asked_of_desk(call.api.profiles.preview(wanted_of(call.body), may_change(call)))
    if any(fault.code == SCOPE for fault in plan.faults):
        raise refused(plan.faults)
    return plan_answer(plan)


async def asked_of_desk(doing: Awaitable[T]) -> T:
    """Return what an act of the desk returns, its refusals as answers."""
    try:
        return await doing
    except NotFoundError as err:
        raise _no_profile(str(err.got)) from err
    except ProfileError as err:
        raise refused(err.faults) from err
    except RevisionConflictError as err:
        raise ApiError("conflict", _in_the_way(err)) from err


def _in_the_way(err: RevisionConflictError) -> str:
    match err.code:
        case "expect":
            return f"{err.got} nodes would change, not {err.bound}: look at the preview again"
        case "rollout":
            what = f"on {err.got} of these nodes" if err.got else "with these profiles"
            return (
                f"rollout {err.field} is under way {what}: let it end, or roll it back "
                f"(roost rollout show {err.field})"
            )
        case _:
            return "another change of profiles came in between: look at the preview again"


def wanted_of(body: PreviewBody) -> Wanted:
    """Return the change that a body asks for.

    Raises:
        ApiError: ``invalid``: it asks for none.
    """
    if not body.files and not body.remove:
        raise ApiError("invalid", "no file and no name to remove: nothing is asked")
    return Wanted([(each.file, each.source) for each in body.files], list(body.remove))


def may_change(call: Call[Any, Any]) -> Callable[[Profile], ProfileFault | None]:
    """Return what says why who asks may not change a profile."""

    def why_not(profile: Profile) -> ProfileFault | None:
        if call.scope.is_whole:
            return None
        site = profile.target.partition(".")[0]
        if profile.layer in {Layer.SITE, Layer.NODE} and site in call.api.view.sites:
            return None
        detail = "your grants are not over every node that it is or may come to be for"
        return ProfileFault(profile.file, 0, f"profile.{profile.layer.word}", SCOPE, detail)

    return why_not


async def _counts(
    call: Call[Any, Any], records: list[ProfileRecord], *, is_asked: bool
) -> dict[str, int] | None:
    """Return for how many nodes each profile is that the caller sees; None: not counted."""
    if call.scope.is_whole and not is_asked:
        return None
    return await call.api.profiles.count([*readable(records)], call.api.view)


def _sees(call: Call[Any, Any], name: str, counts: dict[str, int] | None) -> bool:
    """Say whether the caller may see a profile: it is for a node that he sees."""
    return call.scope.is_whole or bool((counts or {}).get(name))


def readable(records: Iterable[ProfileRecord]) -> Iterable[Profile]:
    """Give those of the profiles that this release can read."""
    for record in records:
        profile = _read(record)
        if not isinstance(profile, str):
            yield profile


def _read(record: ProfileRecord) -> Profile | str:
    """Return a profile, or why this release cannot read it."""
    try:
        return read_kept(record.source, record.file)
    except ProfileError as err:
        return f"{err.faults[0].where}: {sentence(err.faults[0])}"


def _answer(record: ProfileRecord, nodes: int | None) -> ProfileAnswer:
    found = _read(record)
    fault = found if isinstance(found, str) else ""
    profile = None if isinstance(found, str) else found
    return ProfileAnswer(
        name=record.name,
        layer=(Layer.FLEET if profile is None else profile.layer).word,
        target="" if profile is None else profile.target,
        priority=0 if profile is None else profile.priority,
        text="" if profile is None else profile.text,
        file=record.file,
        revision=record.revision,
        by=record.by,
        at=instant(record.at_ms),
        settings=0 if profile is None else sum(1 for _ in leaves(profile.sections)),
        nodes=nodes,
        fault=fault,
    )


def refused(faults: list[ProfileFault]) -> ApiError:
    """Return the answer to what cannot be applied, with each fault."""
    scoped = next((fault for fault in faults if fault.code == SCOPE), None)
    if scoped is not None:
        return ApiError("not-allowed", sentence(scoped))
    errors = [
        FieldError(
            field=each.where or each.file,
            code=each.code,
            detail=sentence(each),
            offset=each.offset,
            length=each.length,
        )
        for each in faults
    ]
    first = errors[0]
    detail = f"{first.field}: {first.detail}" if faults[0].where else first.detail
    return ApiError("invalid", detail, errors=errors)


def _no_profile(name: str) -> ApiError:
    return ApiError("not-found", f"there is no profile {name[:80]!r}")
