"""The witness at the centre as one node knows it: whether it would vote, and whether it shall.

A pair with a witness has three voters while the witness answers, and is a sticky pair while it does
not; one node whose peer is long gone votes alone in the end, so that a WAN that goes after it
stops nothing (design: ha, 6). All of these are ordinary changes of the voters, wanted by the holder
of the built-in lease and decided as any other.

Leaves to others: how voters change (the proposer, the voters), how frames travel.

Invariants:
- no answer counts but one to this node's last question, and that from when it was sent;
- nothing is wanted while the one who would have to accept it is not there.
"""

from collections.abc import Mapping
from typing import Final

from roost_agent.ha.config import HaConfig
from roost_agent.ha.freshness import Freshness
from roost_agent.ha.proposer_events import Wanted
from roost_agent.ha.start import Who
from roost_protocol.configuration import SITE_LEASE, WITNESS, Configuration
from roost_protocol.electorate import Electorate
from roost_protocol.enlistment import Enlistment
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.voter_events import Send
from roost_protocol.voter_rules import STALE

NONCES_FROM: Final = 1 << 40  # no round of a lease has so high a number
PAIR: Final = 2
SILENT: Final = "it does not answer"


class Witness:
    """See the module.

    Args:
        who: this start.
        config: of the site.
        watchdogs: by lease, in ms.
        now_ms: CLOCK_BOOTTIME.

    Attributes:
        fresh: numbers the frames to it, and knows what to echo.
        why: why it would not vote, as it said last; empty: it would.
    """

    def __init__(
        self, who: Who, config: HaConfig, watchdogs: Mapping[str, int], now_ms: int
    ) -> None:
        h_ms = config.timing.beat_ms
        self.fresh = Freshness(who.node, who.inc, peers=[WITNESS], echoes=[False], h_ms=h_ms)
        self.why = SILENT
        self._who = who
        self._limits = config.wan_witness
        self._h_ms = h_ms
        self._pair = config.voter_indices()
        self._enlistment = _enlistment(config, watchdogs)
        self._count = NONCES_FROM
        self._asked: tuple[int, int] | None = None  # number of the last question, and when
        self._probe_ms = now_ms
        self._answered_ms: int | None = None  # when what it answered last was asked
        self._since_ms = now_ms  # without a break since
        self._hears: dict[int, int] = {}  # node -> when it heard of it last

    @property
    def due_ms(self) -> int:
        """When it is to be asked next."""
        return self._probe_ms

    def is_there(self, now_ms: int) -> bool:
        """Whether it said of late that it would vote."""
        answered_ms = self._answered_ms
        return answered_ms is not None and now_ms - answered_ms <= self._limits.gone_ms

    def silent_ms(self, now_ms: int) -> int | None:
        """Return how long ago it was asked what it answered last, None before it did."""
        return None if self._answered_ms is None else now_ms - self._answered_ms

    def probe(self, voter_id: bytes, now_ms: int) -> list[Send]:
        """Return the question whether it is there, where one is due."""
        if now_ms < self._probe_ms:
            return []
        if not self.is_there(now_ms) and self._answered_ms is not None:
            self.why = SILENT
        self._probe_ms = now_ms + self._limits.probe_ms
        self._count += 1
        self._asked = (self._count, now_ms)
        nonce = Nonce(voter_id, self._who.inc, self._count)
        return [
            Send(
                WITNESS, Kind.ENLIST, SITE_LEASE, 0, nonce, self._who.node, self._who.boot,
                enlistment=self._enlistment,
            )
        ]  # fmt: skip

    def heard(self, frame: LeaseFrame, now_ms: int) -> bool:
        """Take in a frame of the witness; False where it is for a voter or a lease."""
        for node, echo in frame.echo.items():
            self._hears[node] = max(now_ms - echo.held_ms, self._hears.get(node, 0))
        if frame.nonce.counter <= NONCES_FROM:
            return False
        told = (frame.nonce.inc, frame.nonce.counter)
        if self._asked is None or told != (self._who.inc, self._asked[0]):
            return True
        if frame.kind is Kind.GRANT:
            if not self.is_there(now_ms):
                self._since_ms = self._asked[1]
            self._answered_ms, self.why = self._asked[1], ""
        else:
            self.why = frame.reason
            if frame.reason == STALE:  # it started since: with this frame of it we can ask again
                self._probe_ms = min(self._probe_ms, now_ms + self._h_ms)
        return True

    # -- who shall vote ------------------------------------------------------------------------

    def wanted(
        self, electorate: Electorate, absent: Mapping[int, int], now_ms: int
    ) -> Wanted | None:
        """Return the change that the holder of the built-in lease wants now.

        Args:
            electorate: the present one.
            absent: nodes that are not there, and since when.
            now_ms: CLOCK_BOOTTIME.
        """
        local = electorate.local
        if len(local) > PAIR:
            is_surplus = electorate.has_witness
            return _without_witness("three nodes vote without it") if is_surplus else None
        if len(local) < PAIR:
            return self._wanted_alone(electorate, absent)
        if electorate.has_witness:
            return self._wanted_of_three(local, absent, now_ms)
        is_whole = not any(node in absent or self._is_silent_there(node, now_ms) for node in local)
        is_steady = self.is_there(now_ms) and now_ms - self._since_ms >= self._limits.back_ms
        if is_whole and is_steady:
            return Wanted(WITNESS, is_added=True, why="the witness answers")
        return None

    def _wanted_of_three(
        self, local: tuple[int, ...], absent: Mapping[int, int], now_ms: int
    ) -> Wanted | None:
        gone = [node for node in local if node in absent]
        if not gone:
            is_there = self.is_there(now_ms)
            return None if is_there else _without_witness("the witness does not answer")
        (node, *_) = gone
        is_long = now_ms - absent[node] >= self._limits.lost_ms
        if is_long and self.is_there(now_ms) and self._is_silent_there(node, now_ms):
            return Wanted(node, is_added=False, why="neither this node nor the witness hears it")
        return None

    def _wanted_alone(self, electorate: Electorate, absent: Mapping[int, int]) -> Wanted | None:
        """Go from one node and the witness to one alone; let its peer vote once it is there."""
        back = [node for node in self._pair if node not in {*electorate.voters, *absent}]
        if back:
            return Wanted(back[0], is_added=True, why="it is there again")
        if electorate.has_witness:
            return _without_witness("a WAN that goes must stop nothing")
        return None

    def _is_silent_there(self, node: int, now_ms: int) -> bool:
        """Whether the witness has not heard a node for as long as would count as gone."""
        return now_ms - self._hears.get(node, self._since_ms) >= self._limits.gone_ms


def _without_witness(why: str) -> Wanted:
    return Wanted(WITNESS, is_added=False, why=why)


def _enlistment(config: HaConfig, watchdogs: Mapping[str, int]) -> Enlistment:
    timing = config.timing
    return Enlistment(
        Configuration(config.cfgver, config.voter_indices(), config.is_sticky),
        tuple(sorted(node.index for node in config.nodes)),
        timing.lease_ms,
        timing.margin_ms,
        timing.rate_bp,
        timing.age_ms_max,
        dict(watchdogs),
    )
