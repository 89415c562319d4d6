"""Decisions of local HA on their way to the centre: each an event, within bounds. Pure.

A decision is a sentence with its evidence. A change of role has a type of its own, so that a
history of who was active when needs no reading of sentences.

Leaves to others: the outbox (upward), the ring that ``roost-agent ha explain`` shows (runtime).

Invariants:
- of decisions as many go on as BURST and PACE_MS allow; what is left out is counted, and told by
  the next one that goes on;
- what a lease of this node decides, and with it a change of role, has an allowance of its own, and
  never waits behind what is seen of peers and paths.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from roost_protocol.alarm import Event, Scalar
from roost_protocol.catalogue import cut
from roost_protocol.codec import VERSION, encode
from roost_protocol.explain import Explain
from roost_protocol.ha_report import HA_DECISION, HA_ROLE, HaRole
from roost_protocol.limits import PARAMS_BYTES_MAX, PARAMS_MAX
from roost_protocol.severity import Severity

BURST: Final = 200  # decisions at once: a site of ten nodes that starts, or loses a network
PACE_MS: Final = 10_000  # one more for each: a path that flaps all day must not fill the outbox
WAITING_MAX: Final = 256  # that wait for the outbox
REASON_MAX: Final = 4  # decisions back, among which is the reason of a change of role

_NODE: Final = re.compile(r"\bnode ([0-9]{1,2})\b")

Roles = Mapping[str, tuple[HaRole, int]]  # group -> what this node is for it, of which epoch


class Told(msgspec.Struct, frozen=True):
    """One event, and when it was by the node's clock."""

    at_ms: int
    event: Event


class Allowance:
    """So many at once, and one more for each PACE_MS.

    Args:
        now_ms: the boot clock.
    """

    __slots__ = ("_full_ms",)

    def __init__(self, now_ms: int) -> None:
        self._full_ms = now_ms  # when it will be whole again

    def take(self, now_ms: int) -> bool:
        """Return whether one more may go now."""
        full_ms = max(self._full_ms, now_ms) + PACE_MS
        if full_ms - now_ms > BURST * PACE_MS:
            return False
        self._full_ms = full_ms
        return True


class Decisions:
    """What one node decided and has not handed to its outbox.

    Args:
        me: this node's name.
        now_ms: the boot clock.
    """

    def __init__(self, me: str, now_ms: int) -> None:
        self.left_out = 0  # decisions over the allowance, since the agent's start
        self._me = me
        self._untold = 0  # of these, what no event has told yet
        self._waiting: deque[Told] = deque()
        self._roles: dict[str, tuple[HaRole, int]] = {}
        self._decided = Allowance(now_ms)
        self._changed = Allowance(now_ms)

    def explained(self, said: Explain, *, at_ms: int, now_ms: int) -> None:
        """Take in a decision.

        Args:
            said: with the names of nodes.
            at_ms: UTC, when it was decided.
            now_ms: the boot clock.
        """
        allowance = self._changed if said.evidence.get("own") else self._decided
        if not allowance.take(now_ms):
            self._leave_out()
            return
        text = said.sentence
        if self._untold:
            text = f"{text} (after {self._untold} decisions that were too many to send)"
            self._untold = 0
        self._put(at_ms, HA_DECISION, str(said.evidence.get("group") or ""), text, said.evidence)

    def changed(self, roles: Roles, *, at_ms: int, now_ms: int) -> None:
        """Take in what this node is for each group now, and tell what became different."""
        for group, (role, epoch) in roles.items():
            before = self._roles.get(group, (HaRole.STANDBY, 0))
            self._roles[group] = (role, epoch)
            is_active = role is HaRole.ACTIVE
            was_active = before[0] is HaRole.ACTIVE
            if is_active and (not was_active or before[1] != epoch):
                self._change(group, HaRole.ACTIVE, epoch, at_ms, now_ms)
            elif was_active and not is_active:
                self._change(group, HaRole.STANDBY, before[1], at_ms, now_ms)

    def take(self, count: int) -> list[Told]:
        """Return the oldest that wait, at most so many; they wait no longer."""
        return [self._waiting.popleft() for _ in range(min(count, len(self._waiting)))]

    def put_back(self, told: list[Told]) -> None:
        """Let these wait again, before the others: the outbox took none."""
        self._waiting.extendleft(reversed(told))
        self._bound()

    def _change(self, group: str, role: HaRole, epoch: int, at_ms: int, now_ms: int) -> None:
        """Tell a change of role, with the sentence of the decision that made it."""
        text, evidence = self._reason(group, epoch)
        if not text and not self._changed.take(now_ms):
            self._leave_out()
            return
        is_active = role is HaRole.ACTIVE
        if not text:
            verb = "is active" if is_active else "is no longer active"
            text = f"{verb} of {group} (epoch {epoch})"
        params = {"group": group, "role": str(role), "epoch": epoch, "node": self._me, **evidence}
        self._put(at_ms, HA_ROLE, group, f"{self._me} {text}", params)

    def _reason(self, group: str, epoch: int) -> tuple[str, dict[str, Scalar]]:
        """Return the sentence just decided about this turn, which then stands for both."""
        latest = list(self._waiting)[-REASON_MAX:]
        for told in reversed(latest):
            params = told.event.params
            if (
                told.event.type == HA_DECISION
                and params.get("group") == group
                and params.get("epoch") == epoch
                and params.get("own")
            ):
                self._waiting.remove(told)
                return told.event.text, {name: params[name] for name in params if name != "own"}
        return "", {}

    def _put(
        self, at_ms: int, type_: str, group: str, text: str, params: Mapping[str, Scalar]
    ) -> None:
        event = Event(
            v=VERSION,
            type=type_,
            severity=Severity.WARNING,
            entity=f"group={group}" if group else "",
            text=cut(text),
            params=fitting(params),
        )
        self._waiting.append(Told(at_ms, event))
        self._bound()

    def _bound(self) -> None:
        while len(self._waiting) > WAITING_MAX:
            self._waiting.popleft()
            self._leave_out()

    def _leave_out(self) -> None:
        self.left_out += 1
        self._untold += 1


def named(said: Explain, name_of: Callable[[int], str]) -> Explain:
    """Return a decision that speaks of nodes by their names, not by their numbers."""

    def by_name(text: str) -> str:
        return _NODE.sub(lambda found: name_of(int(found[1])), text)

    evidence = {
        key: by_name(value) if isinstance(value, str) else value
        for key, value in said.evidence.items()
    }
    return Explain(by_name(said.sentence), evidence)


def fitting(params: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return as much of the evidence as an event may carry, the first of it."""
    kept: dict[str, Scalar] = {}
    for name, value in list(params.items())[:PARAMS_MAX]:
        wanted = kept | {name: cut(value) if isinstance(value, str) else value}
        if len(encode(wanted)) > PARAMS_BYTES_MAX:
            break
        kept = wanted
    return kept
