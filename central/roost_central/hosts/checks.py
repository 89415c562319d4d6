"""What stands in the way of an action on a host. Pure; what it would break: effects.

The site decides in the end (``MayGoDown`` of local HA, ha.md section 5): what is said here is what
the centre sees before it asks, so that nobody has to try in order to learn. ``--force`` goes past
the health of those that would take over; it never breaks a rule of the lease, stops the last that
serves (that is force-lock), or goes past another act that is under way at the site.

Invariants: an action is allowed exactly where nothing blocks it; each blocker says what to do next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from roost_central.fleet.availability import EVERYWHERE, GroupOf
from roost_central.fleet.view import FleetView, NodeRow
from roost_central.hosts.actions import Action
from roost_central.hosts.blocker import Blocker
from roost_central.hosts.effects import Effect, effects_of, held_groups, serves
from roost_central.hosts.media import media_lacks, own_board
from roost_central.hosts.shown import Shown, is_dark, shown
from roost_central.orders.core import OrderRecord
from roost_protocol.host import Admin, Avail
from roost_protocol.host_verbs import HOST_VERBS

OPEN_OF_A_HOST_MAX: Final = 2  # one that runs, one that waits (StarlingX's)
ALARMS_TOLD_MAX: Final = 3  # of those in the way, by name
PAIR: Final = 2  # voters of a pair need no majority: ha.md section 4
_HEARD: Final = frozenset({"online", "degraded"})
_TAKE_DOWN: Final = frozenset(  # two of these at one site at once could leave it without service
    {"host-lock", "host-force-lock", "host-reboot", "host-reset", "host-power-off",
     "host-power-cycle", "host-reinstall", "reboot"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SeenAlarm:
    """An open alarm of the site, as far as it matters here; ``node`` is an id, None: the site's."""

    node: str | None
    type: str
    text: str
    is_critical: bool


