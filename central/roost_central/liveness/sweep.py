"""Drives the liveness core: gives it the time, shows its decisions in the view, tells of them.

Leaves storage to the caller of ``tell``. Presence lives in memory and is written in batches.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from roost_central.alarms.facts import Event as AlarmEvent
from roost_central.fleet.view import Changes, FleetView, NodeRow
from roost_central.liveness.core import DEFAULT_LIMITS, Liveness
from roost_central.liveness.facts import (
    Action,
    BeatIgnored,
    BeatSeen,
    BrokerDown,
    BrokerUp,
    CanarySeen,
    CloneSeen,
    Event,
    GoneSeen,
    Limits,
    NodeAdded,
    NodeRemoved,
    PathChanged,
    PathRemoved,
    PresenceChanged,
    QuietChanged,
    Resumed,
    SiteChanged,
    SiteSaid,
    Tick,
)
from roost_central.liveness.signals import (
    broker_signal,
    muted,
    signals_of,
    signals_of_site,
)
from roost_central.liveness.standing import standing_of
from roost_central.liveness.turns import Start
from roost_central.liveness.words import broker_event, canary_event, event_of
from roost_central.ports import Clock
from roost_central.storage.events import NewEvent
from roost_protocol.beat import Beat
from roost_protocol.topics import NodeId, SiteId

logger = logging.getLogger(__name__)

TICK_S: Final = 0.25  # how late a silence may be noticed
TWO_SPEAK: Final = "two boxes speak in its name by turns, or use one number twice"
PAUSE_MS: Final = 5_000  # between two ticks: we were stopped or starved, not the fleet silent


class Sweep:
    """The shell of the liveness core.

    Args:
        brokers: names of the brokers that ought to be heard.
        view: shows presence, path states and site status.
        clock: monotonic for silence, UTC for what is shown.
        tell: takes the events of the log.
        signal: takes what it means for the alarms.
        suspect: takes which node two boxes seem to be, and why.
        limits: when silence means something.
    """

    def __init__(  # noqa: PLR0913 - a shell joins what others are
        self,
        brokers: frozenset[str],
        view: FleetView,
        *,
        clock: Clock,
        tell: Callable[[NewEvent], None],
        signal: Callable[[AlarmEvent], None],
        suspect: Callable[[str, str], None] | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._core = Liveness(brokers, clock.mono_ms(), limits=limits)
        self._view = view
        self._clock = clock
        self._tell = tell
        self._signal = signal
        self._suspect = suspect
        self._known: dict[str, None] = {}
        self._was_up: set[str] = set()
        self._left_alone: set[str] = set()
        self._said: dict[str, SiteSaid] = {}  # by sites of themselves, where not all is well
        self._ticked_ms: int | None = None  # None until the first tick
        for node in view.nodes.values():
            self.enter(node)

    @property
    def is_deaf(self) -> bool:
        """Whether nothing comes through any broker."""
        return self._core.is_deaf

    @property
    def is_quiet(self) -> bool:
        """Whether we suspect ourselves rather than the fleet."""
        return self._core.is_quiet

    def enter(self, row: NodeRow) -> None:
        """Begin to watch a node of the view; nothing where it is watched."""
        if row.node in self._known:
            return
        self._known[row.node] = None
        self._handle(
            NodeAdded(
                NodeId(row.node),
                SiteId(row.site),
                interval_ms=row.interval_ms,
                boot_id=bytes.fromhex(row.boot_id) if row.boot_id else None,
                incarnation=row.incarnation,
                was_heard=row.heard_ms is not None,
                sent_ms=row.sent_ms,
                uptime_s=row.uptime_s,
            )
        )

    def hear(self, node: NodeId, beat: Beat, generation: int = 0) -> str | None:
        """Take in a beat of a watched node; return why it is no news, None when it is."""
        actions = self._core.handle(BeatSeen(node, beat, generation), self._now_ms())
        if not actions:
            return None
        first = actions[0]
        if isinstance(first, BeatIgnored):
            self._show(actions[1:])
            return first.why
        self._show(actions)
        return None

    def measured(self, node: NodeId, path: str) -> tuple[str, int]:
        """Return the state of a path of a watched node, and its loss of beats in permille."""
        return self._core.measured(node, path)

    def meet_path(self, node: NodeId, path: str) -> None:
        """Tell what a path means for the alarms that was judged before the view showed it."""
        state, _ = self._core.measured(node, path)
        met = PathChanged(node, path, "unknown", state, announce=False)
        self._signal_all(signals_of(met, self._view, self._clock.wall_ms()))

    def forget_path(self, node: NodeId, path: str) -> None:
        """Forget a path that is shown since before this process, and that its node has no more."""
        self._show([PathRemoved(node, path)])

    def starts(self, node: NodeId) -> list[Start]:
        """Return the starts of a node's agent that were heard lately, of each box that speaks."""
        return self._core.starts(node)

    def gone(self, node: NodeId, path: str, incarnation: int) -> None:
        """Take in the will of a path of a watched node."""
        self._handle(GoneSeen(node, path, incarnation))

    def broker_up(self, broker: str) -> None:
        """Note that a broker is heard; its first time is no event."""
        if broker in self._was_up:
            self._tell(broker_event(broker, is_up=True, now_ms=self._clock.wall_ms()))
        self._was_up.add(broker)
        self._signal(broker_signal(broker, is_up=True))
        self._handle(BrokerUp(broker))

    def broker_down(self, broker: str) -> None:
        """Note that a broker is lost."""
        self._tell(broker_event(broker, is_up=False, now_ms=self._clock.wall_ms()))
        self._signal(broker_signal(broker, is_up=False))
        self._handle(BrokerDown(broker))

    def canary(self, broker: str, *, is_well: bool) -> None:
        """Note that our own messages through a broker come back again, or do not."""
        self._tell(canary_event(broker, is_well=is_well, now_ms=self._clock.wall_ms()))
        self._signal(broker_signal(broker, is_up=is_well))
        self._handle(CanarySeen(broker, is_well))

    async def run(self) -> None:
        """Look for silences until cancelled."""
        with self._view.listen() as changes:
            while True:
                await asyncio.sleep(TICK_S)
                self.tick(changes)

    def tick(self, changes: Changes) -> None:
        """Follow the view's nodes and let time pass."""
        news = changes.drain()
        if news.structure:
            self._follow_view()
        self._follow_lifecycle(news)
        self._follow_words(news)
        self._handle(Tick())
        self._ticked_ms = self._clock.mono_ms()

    def _now_ms(self) -> int:
        """Return the time, after telling the core of a pause since the last tick."""
        now_ms = self._clock.mono_ms()
        if self._ticked_ms is not None and now_ms - self._ticked_ms > PAUSE_MS:
            logger.warning(
                "no time passed here for %d ms; silences count from now", now_ms - self._ticked_ms
            )
            self._ticked_ms = now_ms
            self._core.handle(Resumed(), now_ms)
        return now_ms

    def _follow_lifecycle(self, news: Changes) -> None:
        """Tell the alarms of sites that are managed now, or are not any more.

        At first of all that are not: the centre may have ended before it told.
        """
        for site in news.sites if self._ticked_ms is not None else list(self._view.sites):
            row = self._view.sites.get(site)
            if row is None or row.managed is (site not in self._left_alone):
                continue
            (self._left_alone.discard if row.managed else self._left_alone.add)(site)
            for signal in signals_of_site(row, self._view, self._clock.wall_ms()):
                self._signal(signal)

    def _follow_words(self, news: Changes) -> None:
        """Take in what sites say of themselves; at first all of them."""
        sites = dict.fromkeys((*news.sites, *(node.partition(".")[0] for node in news.nodes)))
        for site in sites if self._ticked_ms is not None else list(self._view.sites):
            row = self._view.sites.get(site)
            if row is None:
                self._said.pop(site, None)
                continue
            said = standing_of(row, self._view, self._clock.wall_ms())
            if said == self._said.get(site, SiteSaid(said.site, "ok")):
                continue
            self._said[site] = said
            self._handle(said)

    def _follow_view(self) -> None:
        for row in self._view.nodes.values():
            self.enter(row)
        for node in [node for node in self._known if node not in self._view.nodes]:
            del self._known[node]
            self._handle(NodeRemoved(NodeId(node)))

    def _handle(self, event: Event) -> None:
        actions = self._core.handle(event, self._now_ms())
        if actions:
            self._show(actions)

    def _show(self, actions: list[Action]) -> None:
        now_ms = self._clock.wall_ms()
        for action in actions:
            if isinstance(action, CloneSeen) and self._suspect is not None:
                self._suspect(action.node, TWO_SPEAK)
            site = self._apply(action, now_ms)
            self._signal_all(signals_of(action, self._view, now_ms))
            event = event_of(action, site=site, now_ms=now_ms)
            if event is not None:
                self._tell(event)
                logger.info("%s: %s", event.node or event.site or "fleet", event.text)

    def _signal_all(self, signals: list[AlarmEvent]) -> None:
        for signal in signals:
            if not muted(signal, self._view):
                self._signal(signal)

    def _apply(self, action: Action, now_ms: int) -> str | None:
        """Change the view; return the site that the action is about."""
        match action:
            case QuietChanged():
                return None
            case SiteChanged(site=site):
                row = self._view.sites.get(site)
                if row is not None and action.new != action.old:
                    row.status, row.status_since_ms = action.new, now_ms
                    self._view.touch_site(site)
                return site
            case _:
                node = self._view.nodes.get(action.node)
                if node is not None:
                    _show_node(node, action, now_ms)
                    self._view.touch_node(node.node)
                return action.node.partition(".")[0]


def _show_node(row: NodeRow, action: Action, now_ms: int) -> None:
    match action:
        case PresenceChanged() if action.new != action.old:
            row.presence, row.presence_since_ms = action.new, now_ms
        case PathChanged() if action.path in row.paths:
            row.paths[action.path].state = action.new
        case PathRemoved():
            row.paths.pop(action.path, None)
        case _:
            pass
