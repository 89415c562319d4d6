"""Freshness by echo: what a frame proves of its sender, and what it does not.

A peer's frame that echoes my frame k proves that the peer was up at or after t_k, the moment in
which k was sent, read from my own clock. No other clock and no moment of receipt counts: after a
cut of eight seconds one TCP connection brought 45 beats within 10 ms, the oldest ten seconds old.

A node counts all its frames with one ``seq``; the copies of a frame on several paths share it.

Leaves to others: macs (peer), what follows from silence (membership), what is asked (lease).

Invariants (design: ha, section 3 and I9):
- ``alive_as_of`` never passes the time at which the peer really was up, whatever is duplicated,
  reordered, delayed or replayed, by whomever, also over restarts of either side;
- a frame counts once a path, and none of an earlier incarnation counts;
- what is kept is bounded by the number of peers, paths and frames sent.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

import msgspec

from roost_agent.ha.gaps import Gaps
from roost_agent.ha.peer_path import PeerPath, PeerPathState
from roost_protocol.ha import HELD_MS_MAX, Echo, Header
from roost_protocol.sent import SentFrames

FIRST_MASK_BITS: Final = 256  # frames by which a copy on another path may lag and still be known
OVERTAKEN_MAX: Final = 32  # frames: a beat that waits for its connection is overtaken by so many
SELF_ECHO_BEATS: Final = 3  # own frames must come back within so many periods


class DropReason(StrEnum):
    """Why a frame is as good as never sent."""

    UNKNOWN_NODE = "unknown-node"
    WRONG_PATH = "wrong-path"  # it says that it travelled another way
    OLD_INCARNATION = "old-incarnation"
    OTHER_BOOT = "other-boot"  # one incarnation, two boots: its disk forgot
    OVERTAKEN = "overtaken"  # a later one of the same path was here first: it waited on its way
    REPLAYED = "replayed"


class Drop(msgspec.Struct, frozen=True):
    """The frame is dropped; an old incarnation learns of it by the echo in our next frame."""

    reason: DropReason


class Heard(msgspec.Struct, frozen=True):
    """The frame counts.

    Attributes:
        is_fresh: it proves a later moment than all before.
        is_first: no copy of it came on another path.
        is_restarted: the peer's agent has a higher incarnation than before.
        knows_later_me: the peer has heard a higher incarnation of this very node: our disk was
            rolled back (design: ha, section 5.4).
    """

    is_fresh: bool
    is_first: bool
    is_restarted: bool = False
    knows_later_me: bool = False


class SelfEcho(msgspec.Struct, frozen=True):
    """One of our own frames came back: the broker and our own link are well."""


class _Peer:
    """What is known of one peer."""

    __slots__ = (
        "alive_ms",
        "alive_path_ms",
        "boot",
        "firsts",
        "gaps",
        "inc",
        "last_seq",
        "newest_ms",
        "newest_seq",
        "offset_ms",
        "paths",
        "refreshed_ms",
    )

    def __init__(self, h_ms: int, paths: int) -> None:
        self.inc = -1
        self.boot = b""
        self.alive_ms: int | None = None
        self.alive_path_ms: list[int | None] = [None] * paths
        self.paths = [PeerPath(h_ms) for _ in range(paths)]
        self.gaps = Gaps(h_ms)
        self.refreshed_ms: int | None = None
        self.offset_ms: int | None = None  # our clock minus its clock
        self.last_seq = [-1] * paths
        self.newest_seq = -1
        self.newest_ms = 0  # when that one came
        self.firsts = 0  # which of the last frames came, newest in bit 0

    def restart(self, header: Header) -> None:
        """Forget what its earlier incarnation counted; that it was up then stays true."""
        self.inc, self.boot = header.inc, header.boot
        self.last_seq = [-1] * len(self.last_seq)
        self.newest_seq, self.firsts = -1, 0
        self.offset_ms = None  # another boot has another clock

    def first(self, seq: int, now_ms: int) -> bool:
        """Note a frame; return whether no copy of it came before."""
        ahead = seq - self.newest_seq
        if ahead > 0:
            kept = self.firsts << min(ahead, FIRST_MASK_BITS)
            self.firsts = (kept | 1) & ((1 << FIRST_MASK_BITS) - 1)
            self.newest_seq, self.newest_ms = seq, now_ms
            return True
        bit = 1 << -ahead
        is_first = -ahead < FIRST_MASK_BITS and not self.firsts & bit
        self.firsts |= bit & ((1 << FIRST_MASK_BITS) - 1)
        return is_first


class Freshness:
    """What this node knows of the others' freshness.

    Args:
        me: this node's index in the site.
        inc: this start of the agent.
        peers: the other nodes' indices.
        echoes: for each path whether a broker brings our own frames back.
        h_ms: the beat period.
    """

    def __init__(
        self, me: int, inc: int, *, peers: Sequence[int], echoes: Sequence[bool], h_ms: int
    ) -> None:
        self.me = me
        self.inc = inc
        self.h_ms = h_ms
        self.paths = len(echoes)
        self.dropped: dict[str, int] = dict.fromkeys(DropReason, 0)
        self._echoes = tuple(echoes)
        self._peers = {peer: _Peer(h_ms, len(echoes)) for peer in peers}
        self._sent = SentFrames()
        self._back_seq = [0] * len(echoes)  # of the last self-echo

    @property
    def peers(self) -> Sequence[int]:
        """The other nodes."""
        return tuple(self._peers)

    def forget(self, peer: int) -> None:
        """Take whatever a peer says next for its first: another disk counts its starts anew."""
        self._peers[peer].inc = -1

    def sent(self, now_ms: int) -> int:
        """Return the seq of a frame that is about to leave; the clock was read before."""
        return self._sent.next(now_ms)

    def heard(
        self, path: int, header: Header, now_ms: int, *, is_beat: bool = True
    ) -> Drop | Heard | SelfEcho:
        """Take in a frame whose mac was right.

        Args:
            path: the number of the path that brought it.
            header: the frame.
            now_ms: the boot clock.
            is_beat: whether the path's loss is counted by it.
        """
        if header.path != path:
            return self._drop(DropReason.WRONG_PATH)
        if header.node == self.me:
            return self._own(path, header)
        peer = self._peers.get(header.node)
        if peer is None:
            return self._drop(DropReason.UNKNOWN_NODE)
        is_restarted = header.inc > peer.inc >= 0
        if header.inc > peer.inc:
            peer.restart(header)
        if (reason := _refused(peer, path, header)) is not None:
            return self._drop(reason)
        peer.last_seq[path] = header.seq
        is_first = peer.first(header.seq, now_ms)
        is_fresh = self._prove(peer, path, header, now_ms)
        offset_ms = peer.offset_ms
        sent_ms = now_ms if offset_ms is None else min(header.boot_ms + offset_ms, now_ms)
        peer.paths[path].heard(sent_ms, max(header.period_ms, self.h_ms), now_ms)
        if is_beat:
            peer.paths[path].beat(now_ms)
        echo = header.echo.get(self.me)
        is_ahead = echo is not None and echo.inc > self.inc
        return Heard(is_fresh, is_first, is_restarted, is_ahead)

    def alive_as_of(self, peer: int) -> int | None:
        """Return the last moment in which the peer is known to have been up, None for none."""
        return self._peers[peer].alive_ms

    def age_ms(self, peer: int, now_ms: int) -> int | None:
        """Return how old the freshest proof of the peer's life is, over all paths."""
        alive_ms = self._peers[peer].alive_ms
        return None if alive_ms is None else now_ms - alive_ms

    def path_alive_as_of(self, peer: int, path: int) -> int | None:
        """Return the last moment of the peer's life that this path proved, None for none."""
        return self._peers[peer].alive_path_ms[path]

    def path_age_ms(self, peer: int, path: int, now_ms: int) -> int | None:
        """Return how old the freshest proof is that this path brought."""
        alive_ms = self._peers[peer].alive_path_ms[path]
        return None if alive_ms is None else now_ms - alive_ms

    def request_age_ms(self, header: Header, now_ms: int) -> int | None:
        """Return a bound of a frame's age; None if it echoes nothing of this incarnation.

        It was made after the peer had my frame k for ``held_ms``, so not before t_k + held.
        """
        echo = header.echo.get(self.me)
        sent_ms = None if echo is None else self._sent_ms(echo)
        if echo is None or sent_ms is None:
            return None
        return max(0, now_ms - sent_ms - echo.held_ms)

    def gap_ms(self, peer: int, now_ms: int) -> int:
        """Return how long the peer is silent at times without being gone (q99.9, 10 min)."""
        return self._peers[peer].gaps.quantile_ms(now_ms)

    def incarnation(self, peer: int) -> tuple[int, bytes] | None:
        """Return the peer's incarnation and boot id, None before anything was heard."""
        known = self._peers[peer]
        return None if known.inc < 0 else (known.inc, known.boot)

    def echoes(self, now_ms: int) -> dict[int, Echo]:
        """Return what an outgoing frame echoes: each peer's newest frame and how long it is here.

        Also of a peer that is silent for long: by its incarnation an older self learns of it.
        """
        return {
            index: Echo(peer.inc, peer.newest_seq, min(now_ms - peer.newest_ms, HELD_MS_MAX))
            for index, peer in self._peers.items()
            if peer.inc >= 0
        }

    def seen(self, now_ms: int) -> dict[int, int]:
        """Return for each peer the paths on which it is heard, path n in bit n."""
        return {
            index: sum(1 << n for n, path in enumerate(peer.paths) if path.is_heard(now_ms))
            for index, peer in self._peers.items()
        }

    def is_echoing(self, path: int, now_ms: int) -> bool:
        """Whether our own frames come back, so that silence there says something of others.

        Without a broker nothing comes back: there any peer that is heard shows that we hear.
        """
        if not self._echoes[path]:
            return any(peer.paths[path].is_heard(now_ms) for peer in self._peers.values())
        back_ms = self._sent.when(self._back_seq[path])
        return back_ms is not None and now_ms - back_ms <= SELF_ECHO_BEATS * self.h_ms

    def brings_back(self, path: int) -> bool:
        """Whether a broker brings our own frames back on this path."""
        return self._echoes[path]

    def states(self, peer: int, seen_me: int, now_ms: int) -> dict[int, PeerPathState]:
        """Return the state of every path to a peer.

        Args:
            peer: its index.
            seen_me: the paths on which the peer says that it hears us, path n in bit n.
            now_ms: the boot clock.
        """
        return {
            n: path.state(
                now_ms, is_seen=bool(seen_me >> n & 1), is_echoing=self.is_echoing(n, now_ms)
            )
            for n, path in enumerate(self._peers[peer].paths)
        }

    def loss_permille(self, peer: int, path: int, now_ms: int) -> int:
        """Return the loss of a peer's beats on a path."""
        return self._peers[peer].paths[path].loss_permille(now_ms)

    def _own(self, path: int, header: Header) -> Drop | SelfEcho:
        is_mine = header.inc == self.inc and self._sent.when(header.seq) is not None
        if not is_mine or header.seq <= self._back_seq[path]:
            return self._drop(DropReason.REPLAYED)
        self._back_seq[path] = header.seq
        return SelfEcho()

    def _prove(self, peer: _Peer, path: int, header: Header, now_ms: int) -> bool:
        """Take what the frame's echo proves; return whether it proves more than was known."""
        echo = header.echo.get(self.me)
        sent_ms = None if echo is None else self._sent_ms(echo)
        if sent_ms is None or echo is None:
            return False
        known_ms = peer.alive_path_ms[path]
        peer.alive_path_ms[path] = sent_ms if known_ms is None else max(sent_ms, known_ms)
        if now_ms - sent_ms - echo.held_ms <= self.h_ms:  # young enough to read its clock by
            peer.offset_ms = now_ms - header.boot_ms
        if peer.alive_ms is not None and sent_ms <= peer.alive_ms:
            return False
        peer.alive_ms = sent_ms
        if peer.refreshed_ms is not None:
            peer.gaps.add(now_ms - peer.refreshed_ms, now_ms)
        peer.refreshed_ms = now_ms
        return True

    def _sent_ms(self, echo: Echo) -> int | None:
        """Return t_k of an echo of this incarnation; a seq never sent proves nothing."""
        return self._sent.when(echo.seq) if echo.inc == self.inc else None

    def _drop(self, reason: DropReason) -> Drop:
        self.dropped[reason] += 1
        return Drop(reason)


def _refused(peer: _Peer, path: int, header: Header) -> DropReason | None:
    if header.inc < peer.inc:
        return DropReason.OLD_INCARNATION
    if header.boot != peer.boot:
        return DropReason.OTHER_BOOT
    behind = peer.last_seq[path] - header.seq
    if behind < 0:
        return None
    return DropReason.OVERTAKEN if 0 < behind <= OVERTAKEN_MAX else DropReason.REPLAYED
