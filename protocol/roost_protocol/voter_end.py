"""What ends a promise before its time: the release by its owner, or proof that its boot ended."""

import msgspec

from roost_protocol.explain import Explain
from roost_protocol.ha import LeaseFrame, Nonce
from roost_protocol.voter_answer import Answers
from roost_protocol.voter_events import Effect
from roost_protocol.voter_memory import Memory, Write
from roost_protocol.voter_rules import Rules


class Ends:
    """The ends of one voter's promises.

    Args:
        me: this node.
        memory: of its voter.
        rules: say how old a request may be.
        answers: tell the one who asked.
    """

    def __init__(self, me: int, memory: Memory, rules: Rules, answers: Answers) -> None:
        self._me = me
        self._memory = memory
        self._rules = rules
        self._answers = answers

    def release(self, frame: LeaseFrame, age_ms: int | None, effects: list[Effect]) -> None:
        """Forget the promise to an owner that stopped; it was of this round or of one before.

        At whatever age: a later round has a later nonce, and is not what was given back. Only a
        restarted agent, which has no nonce any more, goes by the age.
        """
        if frame.owner != frame.node or self._is_outdated(frame):
            return
        before = self._memory.promises.get(frame.name)
        if before is not None and before.nonce is None and self._rules.is_stale(age_ms):
            return
        key = (frame.name, frame.node)
        self._memory.released[key] = max(self._memory.released.get(key, 0), frame.epoch)
        promise = self._memory.promises.get(frame.name)
        if promise is not None and promise.owner == frame.node:
            del self._memory.promises[frame.name]
        record = self._memory.latest(frame.name)
        is_own = frame.node == self._me
        if record.owner == frame.node and record.endless:
            record = msgspec.structs.replace(record, endless=False)
        elif not is_own:
            effects.append(self._answers.grant(frame))
            return
        if is_own:
            # What this node gave back it must not take up again after a restart of the agent.
            given_back = max(record.given_back, frame.epoch)
            record = msgspec.structs.replace(record, given_back=given_back)
        self._memory.write(self._memory.state, {frame.name: Write(record, frame)}, effects)

    def fence_confirm(self, frame: LeaseFrame, effects: list[Effect]) -> None:
        """Forget the promise to a boot that is proven to have ended, and hear that boot no more."""
        if frame.owner is None:
            return
        self._memory.fenced[frame.owner] = frame.owner_boot
        promise = self._memory.promises.get(frame.name)
        if promise is None or (promise.owner, promise.boot) != (frame.owner, frame.owner_boot):
            effects.append(self._answers.grant(frame))
            return
        del self._memory.promises[frame.name]
        effects.append(
            Explain(
                f"no longer bound to node {frame.owner} for {frame.name}: node {frame.node} says "
                "that its boot has ended",
                {"owner": frame.owner, "by": frame.node, "epoch": promise.epoch},
            )
        )
        record = self._memory.latest(frame.name)
        if record.endless:
            record = msgspec.structs.replace(record, endless=False)
            self._memory.write(self._memory.state, {frame.name: Write(record, frame)}, effects)
        else:
            effects.append(self._answers.grant(frame))

    def end_endless(self, frame: LeaseFrame, effects: list[Effect]) -> None:
        """Take back what ended while it was on its way to the disk."""
        record = self._memory.latest(frame.name)
        if record.endless:
            record = msgspec.structs.replace(record, endless=False)
            self._memory.write(self._memory.state, {frame.name: Write(record, None)}, effects)

    def _is_outdated(self, frame: LeaseFrame) -> bool:
        """Whether this node granted a later round to the one that gives back an earlier one."""
        promise = self._memory.promises.get(frame.name)
        if (
            promise is not None
            and promise.owner == frame.node
            and promise.nonce is not None
            and (promise.epoch > frame.epoch or not _is_same_or_before(promise.nonce, frame.nonce))
        ):
            return True
        return any(
            write.frame is not None
            and write.frame.node == frame.node
            and not _is_same_or_before(write.frame.nonce, frame.nonce)
            for writes in self._memory.writes.values()
            for name, write in writes.items()
            if name == frame.name
        )


def _is_same_or_before(one: Nonce, other: Nonce) -> bool:
    return one.voter_id == other.voter_id and one <= other
