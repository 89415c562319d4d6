"""What one process is asked by its mode, and what becomes of the answers. Pure.

A script of mode ``status`` speaks for what has no process: its one complaint is a failure. The
others are asked of a process that is followed besides, and may miss some answers in a row.
"""

from typing import Final

from roost_agent.host.processes.definition import Definition, Mode
from roost_agent.host.processes.event import Action, Check, Ping
from roost_agent.host.processes.pinging import Pinging

ASKED: Final = frozenset({Mode.ACTIVE, Mode.PROBE, Mode.SOCKET, Mode.NOTIFY})


class Asking:
    """The questions to one process.

    Args:
        definition: of it.
        first_ms: when its script is run first.
    """

    def __init__(self, definition: Definition, first_ms: int) -> None:
        self._definition = definition
        self._check_ms = first_ms if definition.mode is Mode.STATUS else None
        self._pings: Pinging | None = None
        if definition.mode in ASKED:
            timeout_ms = definition.timeout * 1000 if definition.mode is Mode.ACTIVE else None
            self._pings = Pinging(definition.period * 1000, timeout_ms, definition.threshold)

    def begin(self, at_ms: int) -> None:
        """Ask another process from then on."""
        if self._pings is not None:
            self._pings.begin(at_ms)

    def end(self) -> None:
        """Ask it no more: it has ended."""
        if self._pings is not None:
            self._pings.end()

    def check_at(self, at_ms: int) -> None:
        """Run the script then, where there is one."""
        if self._definition.mode is Mode.STATUS:
            self._check_ms = at_ms

    def answered(self, seq: int, complaint: str | None) -> bool:
        """Take an answer; False where it is to no question that is out."""
        return self._pings is not None and self._pings.answered(seq, complaint)

    def failure(self) -> str:
        """Return why it has failed by its answers; empty: it has not."""
        if self._pings is None or not self._pings.has_failed:
            return ""
        count, said = self._pings.misses, self._pings.complaint
        if self._definition.mode is Mode.ACTIVE:
            return f"it did not answer {count} pings"
        return f"{count} times in a row: {said}" if count > 1 else said

    def tick(self, now_ms: int, *, is_restarted: bool) -> list[Action]:
        """Return the question or the run of the script that is due."""
        name, actions = self._definition.process, list[Action]()
        if self._check_ms is not None and now_ms >= self._check_ms:
            self._check_ms = None  # until it has ended
            actions.append(Check(name))
        if self._pings is not None and not is_restarted:
            seq = self._pings.tick(now_ms)
            if seq is not None:
                actions.append(Ping(name, seq))
        return actions

    def due_ms(self, *, is_restarted: bool) -> int | None:
        """Return when the next tick is needed."""
        if self._pings is None:
            return self._check_ms
        return None if is_restarted else self._pings.due_ms()