@dataclass(frozen=True, slots=True)
class Around:
    """What the centre knows beside the fleet as it stands.

    Attributes:
        open_orders: orders to nodes of the site that have not ended.
        alarms: open ones of the site.
        is_rolled: a rollout is at work at the site.
        is_storm: an incident of many sites holds this one.
        board_by: node id of who reads its board controller; empty: nobody told of one.
        board_type: what it is spoken to by, ``redfish`` or ``ipmi``; empty: nobody told.
        is_polled: the centre reads its board controller, and nobody acts by it.
        lacks: why no order can reach it: no identity, no signer, quarantine; empty: nothing.
    """

    open_orders: Sequence[OrderRecord] = ()
    alarms: Sequence[SeenAlarm] = ()
    is_rolled: bool = False
    is_storm: bool = False
    board_by: str = ""
    board_type: str = ""
    is_polled: bool = False
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an action may be done now.

    Attributes:
        receiver: the node id that the order goes to; empty: the centre does it, or nobody.
        effects: what it would do beside.
    """

    action: Action
    blockers: tuple[Blocker, ...]
    effects: tuple[Effect, ...]
    receiver: str

    @property
    def is_allowed(self) -> bool:
        """Whether nothing is in the way."""
        return not self.blockers

    @property
    def is_forcible(self) -> bool:
        """Whether force goes past all that is in the way."""
        return all(each.can_force for each in self.blockers)


def judge(action: Action, row: NodeRow, view: FleetView, around: Around) -> Verdict:
    """Return whether an action may be done to a host now, and what it would break."""
    found = shown(row, view)
    groups = held_groups(action, row, view)
    blockers = [*_never(action, row, found, view, around)]
    if not blockers and found is not None:
        blockers = [
            *_state(action, row, found),
            *_way(action, row, view, around),
            *_others_at_work(action, row, around),
            *_redundancy(action, row, view, groups, around),
            *_of_unlock(action, row),
            *_of_delete(action, row),
        ]
    effects = effects_of(action, row, view, groups) if found is not None else []
    return Verdict(action, tuple(blockers), tuple(effects), _receiver(action, row, around))


def _receiver(action: Action, row: NodeRow, around: Around) -> str:
    """Return who is ordered: the host; who reads its board; the coordinator where it is silent."""
    if action.verb is None:
        return ""
    if action.needs_board:
        return around.board_by
    is_silent = row.presence not in _HEARD
    if row.host is not None and is_silent and action.by_others:
        return row.host.by
    return row.node


def _never(
    action: Action, row: NodeRow, found: Shown | None, view: FleetView, around: Around
) -> Iterator[Blocker]:
    """Give what no state of the host would change."""
    if found is None:
        text = f"no coordinator of {row.site} has spoken of {row.name} yet"
        yield Blocker("unknown", text, "start an agent of this release there, and wait for a beat")
    elif action.needs_board and not around.board_by:
        text = f"no board controller of {row.name} is known"
        todo = f"`roost bmc set {row.node}` first, and wait until it was read"
        if around.is_polled:
            text = f"the board controller of {row.name} is polled by the centre, which acts by none"
            todo = f"by hand; or `roost bmc set {row.node} --reached-by site`, where it is reached"
        yield Blocker("not-supported", text, todo)
    elif action.needs_media and (lack := media_lacks(row, view, around.board_type)):
        yield lack
    elif is_dark(row.site, view) and action.verb is not None:
        text = f"nobody of {row.site} is heard, so the state of {row.name} is not known"
        yield Blocker("dark", text, "act at the site: `roost-agent host` works without the centre")


def _state(action: Action, row: NodeRow, found: Shown) -> Iterator[Blocker]:
    admin, _, avail = found.word.triple
    is_forced = Admin(admin) in action.forced_admin
    if Admin(admin) not in action.admin:
        yield Blocker("state", f"{row.name} is {admin}", _of_admin(action, row), is_forced)
        if not is_forced:
            return  # what else it is not follows from that
    if Avail(avail) not in action.avail:
        allowed = ", ".join(sorted(action.avail))
        todo = f"{action.name} is for hosts that are {allowed}"
        yield Blocker("state", f"{row.name} is {avail}", todo)


def _of_admin(action: Action, row: NodeRow) -> str:
    """Return what to do where a host is locked, and should not be, or the other way round."""
    needs = Admin.LOCKED if Admin.LOCKED in action.admin else Admin.UNLOCKED
    if action.name in {"lock", "force-lock", "unlock"}:
        return f"it is what {action.name} makes of it: nothing is to be done"
    return f"`roost host {'lock' if needs == Admin.LOCKED else 'unlock'} {row.node}` first"


def _way(action: Action, row: NodeRow, view: FleetView, around: Around) -> Iterator[Blocker]:
    """Give why it cannot be told to whom it is for."""
    if action.verb is None:
        return
    if action.needs_media:
        yield from own_board(row, around.board_by)
    if around.lacks:
        yield Blocker("unreachable", around.lacks, "act at the node: `roost-agent host`")
    receiver = _receiver(action, row, around)
    heard = receiver in view.nodes and view.nodes[receiver].presence in _HEARD
    if not heard:
        is_self = receiver == row.node
        text = f"{row.name if is_self else receiver} is not heard"
        todo = (
            "wait for it, or act at the site" if is_self else "wait until it is, or act at the site"
        )
        yield Blocker("not-heard", text, todo)


def _others_at_work(action: Action, row: NodeRow, around: Around) -> Iterator[Blocker]:
    if action.verb is None:
        return
    yield from _at_work_here(action, row, around)
    if action.takes_down:
        for each in around.open_orders:
            if _host_of(each) != row.node and each.verb in _TAKE_DOWN:
                text = f"{each.verb} of {_host_of(each)} is under way, by {each.by}"
                todo = f"wait for it: `roost order show {each.id}`"
                yield Blocker("other-act", text, todo)
                return
    if (action.takes_down or action.needs_board) and row.host is not None and row.host.is_mnfa:
        text = f"several nodes of {row.site} are silent together"
        yield Blocker("storm", text, "see to the network of the site first")
    if action.takes_down and around.is_rolled and action.name != "force-lock":
        text = f"a rollout is at work at {row.site}"
        can_force = not action.needs_media
        yield Blocker("rollout", text, "wait for it: `roost rollout list`", can_force)
    if action.needs_board and around.is_storm:
        text = f"an incident of many sites holds {row.site}"
        yield Blocker("storm", text, "no power act until it is over: `roost incident list`")


def _at_work_here(action: Action, row: NodeRow, around: Around) -> Iterator[Blocker]:
    """Give what is under way at the host itself."""
    mine = [each for each in around.open_orders if _host_of(each) == row.node]
    if mine and action.needs_media:
        text = f"{mine[0].verb} of {row.name} has not ended"
        yield Blocker("busy", text, f"wait for it: `roost order show {mine[0].id}`")
    elif any(action.verb is not None and each.verb == action.verb.verb for each in mine):
        todo = f"`roost order list --node {row.node} --state open`"
        yield Blocker("busy", f"{action.name} of {row.name} is ordered already", todo)
    elif sum(each.verb in HOST_VERBS for each in mine) >= OPEN_OF_A_HOST_MAX:
        text = f"{row.name} has {len(mine)} orders that have not ended: one runs and one waits"
        yield Blocker("busy", text, "wait, or `roost order cancel` the one that waits")


def _host_of(order: OrderRecord) -> str:
    """Return the node id of the host that an order is about; its receiver may be another."""
    name = order.given.get("node")
    return f"{order.site}.{name}" if name and order.verb in HOST_VERBS else order.node


def _redundancy(
    action: Action, row: NodeRow, view: FleetView, groups: Sequence[GroupOf], around: Around
) -> Iterator[Blocker]:
    """Give what the site would lose."""
    if action.gives_away and not groups:
        text = f"nothing is active on {row.name}"
        yield Blocker("nothing-active", text, "a switchover is for the host that holds a group")
    if not (action.takes_down or action.gives_away) or not serves(row):
        return
    is_forced = action.name == "force-lock"  # that is its point
    if not is_forced:
        yield from _targets(action, row, view, groups, around)
    if action.takes_down:
        yield from _voters(row, view)


def _targets(
    action: Action, row: NodeRow, view: FleetView, groups: Sequence[GroupOf], around: Around
) -> Iterator[Blocker]:
    others = [view.nodes[name] for name in view.sites[row.site].nodes if name != row.node]
    stop = f"; if it may stop: `roost host force-lock {row.node}`" if action.takes_down else ""
    for group in groups:
        if group.model == EVERYWHERE and len(group.active) > 1:
            continue
        if not group.standby:
            why = "; ".join(lack.why for lack in group.lacks) or "no other host has it"
            text = f"{row.name} is the last active of {group.name}: {why}"
            yield Blocker("last-active", text, f"make another host able to take it{stop}")
        elif all(_avail(row.site, name, view) == Avail.DEGRADED for name in group.standby):
            names = ", ".join(group.standby)
            text = f"{group.name} could go to {names} alone, which is degraded"
            yield Blocker("target-degraded", text, f"`roost host show {row.site}.{names}`", True)
    if action.takes_down and not any(map(serves, others)):
        locked = [each.name for each in others if each.host and each.host.triple[0] == Admin.LOCKED]
        text = f"{row.name} is the last enabled host of {row.site}"
        if locked:
            text += f": {', '.join(locked)} {'is' if len(locked) == 1 else 'are'} locked"
        todo = (
            f"`roost host unlock {row.site}.{locked[0]}` first" if locked else "enable another host"
        )
        code = "other-locked" if locked else "last-enabled"
        yield Blocker(code, text, f"{todo}{stop}", can_force=action.name != "lock")
    standbys = {f"{row.site}.{name}" for group in groups for name in group.standby}
    ill = [each for each in around.alarms if each.is_critical and each.node in standbys]
    if ill:
        named = "; ".join(f"{each.type} {each.text}" for each in ill[:ALARMS_TOLD_MAX])
        count = "1 critical alarm" if len(ill) == 1 else f"{len(ill)} critical alarms"
        text = f"{count} where its services would go: {named}"
        yield Blocker("alarms", text, f"`roost alarm list -q site={row.site}`", can_force=True)


def _voters(row: NodeRow, view: FleetView) -> Iterator[Blocker]:
    if row.ha is None or row.name not in row.ha.voters or len(row.ha.voters) <= PAIR:
        return
    voters = row.ha.voters
    known = {name: view.nodes.get(f"{row.site}.{name}") for name in voters}
    left = [  # a voter of the centre's is none of its nodes: it counts as there
        name
        for name, node in known.items()
        if name != row.name and (node is None or node.presence in _HEARD)
    ]
    if 2 * len(left) <= len(voters):
        text = f"{len(left)} of {len(voters)} voters would be left, which is no majority"
        yield Blocker("quorum", text, "bring another voter back first")


def _of_unlock(action: Action, row: NodeRow) -> Iterator[Blocker]:
    if action.name != "unlock":
        return
    config = row.config
    if config.desired_gen and config.applied_gen is not None and config.state != "in-sync":
        text = (
            f"{row.name} has settings of generation {config.applied_gen}, not {config.desired_gen}"
        )
        yield Blocker("config-behind", text, f"`roost node desired {row.node}`", can_force=True)


def _of_delete(action: Action, row: NodeRow) -> Iterator[Blocker]:
    if action.name == "delete" and row.ha is not None and row.ha.voters == [row.name]:
        text = f"{row.name} is the last voter of {row.site}"
        yield Blocker("last-voter", text, f"`roost site delete {row.site}` forgets the site")


def _avail(site: str, name: str, view: FleetView) -> str:
    node = view.nodes.get(f"{site}.{name}")
    return "" if node is None or node.host is None else node.host.triple[2]
