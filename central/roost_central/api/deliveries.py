"""How far nodes have come with what they should be: counts, differences, and doing it again.

What is decided is in delivery/; a change of what a node should be goes by api/profiles.py.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_central.api.acts import act_of, principal_of, telling_refusals
from roost_central.api.answers import Time
from roost_central.api.call import Call, NoQuery
from roost_central.api.cursor import Cursor, pack, scope_of, unpack
from roost_central.api.desired import ReportedAnswer, reported_answer
from roost_central.api.instants import instant
from roost_central.api.lists import LIMIT, LIMIT_MAX, CursorText
from roost_central.api.named_node import named_node
from roost_central.api.problem import ApiError
from roost_central.api.profiles import readable
from roost_central.delivery.runner import NothingWantedError
from roost_central.fleet.view import ConfigRow
from roost_central.profiles.adopt import Found, draft
from roost_central.storage import config_reports, profiles
from roost_central.storage.last_reports import CONFIG
from roost_protocol.config_report import Drift
from roost_protocol.limits import ORDER_REASON_CHARS_MAX
from roost_protocol.patterns import NO_CONTROLS

SETTINGS_MAX: Final = 64  # adopted at once: as many as a report tells one by one

NodeText = Annotated[str, Meta(max_length=80)]
SiteText = Annotated[str, Meta(max_length=64)]
SettingText = Annotated[str, Meta(min_length=1, max_length=512, pattern=NO_CONTROLS)]


class DeliveryCounts(msgspec.Struct, frozen=True):
    """Nodes by where they stand, each in one of the first seven; the rest is counted beside them.

    ``held``: a rollout has not come to them; ``drifted``: other hands changed a setting.
    """

    in_sync: int
    pending: int
    applying: int
    waiting: int
    failed: int
    unable: int
    none: int
    total: int
    held: int
    pending_reboot: int
    drifted: int


class ProfileDelivery(msgspec.Struct, frozen=True):
    """The nodes that have settings of a profile, by where they stand with all of theirs."""

    profile: str
    nodes: DeliveryCounts


class DeliveryStatus(msgspec.Struct, frozen=True):
    """How far the fleet has come, and each profile."""

    nodes: DeliveryCounts
    profiles: list[ProfileDelivery]


class DriftAnswer(msgspec.Struct, frozen=True):
    """A setting that is not as its node was told; ``wanted`` and ``found`` are JSON, cut."""

    node: str
    site: str
    setting: str
    wanted: str
    found: str
    at: Time | None


class DriftPage(msgspec.Struct, frozen=True):
    """Settings that differ, by node and setting."""

    items: list[DriftAnswer]
    next: str | None = None


class DriftQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which: of a site, of a node; empty: of all."""

    site: SiteText = ""
    node: NodeText = ""
    limit: Annotated[int, Meta(ge=1, le=LIMIT_MAX)] = LIMIT
    cursor: CursorText = ""


class AdoptBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which settings; none: all that differ."""

    settings: Annotated[list[SettingText], Meta(max_length=SETTINGS_MAX)] = []


class LeftAnswer(msgspec.Struct, frozen=True):
    """A setting that cannot be adopted, and why."""

    setting: str
    why: str


class AdoptAnswer(msgspec.Struct, frozen=True):
    """A profile that says what the node has; it is not applied: preview it, then do."""

    profile: str
    file: str
    source: str
    taken: list[str]
    left: list[LeftAnswer]


class ReapplyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: Annotated[str, Meta(max_length=ORDER_REASON_CHARS_MAX, pattern=NO_CONTROLS)] = ""


async def show_status(call: Call[NoQuery, None]) -> DeliveryStatus:
    """GET /api/v1/profiles:status."""
    rows = [row.config for row in call.api.view.nodes.values()]
    of_profile: dict[str, list[ConfigRow]] = {}
    for row in rows:
        for name in row.profiles:
            of_profile.setdefault(name, []).append(row)
    return DeliveryStatus(
        count(rows),
        [ProfileDelivery(name, count(some)) for name, some in sorted(of_profile.items())],
    )


def count(rows: Iterable[ConfigRow]) -> DeliveryCounts:
    """Count nodes by where they stand."""
    rows = list(rows)
    seen = Counter(row.state for row in rows)
    return DeliveryCounts(
        in_sync=seen["in-sync"],
        pending=seen["pending"],
        applying=seen["applying"],
        waiting=seen["waiting"],
        failed=seen["failed"],
        unable=seen["unable"],
        none=seen["none"],
        total=len(rows),
        held=sum(1 for row in rows if row.held_by),
        pending_reboot=sum(1 for row in rows if row.pending_reboot),
        drifted=sum(1 for row in rows if row.drift),
    )


async def list_drift(call: Call[DriftQuery, None]) -> DriftPage:
    """GET /api/v1/drift."""
    asked = call.query
    scope = scope_of("drift", asked.site, asked.node)
    after = None
    if asked.cursor:
        place = unpack(asked.cursor, scope=scope)
        after = (str(place.value), place.name)
    sites: Collection[str] | None = None if call.scope.is_whole else call.api.view.sites.keys()
    if asked.site:
        sites = {asked.site} & call.api.view.sites.keys()
    async with call.api.database.read() as connection:
        found = await config_reports.drift(
            connection, node=asked.node, sites=sites, after=after, limit=asked.limit + 1
        )
    shown = found[: asked.limit]
    following = None
    if len(found) > asked.limit:
        following = pack(Cursor(scope, shown[-1].node, shown[-1].setting))
    return DriftPage(
        [
            DriftAnswer(
                each.node, each.site, each.setting, each.wanted, each.found, instant(each.at_ms)
            )
            for each in shown
        ],
        following,
    )


async def draft_adoption(call: Call[NoQuery, AdoptBody]) -> AdoptAnswer:
    """POST /api/v1/nodes/{node}/drift:adopt."""
    node, asked = named_node(call).node, set(call.body.settings)
    async with call.api.database.read() as connection:
        report = await CONFIG.find(connection, node)
        records = await profiles.load(connection)
    drift = [] if report is None else report.report.drift
    _check_asked(node, asked, drift)
    chosen = [
        Found(each.setting, each.found) for each in drift if not asked or each.setting in asked
    ]
    made = draft(node, chosen, readable(records))
    left = [LeftAnswer(setting, why) for setting, why in made.left.items()]
    if not made.taken:
        raise ApiError("conflict", f"{left[0].setting}: {left[0].why}")
    return AdoptAnswer(made.name, f"{made.name}.toml", made.source, made.taken, left)


async def reapply(call: Call[NoQuery, ReapplyBody]) -> ReportedAnswer:
    """POST /api/v1/nodes/{node}/desired:reapply."""
    node, who = named_node(call).node, principal_of(call).name
    reason = call.body.reason.strip()
    act = act_of(call, "node.reapply", node, {"by": who}, reason=reason)
    async with telling_refusals(call, "node.reapply", node, {}, reason=reason, codes={"conflict"}):
        try:
            await call.api.deliveries.force(node, act)
        except NothingWantedError as err:
            raise ApiError("conflict", str(err)) from err
    async with call.api.database.read() as connection:
        return await reported_answer(call, connection, node)


def _check_asked(node: str, asked: Collection[str], drift: Collection[Drift]) -> None:
    if not drift:
        raise ApiError("conflict", f"{node} tells of no setting that differs: nothing to adopt")
    unknown = sorted({*asked} - {each.setting for each in drift})
    if unknown:
        known = ", ".join(each.setting for each in drift)
        raise ApiError("invalid", f"{unknown[0]} does not differ on {node}; these do: {known}")
