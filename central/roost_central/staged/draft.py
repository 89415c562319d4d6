"""Draws up a staged change of what a change of profiles writes. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from roost_central.profiles.change import Change
from roost_central.profiles.settle import Cause, Writes
from roost_central.staged.core import StagedChange, StagedNode, State
from roost_central.staged.groups import sizes_of, stages_of
from roost_protocol.topics import split_node_id


@dataclass(frozen=True, slots=True)
class Staging:
    """How somebody wants a change to reach its nodes; see groups.py and core.py."""

    groups: str
    soak_ms: int
    wait_ms: int
    failed_max: int


@dataclass(frozen=True, slots=True)
class StagedDraft:
    """A change that is not stored yet, with its nodes."""

    change: StagedChange
    nodes: list[StagedNode]


def drawn_up(  # noqa: PLR0913 - what a change is made of
    change: Change,
    revisions: Mapping[str, int],
    writes: Writes,
    staging: Staging | None,
    cause: Cause,
    *,
    id_: str,
) -> StagedDraft | None:
    """Return the staged change; None: all nodes have it at once, for they are of one site.

    Args:
        change: of profiles.
        revisions: that each profile has before it.
        writes: what nodes should be from then on.
        staging: how; None: at once.
        cause: who and why.
        id_: of the staged change.

    Raises:
        ProtocolError: ``groups``.
    """
    sites = {split_node_id(each.node)[0] for each in writes.changes}
    if staging is None:
        return None
    sizes = sizes_of(staging.groups, len(sites))  # refused whether they are needed or not
    if len(sites) < 2:  # noqa: PLR2004 - a site is never cut
        return None
    stages = stages_of(sites, sizes)
    made = StagedChange(
        id=id_,
        state=State.RUNNING,
        made_ms=cause.at_ms,
        changed_ms=cause.at_ms,
        by=cause.by,
        reason=cause.reason,
        profiles={name: revisions.get(name, 0) for name in sorted(change.names)},
        sizes=sizes,
        stage=0,
        stage_ms=cause.at_ms,
        soak_ms=staging.soak_ms,
        wait_ms=staging.wait_ms,
        failed_max=staging.failed_max,
    )
    nodes = [
        StagedNode(
            each.node,
            stages[split_node_id(each.node)[0]],
            *writes.former.get(each.node, (0, b"")),
        )
        for each in writes.changes
    ]
    return StagedDraft(made, nodes)
