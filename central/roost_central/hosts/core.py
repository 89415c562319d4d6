"""Which word on a site's hosts counts, and what it changed. Pure.

A site's coordinator tells all of its hosts at once. It holds the lease ``site``, whose epoch rises
with each holder: the report of the highest epoch counts, whatever arrives of others after it. What
one node says arrives in its order, so it may take back an epoch of its own: its site's local HA was
turned off, or founded anew. At a site without local HA there is no lease: each node tells of
itself, and their words stand side by side.

Invariants: the epoch of what is kept falls by the word of its own speaker alone; a holder speaks in
its own name, and of one epoch there is one holder; of a host there is one word; each change of a
triple is a Move, once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from roost_protocol.errors import ProtocolError
from roost_protocol.host import HostSaid, HostsReport

ALONE: Final = 0  # the epoch of a node that speaks for itself: its site has no lease

Triple = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class HostsWord:
    """A coordinator's report as it counts.

    Attributes:
        at_ms: when it was said, UTC by the coordinator's clock; ``received_ms``: the centre's.
    """

    site: str
    at_ms: int
    received_ms: int
    report: HostsReport


@dataclass(frozen=True, slots=True)
class HostWord:
    """What a coordinator's report says of one host."""

    said: HostSaid
    epoch: int
    by: str
    at_ms: int
    received_ms: int
    is_mnfa: bool = False
    is_dead_office: bool = False

    @property
    def triple(self) -> Triple:
        """Its administrative, operational and availability state."""
        return triple_of(self.said)


@dataclass(frozen=True, slots=True)
class Move:
    """One transition; ``before`` is None where the host was not spoken of until then."""

    node: str
    before: Triple | None
    after: HostSaid
    epoch: int
    by: str


def take(
    kept: Iterable[HostsWord], report: HostsReport, speaker: str, *, at_ms: int, now_ms: int
) -> tuple[tuple[HostsWord, ...], list[Move]] | None:
    """Return the words that count from now on and what it changed; None: those kept count.

    Args:
        kept: the words that count of the site.
        report: one that was checked.
        speaker: the node id of who sent it.
        at_ms: when it was said, UTC by the speaker's clock.
        now_ms: UTC of the centre.

    Raises:
        ProtocolError: ``by``: it speaks in another's name; ``epoch``: it speaks of others and
            holds no lease.
    """
    site, _, name = speaker.partition(".")
    if report.by != speaker:
        raise ProtocolError("by", field="by", got=report.by, bound=speaker)
    if report.epoch == ALONE and {each.node for each in report.hosts} - {name}:
        raise ProtocolError("epoch", field="epoch", got=0, bound="1 and up, to speak of others")
    words = tuple(kept)
    if not all(_gives_way(word.report, report) for word in words):
        return None
    before = {node: word.triple for node, word in words_of(words).items()}
    moves = [
        Move(node, before.get(node), each, report.epoch, speaker)
        for each in report.hosts
        if before.get(node := f"{site}.{each.node}") != triple_of(each)
    ]
    beside = [word for word in words if _stands_beside(word.report, report)]
    return (*beside, HostsWord(site, at_ms, now_ms, report)), moves


def words_of(words: Iterable[HostsWord]) -> Mapping[str, HostWord]:
    """Return what the reports of a site say of each host, by node id."""
    return {
        f"{word.site}.{each.node}": HostWord(
            said=each,
            epoch=word.report.epoch,
            by=word.report.by,
            at_ms=word.at_ms,
            received_ms=word.received_ms,
            is_mnfa=word.report.is_mnfa,
            is_dead_office=word.report.is_dead_office,
        )
        for word in words
        for each in word.report.hosts
    }


def without(words: Iterable[HostsWord], speaker: str) -> tuple[HostsWord, ...]:
    """Return the words of a site that count once one of its nodes is none any more."""
    return tuple(word for word in words if word.report.by != speaker)


def triple_of(said: HostSaid) -> Triple:
    """Return the state of a host in plain words."""
    return said.admin.value, said.oper.value, said.avail.value


def _gives_way(kept: HostsReport, report: HostsReport) -> bool:
    """Say whether a report may come after one that is kept: a later turn, or the same node's."""
    if report.epoch > kept.epoch or report.by == kept.by:
        return True
    return _stands_beside(kept, report)


def _stands_beside(kept: HostsReport, report: HostsReport) -> bool:
    """Say whether a report leaves one that is kept as it is: each node speaks for itself."""
    return kept.epoch == report.epoch == ALONE and kept.by != report.by
