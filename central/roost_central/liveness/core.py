"""Decides presence, path states and site status from beats, wills and silence. Pure.

Nothing scans the fleet but the return of a broker and the end of a quiet time: each node has one
deadline in a heap, looked at when it comes and moved on when the node was heard in between, so a
beat costs no heap operation.

Invariants: a beat older than what was seen (incarnation, n) changes nothing; a node is unreachable
only by silence that we could have heard; each change is said once.
"""

import heapq
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from roost_central.liveness.facts import (
    Action,
    AgentRestarted,
    BeatIgnored,
    BeatSeen,
    BrokerDown,
    BrokerUp,
    CanarySeen,
    CloneChanged,
    CloneSeen,
    Event,
    GoneSeen,
    Limits,
    LossChanged,
    NodeAdded,
    NodeRemoved,
    PathChanged,
    PathRemoved,
    PresenceChanged,
    Rebooted,
    Resumed,
    SiteChanged,
    SiteSaid,
    Tick,
)
from roost_central.liveness.mass import Mass
from roost_central.liveness.node import NEVER, Node
from roost_central.liveness.path import Path
from roost_central.liveness.quiet import Quiet
from roost_central.liveness.silence import Silence
from roost_central.liveness.status import Site
from roost_central.liveness.turns import Start
from roost_protocol.topics import NodeId, SiteId

DEFAULT_LIMITS: Final = Limits()

_Handler = Callable[[Any, int], list[Action]]


