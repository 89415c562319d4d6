"""What a node should be, over HTTP: every setting with the profile that it is of, by generation."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.api.answers import Time
from roost_central.api.call import Call
from roost_central.api.cursor import Cursor, pack, scope_of, unpack
from roost_central.api.instants import instant
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText
from roost_central.api.named_node import named_node
from roost_central.api.problem import ApiError
from roost_central.delivery.core import Attempt
from roost_central.storage import config_reports, delivery, desired
from roost_central.storage.last_reports import CONFIG, LastReport
from roost_protocol.config_report import ConfigReport
from roost_protocol.profile.check import field_at, leaves
from roost_protocol.profile.field import dotted


class DesiredSetting(msgspec.Struct, frozen=True):
    """A setting, whose it is, and what a change of it takes; empty: of another release.

    ``found``: what the node has instead, as JSON, by its last report; None: it tells of nothing.
    """

    path: str
    value: Any
    profile: str
    mark: str
    found: str | None = None


class ConfigSectionAnswer(msgspec.Struct, frozen=True):
    """How it stands with one section on the node, and why."""

    section: str
    state: str
    reason: str


class ReportAnswer(msgspec.Struct, frozen=True):
    """The node's last word: how it stands with the document of ``generation``.

    ``drift``: how many settings other hands changed, of which the list of drift tells 64.
    """

    at: Time | None
    received: Time | None
    generation: int
    state: str
    code: str
    text: str
    sections: list[ConfigSectionAnswer]
    drift: int


class ReportedAnswer(msgspec.Struct, frozen=True):
    """What a node is, beside what it should be.

    ``config``: none, unable, in-sync, pending, applying, waiting, failed; ``why``: of the
    last two; ``held_by``: the rollout in which its turn for it has not come. ``applied_*``,
    ``pending_reboot`` and ``drift`` are of its last beat, None where nobody can configure it.
    ``order``: by which it was told last, at ``told``; ``tries``: how often this document came
    to an end there.
    """

    config: str
    why: str
    held_by: str
    applied_generation: int | None
    applied_digest: str | None
    pending_reboot: bool | None
    drift: int | None
    as_of: Time | None
    order: str
    outcome: str
    told: Time | None
    tries: int
    report: ReportAnswer | None


class DesiredAnswer(msgspec.Struct, frozen=True):
    """What a node should be; generation 0: no profile ever was for it.

    ``fault``: why it has not what its profiles say now; empty: it has.
    """

    node: str
    generation: int
    digest: str
    since: Time | None
    by: str
    reason: str
    fault: str
    settings: list[DesiredSetting]
    sections: dict[str, Any]
    reported: ReportedAnswer


class GenerationAnswer(msgspec.Struct, frozen=True):
    """One generation: who made it, when and why."""

    generation: int
    at: Time | None
    by: str
    reason: str


class GenerationPage(msgspec.Struct, frozen=True):
    """The generations of a node, the newest first."""

    items: list[GenerationAnswer]
    next: str | None


class DesiredQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which generation; None: the one that counts."""

    generation: Annotated[int, Meta(ge=1)] | None = None


class GenerationsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which of them."""

    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


async def show_desired(call: Call[DesiredQuery, None]) -> DesiredAnswer:
    """GET /api/v1/nodes/{node}/desired."""
    node, asked = named_node(call).node, call.query.generation
    async with call.api.database.read() as connection:
        reported = await reported_answer(call, connection, node)
        found = {
            each.setting: each.found for each in await config_reports.drift(connection, node=node)
        }
        head = (await desired.heads(connection, [node])).get(node)
        fault = "" if head is None else head.fault
        number = asked or (0 if head is None else head.generation)
        change = await desired.generation(connection, node, number) if number else None
        if change is None:
            if asked:
                raise ApiError("not-found", f"{node} has no generation {asked}")
            return DesiredAnswer(node, 0, "", None, "", "", fault, [], {}, reported)
        is_now = head is not None and head.generation == number
        key = head.document if head is not None and is_now else change.document
        document = (await desired.documents(connection, [key]))[key]
    return DesiredAnswer(
        node=node,
        generation=change.generation,
        digest=document.digest.hex(),
        since=instant(change.at_ms),
        by=change.by,
        reason=change.reason,
        fault=fault if is_now else "",
        settings=[
            DesiredSetting(
                dotted(path),
                value,
                document.reasons[path],
                "" if (field := field_at(path)) is None else field.mark,
                found.get(dotted(path)) if is_now else None,
            )
            for path, value in leaves(document.sections)
        ],
        sections=dict(document.sections),
        reported=reported,
    )


async def reported_answer(
    call: Call[Any, Any], connection: AsyncConnection, node: str
) -> ReportedAnswer:
    """Return what a node that is there is, as far as it is known."""
    row = call.api.view.nodes[node]
    record = await CONFIG.find(connection, node)
    attempt = (await delivery.load(connection, [node])).get(node) or Attempt(node)
    config = row.config
    return ReportedAnswer(
        config=config.state,
        why=config.why,
        held_by=config.held_by,
        applied_generation=config.applied_gen,
        applied_digest=config.applied_digest,
        pending_reboot=config.pending_reboot,
        drift=config.drift,
        as_of=instant(row.heard_ms),
        order=attempt.order,
        outcome=attempt.outcome,
        told=instant(attempt.placed_ms) if attempt.order else None,
        tries=attempt.tries,
        report=None if record is None else _report(record),
    )


def _report(record: LastReport[ConfigReport]) -> ReportAnswer:
    report = record.report
    return ReportAnswer(
        at=instant(record.at_ms),
        received=instant(record.received_ms),
        generation=report.desired_gen,
        state=report.state.value,
        code=report.code,
        text=report.text,
        sections=[
            ConfigSectionAnswer(name, each.state.value, each.reason)
            for name, each in report.sections.items()
        ],
        drift=report.drift_count,
    )


async def list_generations(call: Call[GenerationsQuery, None]) -> GenerationPage:
    """GET /api/v1/nodes/{node}/desired/generations."""
    node, asked = named_node(call).node, call.query
    scope = scope_of("generations", node)
    before = None
    if asked.cursor:
        place = unpack(asked.cursor, scope=scope)
        before = place.value if isinstance(place.value, int) else 0
    async with call.api.database.read() as connection:
        found = await desired.generations(connection, node, before=before, limit=asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > asked.limit
    following = pack(Cursor(scope, shown[-1].generation, node)) if more else None
    return GenerationPage(
        [
            GenerationAnswer(each.generation, instant(each.at_ms), each.by, each.reason)
            for each in shown
        ],
        following,
    )
