"""Acts on many sites or nodes at once: labels, and whether sites are managed.

Invariants: all of an act is done, or nothing; nobody labels a site out of, or into, what they may
change; each act is one row of the audit log, with the filter and the count.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from roost_central.access.chain import Act
from roost_central.api.acts import Reason, act_of
from roost_central.api.bulk import DryRun, ManyAnswer, Targets, about, nodes_meant, sites_meant
from roost_central.api.call import Call
from roost_central.api.problem import ApiError, FieldError, blame
from roost_central.api.sites import LabelKey, Labels
from roost_central.fleet.labels import LABELS_MAX, LabelChange
from roost_central.fleet.sites import SiteSpec


class LabelBody(Targets, frozen=True, forbid_unknown_fields=True):
    """Labels to set, and keys to take away."""

    set: Labels = msgspec.field(default_factory=dict)
    remove: Annotated[list[LabelKey], Meta(max_length=LABELS_MAX)] = msgspec.field(
        default_factory=list
    )


class ManageBody(Targets, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whether to manage them, and why."""

    managed: bool
    reason: Reason


async def label_sites(call: Call[DryRun, LabelBody]) -> ManyAnswer:
    """POST /api/v1/sites:label."""
    change = _change(call.body)
    rows = await sites_meant(call)
    for row in rows:
        after = change.applied(row.labels)
        _check_room(row.site, after)
        if not call.scope.admits(SiteSpec(row.site, after, row.lat, row.lon)):
            detail = f"no grant allows {row.site} to have these labels; nothing was changed"
            raise ApiError("not-allowed", detail)
    changed = [row.site for row in rows if change.applied(row.labels) != row.labels]
    if not call.query.dry_run:
        act = _act(call, "site.label", about(call.body, lambda row: row.site, rows), len(rows))
        changed = await call.api.registry.label(changed, change, act)
    return ManyAnswer(len(rows), len(changed))


async def label_nodes(call: Call[DryRun, LabelBody]) -> ManyAnswer:
    """POST /api/v1/nodes:label."""
    change = _change(call.body)
    rows = await nodes_meant(call)
    for row in rows:
        _check_room(row.node, change.applied(row.labels))
    changed = [row.node for row in rows if change.applied(row.labels) != row.labels]
    if not call.query.dry_run:
        act = _act(call, "node.label", about(call.body, lambda row: row.node, rows), len(rows))
        changed = await call.api.registry.label_nodes(changed, change, act)
    return ManyAnswer(len(rows), len(changed))


async def manage_sites(call: Call[DryRun, ManageBody]) -> ManyAnswer:
    """POST /api/v1/sites:manage."""
    body = call.body
    rows = await sites_meant(call)
    changed = [row.site for row in rows if row.managed is not body.managed]
    if not call.query.dry_run:
        act = act_of(
            call,
            "site.manage" if body.managed else "site.unmanage",
            about(body, lambda row: row.site, rows),
            {"matched": len(rows), "changed": len(changed)},
            reason=body.reason,
        )
        changed = await call.api.registry.manage(
            changed, act, managed=body.managed, why=body.reason
        )
    return ManyAnswer(len(rows), len(changed))


def _change(body: LabelBody) -> LabelChange:
    """Return what is asked for.

    Raises:
        ApiError: ``invalid``: nothing, or a key in both.
    """
    both = set(body.set) & set(body.remove)
    if both or not (body.set or body.remove):
        detail = f"{min(both)} is set and removed" if both else "give labels to set, or to remove"
        raise blame("invalid", FieldError(field="set", code="invalid", detail=detail))
    return LabelChange(body.set, frozenset(body.remove))


def _check_room(name: str, labels: dict[str, str]) -> None:
    if len(labels) > LABELS_MAX:
        detail = f"{name} would have {len(labels)} labels, the most is {LABELS_MAX}"
        raise blame("invalid", FieldError("set", "too-many", detail, LABELS_MAX))


def _act(call: Call[Any, LabelBody], action: str, what: str, matched: int) -> Act:
    detail = {"matched": matched, "set": call.body.set, "remove": sorted(call.body.remove)}
    return act_of(call, action, what, detail)
