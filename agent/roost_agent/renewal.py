"""When the node's certificate is renewed, and by whom: a child, from half of its life on.

Leaves the renewal itself to enrol/renew.py, which needs cryptography and exits. After it the agent
starts anew, since everything that it says is sealed by the identity. Once the certificate has
ended it asks more often: the node is mute until then.
"""

import asyncio
import logging
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final
from zlib import crc32

from roost_agent.child import run
from roost_agent.enrolled import Facts, load
from roost_agent.ports import Clock, Entropy

log = logging.getLogger(__name__)

FIRST: Final = 0.5  # of its life; then the margin is three times the longest expected outage
JITTER: Final = 0.1  # of its life, by node and generation: a fleet that joined in one day spreads
STEP: Final = 0.05  # of its life between attempts
LOOK_S: Final = 60.0  # a clock may be set, so one long sleep will not do
NOW, DUE = "now", "due"  # whether a child asks the centre's clock if it is time at all
CHILD_S: Final = 120.0
OUTPUT_BYTES_MAX: Final = 1_024


REST_S: Final = (60.0, 3_600.0)  # between attempts once it has ended, doubled, with jitter
SKEW_MS: Final = 300_000  # a certificate begins five minutes before it is issued


def is_before(facts: Facts, now_ms: int) -> bool:
    """Whether a clock is from before the identity was given, so that it must be wrong."""
    return now_ms < facts.enrolled_ms - SKEW_MS


def is_urgent(facts: Facts, now_ms: int) -> bool:
    """Whether the certificate has ended, or may have: no broker takes the node any more."""
    return now_ms >= facts.not_after_ms or is_before(facts, now_ms)


def rest_s(tries: int, share: float) -> float:
    """Return how long to rest after ``tries`` urgent attempts; ``share``: 0 to 1, by chance."""
    low_s, high_s = REST_S
    most_s = min(high_s, low_s * 2.0 ** min(tries, 16))
    return low_s + (most_s - low_s) * share


def first_ms(facts: Facts) -> int:
    """Return when the first attempt is due (UTC ms)."""
    life_ms = facts.not_after_ms - facts.enrolled_ms
    spread = crc32(f"{facts.site}.{facts.node} {facts.generation}".encode()) / 2**32
    return facts.enrolled_ms + round(life_ms * (FIRST + JITTER * spread))


def next_ms(facts: Facts, now_ms: int) -> int:
    """Return when the attempt after one at ``now_ms`` is due (UTC ms)."""
    return now_ms + round((facts.not_after_ms - facts.enrolled_ms) * STEP)


class Renewal:
    """Renews the identity in a state directory.

    Args:
        clock: whose wall clock is the centre's, as far as that is known (KnownTime).
    """

    def __init__(self, state_dir: Path, facts: Facts, clock: Clock, entropy: Entropy) -> None:
        self.facts = facts
        self._state_dir = state_dir
        self._clock = clock
        self._entropy = entropy
        self._one = asyncio.Lock()  # attempt at a time
        self._done = asyncio.Event()

    async def run(self) -> None:
        """Return once there is a new identity."""
        due_ms, rested_ms, tries = first_ms(self.facts), 0, 0
        while not self._done.is_set():
            now_ms, boot_ms = self._clock.wall_ms(), self._clock.boot_ms()
            if is_urgent(self.facts, now_ms):
                if boot_ms >= rested_ms:
                    if not await self.now(DUE):
                        return
                    tries += 1
                    rest = rest_s(tries, self._entropy.uniform(0.0, 1.0))
                    rested_ms = self._clock.boot_ms() + int(rest * 1000)
            elif now_ms >= due_ms:
                if not await self.now(DUE):
                    return
                due_ms = next_ms(self.facts, now_ms)
            await self._rest(LOOK_S)

    async def now(self, when: str = NOW) -> str:
        """Renew, whatever time it is; return why not, empty where there is a new identity.

        Args:
            when: ``due``: only where it is time by the centre's clock, for ours may be years off
                and would have each new identity renewed as soon as it is there.
        """
        async with self._one:
            why = "" if self._done.is_set() else await self._attempt(when)
            if not why:
                self._done.set()
            return why

    async def _rest(self, seconds: float) -> None:
        """Wait, or until an order has brought a new identity."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._done.wait()

    async def _attempt(self, when: str) -> str:
        options = ["--state-dir", str(self._state_dir), "--when", when]
        words = [sys.executable, "-m", "roost_agent", "renew", *options]
        try:
            done = await run(words, seconds=CHILD_S, bytes_max=OUTPUT_BYTES_MAX)
        except (OSError, TimeoutError) as err:
            why = str(err) or "it took too long"
            log.warning("identity: not renewed: %s", why)
            return why
        if done.status == 0:
            return ""
        why = done.why or f"exit status {done.status}"
        log.warning("identity: not renewed: %s", why)
        return "" if self._is_new() else why

    def _is_new(self) -> bool:
        """Whether somebody else renewed it meanwhile."""
        known = load(self._state_dir)
        return known is not None and known.facts.generation != self.facts.generation