class Liveness:
    """All nodes and sites.

    Args:
        brokers: names of the brokers we ought to hear; all down at first.
        now_ms: start of listening, by the monotonic clock that every later call uses.
        limits: when silence means something.
    """

    def __init__(
        self, brokers: frozenset[str], now_ms: int, *, limits: Limits = DEFAULT_LIMITS
    ) -> None:
        self._limits = limits
        self._mass = Mass(limits)
        self._quiet = Quiet(limits, brokers, now_ms, self._mass)
        self._silence = Silence(limits, self._quiet)
        self._nodes: dict[NodeId, Node] = {}
        self._sites: dict[SiteId, Site] = {}
        self._heard_sites = 0  # ever
        self._heap: list[tuple[int, int, NodeId | None, SiteId]] = []
        self._pushed = 0
        self._handlers: dict[type, _Handler] = {
            BeatSeen: self._on_beat,
            GoneSeen: self._on_gone,
            Tick: self._on_tick,
            NodeAdded: self._on_added,
            NodeRemoved: self._on_removed,
            BrokerUp: self._on_broker_up,
            BrokerDown: self._on_broker_down,
            CanarySeen: self._on_canary,
            Resumed: self._on_resumed,
            SiteSaid: self._on_said,
        }

    @property
    def is_deaf(self) -> bool:
        """Whether nothing comes through any broker."""
        return self._quiet.is_deaf

    @property
    def is_quiet(self) -> bool:
        """Whether we suspect ourselves."""
        return self._quiet.is_on

    def measured(self, node: NodeId, path: str) -> tuple[str, int]:
        """Return the state of a path of a node, and its loss of beats in permille."""
        known = self._nodes[node].paths[path]
        return known.state, known.loss_permille

    def starts(self, node: NodeId) -> list[Start]:
        """Return the starts of a node's agent that were heard lately, of each box that speaks."""
        known = self._nodes.get(node)
        return [] if known is None else [*known.turns.said_ms]

    def handle(self, event: Event, now_ms: int) -> list[Action]:
        """Take in one event; return what follows, in order."""
        return self._handlers[type(event)](event, now_ms)

    # -- who is there ----------------------------------------------------------------------

    def _on_added(self, event: NodeAdded, now_ms: int) -> list[Action]:
        if event.node in self._nodes:
            return []
        node = Node(
            node=event.node,
            site=event.site,
            interval_ms=self._interval(event.interval_ms or self._limits.interval_ms),
            added_ms=now_ms,
            was_heard=event.was_heard,
            boot_id=event.boot_id,
            incarnation=NEVER if event.incarnation is None else event.incarnation,
            known_s=event.uptime_s or 0,
        )
        if event.sent_ms is not None:
            node.turns.forgotten_ms = event.sent_ms  # what was said before is an echo
        self._nodes[event.node] = node
        self._sites.setdefault(event.site, Site(event.site)).nodes[event.node] = None
        if node.was_heard:
            self._count_heard(node.site)
            self._schedule(node, self._silence.next_ms(node, now_ms))
        return []

    def _on_removed(self, event: NodeRemoved, now_ms: int) -> list[Action]:
        node = self._nodes.pop(event.node, None)
        if node is None:
            return []
        site = self._sites[node.site]
        del site.nodes[event.node]
        if not site.nodes:
            self._mass.spoke(node.site)
            self._heard_sites -= site.was_heard
            del self._sites[node.site]
        return self._review_site(node.site, now_ms)

    def _on_said(self, event: SiteSaid, now_ms: int) -> list[Action]:
        state = self._sites.get(event.site)
        if state is None:
            return []
        state.said, state.excused = event.word, event.excused
        return self._review_site(event.site, now_ms)

    def _on_broker_up(self, event: BrokerUp, now_ms: int) -> list[Action]:
        if self._quiet.broker_up(event.broker, now_ms):
            self._reschedule(now_ms)
        return self._review_quiet(now_ms)

    def _on_broker_down(self, event: BrokerDown, now_ms: int) -> list[Action]:
        self._quiet.broker_down(event.broker)
        return self._review_quiet(now_ms)

    def _on_canary(self, event: CanarySeen, now_ms: int) -> list[Action]:
        if self._quiet.canary(event.broker, now_ms, is_well=event.is_well):
            self._reschedule(now_ms)
        return self._review_quiet(now_ms)

    def _on_resumed(self, _event: Resumed, now_ms: int) -> list[Action]:
        self._quiet.hearing_since_ms = now_ms  # what was said meanwhile is still on its way to us
        self._reschedule(now_ms)
        return []

    # -- beats -----------------------------------------------------------------------------

    def _on_beat(self, event: BeatSeen, now_ms: int) -> list[Action]:
        beat = event.beat
        node = self._nodes[event.node]
        node.speaks_as(event.generation, beat)
        turns, interval_ms = node.turns, node.interval_ms
        start = (beat.boot_id, beat.incarnation)
        actions = _clones(node, turns.hear(start, now_ms, interval_ms, beat.sent_ms), now_ms)
        if not node.is_news(beat):
            return [BeatIgnored(node.node, "stale"), *actions]
        via = node.paths.get(beat.path)
        if via is None:
            via = node.paths[beat.path] = Path(beat.path, now_ms)
        since_ms = self._silence.hearing_since_ms(node)
        old_news = via.arrive(
            beat.n, beat.incarnation, now_ms, beat.sent_ms, hearing_since_ms=since_ms
        )
        if old_news == "fork":
            actions += _clones(node, turns.fork(now_ms, interval_ms), now_ms)
        if old_news is not None:
            return [BeatIgnored(node.node, old_news), *actions]
        new_start = node.meet(beat)
        if new_start == "reboot":
            actions.append(Rebooted(node.node))
        elif new_start == "restart":
            actions.append(AgentRestarted(node.node))
        if new_start is not None or (node.presence == "unreachable" and not node.beats_back):
            node.back_ms = now_ms
        node.sent_ms = beat.sent_ms
        node.interval_ms = self._interval(beat.interval_ms)
        removed = node.take_paths(beat.paths, now_ms)
        for path in removed:
            actions.append(PathRemoved(node.node, path))
        self._judge_paths(node, now_ms, actions)
        actions += _losses(node, via)
        self._hear(node, now_ms, actions, starts_anew=new_start is not None)
        return self._with_site(node, actions, now_ms)

    def _hear(self, node: Node, now_ms: int, actions: list[Action], *, starts_anew: bool) -> None:
        """End a silence: back from the dark takes two beats, or a new start."""
        node.heard_ms = now_ms
        if not node.was_heard:
            node.was_heard = True
            self._count_heard(node.site)
        if node.is_suspect:
            node.is_suspect = False
            self._mass.spoke(node.site)
            others = [each for each in self._nodes_of(node.site) if each is not node]
            actions.extend(self._tell_late(others, now_ms))
        due_ms = now_ms + node.part(self._limits.suspect_permille)
        if node.due_ms is None or due_ms < node.due_ms:
            self._schedule(node, due_ms)
        if node.presence == "unreachable":
            node.beats_back += 1
            if node.beats_back < self._limits.beats_back and not starts_anew:
                return
        self._set_presence(node, node.heard_presence, actions)

    def _judge_paths(self, node: Node, now_ms: int, actions: list[Action]) -> None:
        silence_ms = self._silence.path_ms(node)
        hearing_since_ms = self._silence.hearing_since_ms(node)
        for path in node.paths.values():
            state = path.judge(now_ms, silence_ms, hearing_since_ms)
            if state != path.state:
                announce = path.tells(state, is_quiet=self._quiet.is_on)
                actions.append(PathChanged(node.node, path.name, path.state, state, announce))
                path.state = state

    def _set_presence(
        self, node: Node, presence: str, actions: list[Action], *, silent_ms: int = 0
    ) -> None:
        old, node.presence = node.presence, presence
        if presence == old:
            return
        announce = False
        if presence == "unreachable":
            node.announced = announce = self._is_worth_telling(node)
        elif old == "unreachable":
            announce = node.announced
        actions.append(PresenceChanged(node.node, old, presence, silent_ms, announce))

    # -- silence ---------------------------------------------------------------------------

    def _on_gone(self, event: GoneSeen, now_ms: int) -> list[Action]:
        node = self._nodes[event.node]
        path = node.paths.get(event.path)
        if path is None or event.incarnation < node.incarnation or node.heard_ms is None:
            return []
        path.gone_ms = now_ms
        return self._examine(node, now_ms)

    def _on_tick(self, _event: Tick, now_ms: int) -> list[Action]:
        actions = self._review_quiet(now_ms)
        while self._heap and self._heap[0][0] <= now_ms:
            due_ms, _, node_id, site_id = heapq.heappop(self._heap)
            if node_id is None:
                actions.extend(self._review_site(site_id, now_ms))
                continue
            node = self._nodes.get(node_id)
            if node is not None and node.due_ms == due_ms:
                node.due_ms = None
                actions.extend(self._examine(node, now_ms))
        actions.extend(self._review_quiet(now_ms))
        return [*actions, *self._tell_doubted(now_ms)] if self._mass.is_over() else actions

    def _tell_doubted(self, now_ms: int) -> list[Action]:
        """Tell what was kept back while we suspected ourselves; a site hides its nodes."""
        told = [each for site in list(self._sites) for each in self._review_site(site, now_ms)]
        return sorted(told, key=lambda each: not isinstance(each, SiteChanged))

    def _examine(self, node: Node, now_ms: int) -> list[Action]:
        """Look at one node's silence, and set its next deadline."""
        actions: list[Action] = []
        if not node.is_suspect and now_ms >= self._silence.suspect_ms(node):
            node.is_suspect = True
            self._note_silence(node, now_ms)
            actions.extend(self._review_quiet(now_ms))
        if now_ms >= self._silence.dark_ms(node):
            self._darken(node, now_ms, actions)
            return self._with_site(node, actions, now_ms)
        if node.presence in {"online", "degraded"} and not node.is_suspect:
            self._judge_paths(node, now_ms, actions)  # some paths are silent, not the node
            self._set_presence(node, node.heard_presence, actions)
        self._schedule(node, self._silence.next_ms(node, now_ms))
        return self._with_site(node, actions, now_ms)

    def _note_silence(self, node: Node, now_ms: int) -> None:
        """Count the site among the newly silent, if this node was the last of it to be heard."""
        nodes = self._nodes_of(node.site)
        is_silent = all(other.is_suspect or not other.was_heard for other in nodes)
        if is_silent and any(other.presence != "unreachable" for other in nodes if other.was_heard):
            self._mass.fell_silent(node.site, node.interval_ms, now_ms)

    def _darken(self, node: Node, now_ms: int, actions: list[Action]) -> None:
        """Nobody heard it for too long; deaf, we cannot say that it is gone."""
        node.beats_back = 0
        presence = "unknown" if self._quiet.is_deaf else "unreachable"
        silent_ms = now_ms - self._silence.since_ms(node)
        self._set_presence(node, presence, actions, silent_ms=silent_ms)
        for path in node.paths.values():
            old, path.state = path.state, "unknown"
            if old != "unknown":
                actions.append(PathChanged(node.node, path.name, old, "unknown", announce=False))

    def _review_quiet(self, now_ms: int) -> list[Action]:
        changes = self._quiet.review(self._heard_sites, now_ms)
        if any(not change.on for change in changes):
            self._reschedule(now_ms)
        return [*changes]

    # -- sites and deadlines ---------------------------------------------------------------

    def _with_site(self, node: Node, actions: list[Action], now_ms: int) -> list[Action]:
        """Add what follows for the site; before what it explains, which its nodes have in common.

        Whoever hears of the site first does not take each of its nodes for a case of its own.
        """
        if not actions:
            return actions
        changes = self._review_site(node.site, now_ms)
        is_dark = any(isinstance(each, SiteChanged) and each.new == "unknown" for each in changes)
        return [*changes, *actions] if is_dark else [*actions, *changes]

    def _review_site(self, site: SiteId, now_ms: int) -> list[Action]:
        state = self._sites.get(site)
        if state is None:
            return []
        nodes = self._nodes_of(site)
        doubted = self._quiet.is_deaf or self._mass.is_doubting
        changes, again_ms = state.review(
            {node.node: node.presence for node in nodes},
            now_ms,
            self._limits.site_hold_ms,
            announce=not doubted,
        )
        if not doubted and {n.presence for n in nodes if n.was_heard} == {"unreachable"}:
            changes += state.told_late()
        if self._mass.is_one_of_many(site):
            changes = [replace(change, is_one_of_many=True) for change in changes]
        if again_ms is not None:
            self._push(again_ms, None, site)
        return [*changes, *self._tell_late(nodes, now_ms)]

    def _tell_late(self, nodes: list[Node], now_ms: int) -> list[Action]:
        """Tell the dark nodes of a site that nothing was said of until the site was judged."""
        actions: list[Action] = []
        for node in nodes:
            if node.presence != "unreachable" or node.announced:
                continue
            node.announced = self._is_worth_telling(node)
            if node.announced:
                silent_ms = now_ms - self._silence.since_ms(node)
                actions.append(PresenceChanged(node.node, node.presence, node.presence, silent_ms))
        return actions

    def _is_worth_telling(self, node: Node) -> bool:
        """Return whether a dark node is told: once its site is heard, or is dark with all of it.

        Until then it is not known whether it is alone.
        """
        if self._quiet.is_deaf or self._mass.is_doubting:
            return False
        if not self._mass.is_silent(node.site):
            return True
        others = self._nodes_of(node.site)
        return all(other.presence == "unreachable" for other in others if other.was_heard)

    def _nodes_of(self, site: SiteId) -> list[Node]:
        return [self._nodes[node] for node in self._sites[site].nodes]

    def _count_heard(self, site: SiteId) -> None:
        state = self._sites[site]
        self._heard_sites += not state.was_heard
        state.was_heard = True

    def _reschedule(self, now_ms: int) -> None:
        """Look again at every node that may be dark: what silence means has changed."""
        for node in self._nodes.values():
            if node.was_heard and node.presence != "unreachable":
                self._schedule(node, self._silence.next_ms(node, now_ms))

    def _schedule(self, node: Node, due_ms: int) -> None:
        node.due_ms = due_ms
        self._push(due_ms, node.node, node.site)

    def _push(self, due_ms: int, node: NodeId | None, site: SiteId) -> None:
        self._pushed += 1  # breaks ties, so that equal deadlines keep their order
        heapq.heappush(self._heap, (due_ms, self._pushed, node, site))

    def _interval(self, claimed_ms: int) -> int:
        return min(max(claimed_ms, self._limits.interval_ms_min), self._limits.interval_ms_max)


def _losses(node: Node, via: Path) -> list[Action]:
    """Return what follows of the beats that went missing before one that came."""
    was_lossy = bool(via.loss.is_lossy)
    lost = via.loss.judge()
    if lost is None:
        return []
    is_lossy = bool(via.loss.is_lossy)
    return [LossChanged(node.node, via.name, lost, is_lossy, announce=is_lossy or was_lossy)]


def _clones(node: Node, is_news: bool | None, now_ms: int) -> list[Action]:
    """Return what follows for a node that two boxes seem to be, or seemed to be."""
    actions: list[Action] = [] if is_news is None else [CloneChanged(node.node, is_news)]
    if node.turns.is_suspected and node.turns.turned_ms == now_ms:
        actions.append(CloneSeen(node.node))
    return actions
