"""How often machines of a site are acted on by their boards: three an hour, whoever asks for it.

One count for what an operator orders, what sensors ask for and what is done about a silent host:
an act that goes round and round helps nobody (hosts.md section 3). It is this node's, which
coordinates: who takes its turn over begins to count anew. Local HA's fencing has its own
(ha/fence/budget.py), so that nobody's acts can use up a proof that a node is off.

Invariants:
- an act is on the disk before it is, and what was not taken by a board is given back;
- where the file cannot be read the hour is full: what is not counted is not done;
- after a clock was set back, by years perhaps, an act that lies ahead counts as made now: longer
  than its hour, and not for ever.
"""

import logging
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_agent.bmc.acting import HOUR_MS, SITE_MAX
from roost_agent.bmc.talk import Verb
from roost_agent.durable import replace_file
from roost_agent.ports import Clock

FILE: Final = "board-acts.json"  # in the state directory
BYTES_MAX: Final = 4_096
COUNTED: Final = frozenset({Verb.OFF, Verb.CYCLE, Verb.RESET})  # what takes the power of a machine

log = logging.getLogger(__name__)


class _Kept(msgspec.Struct, frozen=True):
    at_ms: Annotated[list[Annotated[int, Meta(ge=0, le=2**53)]], Meta(max_length=SITE_MAX)]


class ActBudget:
    """The acts of the last hour.

    Args:
        folder: the state directory.
        clock: for UTC, which a restart of the machine does not forget.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._file = folder / FILE
        self._clock = clock
        self._spent = self._read()

    def spent(self) -> tuple[int, ...]:
        """Return when machines were acted on within the hour, UTC ms, the last one last."""
        now_ms = max(self._clock.wall_ms(), 0)
        if any(each > now_ms for each in self._spent):
            self._keep([min(each, now_ms) for each in self._spent])
        self._spent = [each for each in self._spent if now_ms - each < HOUR_MS]
        return tuple(self._spent)

    def refusal(self) -> str:
        """Return why there may be no other act now; empty: there may."""
        if len(self.spent()) < SITE_MAX:
            return ""
        wait_s = max(min(self._spent) + HOUR_MS - self._clock.wall_ms(), 0) // 1_000
        return f"{SITE_MAX} machines of the site were acted on this hour: again in {wait_s} s"

    def spend(self) -> int:
        """Count one, on the disk; return what gives it back.

        Raises:
            OSError: it is not there, so the act must not be.
        """
        at_ms = max(self._clock.wall_ms(), 0)
        self._write(sorted([*self.spent(), at_ms]))
        return at_ms

    def give_back(self, at_ms: int) -> None:
        """Count one no more: no board took the order."""
        left = list(self._spent)
        if at_ms not in left:
            return
        left.remove(at_ms)
        self._keep(left)

    def _keep(self, spent: list[int]) -> None:
        """Put a count on the disk that lets more be done; without it the one before stands."""
        try:
            self._write(spent)
        except OSError as err:
            log.warning("bmc: acts of the past count on: %s", err)

    def _write(self, spent: list[int]) -> None:
        replace_file(self._file, msgspec.json.encode(_Kept(spent)))
        self._spent = spent

    def _read(self) -> list[int]:
        try:
            with self._file.open("rb") as file:
                return msgspec.json.decode(file.read(BYTES_MAX), type=_Kept).at_ms
        except FileNotFoundError:
            return []
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as err:
            log.warning("bmc: %s is not readable, so this hour counts as full: %s", FILE, err)
            return [max(self._clock.wall_ms(), 0)] * SITE_MAX
