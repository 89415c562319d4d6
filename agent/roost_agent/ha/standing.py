"""Which conditions of local HA stand now: what the alarm rules are given, once a second. Pure.

Leaves to others: hold-off and clearing (the catalogue's delays), the majority, proof and the voter
(core). A peer that is heard nowhere is no lost network: its groups' redundancy is
lost, and the centre knows that the node is gone.
"""

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from roost_agent.alarm_types import (
    CLEAR_TEXT,
    DAMPED,
    FENCE_UNTESTED,
    FORGED_FRAMES,
    GUARD_UNREADY,
    HA_TYPES,
    PEER_PATH,
    REDUNDANCY_LOST,
    SINGLE_NETWORK,
    VIP_CONFLICT,
    WATCHDOG_UNTESTED,
    WITNESS_SILENT,
)
from roost_agent.alarms.rules import Finding, Round
from roost_protocol.severity import Severity


class PeerFacts(msgspec.Struct, frozen=True):
    """One peer.

    Attributes:
        is_there: it is heard by some path.
        silent: names of the paths by which it is not.
    """

    name: str
    is_there: bool
    silent: tuple[str, ...] = ()


class GroupFacts(msgspec.Struct, frozen=True):
    """One group that this node is active of.

    Attributes:
        standbys: other hosts that could take it, by all that is known here.
        wanted: how many there should be.
        is_ordered: one of them is out by an order.
    """

    name: str
    standbys: int
    wanted: int
    is_ordered: bool = False


class Facts(msgspec.Struct, frozen=True):
    """All that counts.

    Attributes:
        guard: why the guard is not ready, empty when it is or none is needed.
        held_back: group to why it does not move, though it should.
        conflict: the address that another box answers for.
        warnings: of the site's file.
        fences: node to why its fence failed its last test.
        forged: what kinds of frames come that no member made.
        witness: why the one at the centre does not vote, empty when it does or there is none.
        clear_text: why site brokers are spoken to in clear text, empty where they are not.
        untested: why the watchdog behind hard groups is not known to bite, empty where it is.
    """

    peers: tuple[PeerFacts, ...] = ()
    groups: tuple[GroupFacts, ...] = ()
    guard: str = ""
    held_back: Mapping[str, str] = {}
    conflict: str = ""
    warnings: tuple[str, ...] = ()
    fences: Mapping[str, str] = {}
    forged: str = ""
    witness: str = ""
    clear_text: str = ""
    untested: str = ""


def standing(facts: Facts) -> Round:
    """Return what stands; all else of these types is over."""
    return Round(HA_TYPES, tuple(_findings(facts)))


def _findings(facts: Facts) -> Iterator[Finding]:
    for peer in facts.peers:
        if peer.is_there:
            yield from _silent(peer.name, peer.silent)
    for group in facts.groups:
        if group.standbys < group.wanted:
            params = {"have": group.standbys, "want": group.wanted}
            yield Finding(
                REDUNDANCY_LOST, f"group={group.name}", Severity.MAJOR, params,
                is_ordered=group.is_ordered,
            )  # fmt: skip
    for name, why in facts.held_back.items():
        yield Finding(DAMPED, f"group={name}", Severity.MINOR, {"reason": why})
    for name, why in facts.fences.items():
        yield Finding(FENCE_UNTESTED, f"node={name}", Severity.MAJOR, {"reason": why[:200]})
    yield from _of_node(facts)


def _of_node(facts: Facts) -> Iterator[Finding]:
    if facts.guard:
        yield Finding(GUARD_UNREADY, "", Severity.MAJOR, {"reason": facts.guard[:200]})
    if facts.conflict:
        yield Finding(VIP_CONFLICT, "", Severity.MAJOR, {"vip": facts.conflict})
    if facts.forged:
        yield Finding(FORGED_FRAMES, "", Severity.MAJOR, {"reason": facts.forged})
    if facts.witness:
        yield Finding(WITNESS_SILENT, "", Severity.WARNING, {"reason": facts.witness[:200]})
    if facts.clear_text:
        yield Finding(CLEAR_TEXT, "", Severity.WARNING, {"reason": facts.clear_text[:200]})
    if facts.untested:
        yield Finding(WATCHDOG_UNTESTED, "", Severity.WARNING, {"reason": facts.untested[:200]})
    if facts.warnings:
        reason = "; ".join(facts.warnings)
        yield Finding(SINGLE_NETWORK, "", Severity.WARNING, {"reason": reason[:200]})


def _silent(peer: str, paths: Iterable[str]) -> Iterator[Finding]:
    for path in paths:
        yield Finding(PEER_PATH, f"peer={peer},path={path}", Severity.MAJOR)
