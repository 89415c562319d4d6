"""What a voter says to one who asked: yes, or no and why."""

from roost_protocol.configuration import SITE_LEASE
from roost_protocol.explain import Explain
from roost_protocol.ha import Kind, LeaseFrame
from roost_protocol.voter_events import Effect, Send
from roost_protocol.voter_memory import Memory
from roost_protocol.voter_rules import BOOT_WAIT, PROMISED
from roost_protocol.voter_start import Start
from roost_protocol.voter_state import NO_BOOT
from roost_protocol.voter_words import refusal


class Answers:
    """The answers of one voter.

    Args:
        memory: of the voter.
        start: what it still waits for.
    """

    def __init__(self, memory: Memory, start: Start) -> None:
        self._memory = memory
        self._start = start
        self._said: dict[tuple[str, int], str] = {}  # lease and node -> why it was refused last

    def grant(self, frame: LeaseFrame) -> Send:
        """Return the yes to a frame."""
        return Send(
            frame.node,
            Kind.GRANT,
            frame.name,
            frame.epoch,
            frame.nonce,
            frame.owner,
            frame.owner_boot,
            accepted=self._memory.state.accepted if frame.name == SITE_LEASE else None,
            max_epoch=self._memory.known_epoch(frame.name),
        )

    def refuse(
        self,
        frame: LeaseFrame,
        reason: str,
        now_ms: int,
        effects: list[Effect],
        *,
        more: str = "",
    ) -> None:
        """Say no; the reason is explained when it is another than the time before.

        Args:
            frame: what was asked.
            reason: a voter's word.
            now_ms: CLOCK_BOOTTIME.
            effects: gets the answer.
            more: what else there is to say of it, for people.
        """
        promise = self._memory.promise(frame.name, now_ms)
        remaining_ms: int | None = 0
        if reason == BOOT_WAIT:
            remaining_ms = self._start.wait_until_ms - now_ms
        elif promise is not None and reason == PROMISED:
            remaining_ms = None if promise.until_ms is None else promise.until_ms - now_ms
        effects.append(
            Send(
                frame.node,
                Kind.REFUSE,
                frame.name,
                frame.epoch,
                frame.nonce,
                promise.owner if promise else None,
                promise.boot if promise else NO_BOOT,
                max_epoch=self._memory.known_epoch(frame.name),
                remaining_ms=remaining_ms,
                reason=reason,
            )
        )
        if self._said.get((frame.name, frame.node)) == reason:
            return
        self._said[frame.name, frame.node] = reason
        owner = promise.owner if promise else None
        why = refusal(reason, owner, remaining_ms) + more
        effects.append(
            Explain(
                f"refused {frame.name} (epoch {frame.epoch}) to node {frame.node}: "
                f"this voter {why}",
                {"epoch": frame.epoch, "reason": reason, "owner": owner, "ms": remaining_ms},
            )
        )

    def agreed(self, frame: LeaseFrame) -> None:
        """Forget why this one was refused: it was granted since."""
        self._said.pop((frame.name, frame.node), None)
