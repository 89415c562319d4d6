"""The pace of what works turn by turn: it rests in proportion to what a turn took.

So a fleet that waits for hours costs a bounded share of a core, whatever its size.
"""

import asyncio
from contextlib import suppress


class Pace:
    """Begins turns and rests between them.

    Args:
        wake: set by whoever has something new: then the rest is over.
        rest: how often as long as a turn took the rest is; 10: a tenth of a core at most.
    """

    def __init__(self, wake: asyncio.Event, rest: float) -> None:
        self._wake = wake
        self._rest = rest
        self._begun_s = 0.0

    def begin(self) -> None:
        """Note that a turn begins: what is new from now on is for the next one."""
        self._wake.clear()
        self._begun_s = asyncio.get_running_loop().time()

    async def rest(self, least_s: float) -> None:
        """Rest after a turn, ``least_s`` seconds or longer, or until somebody has something new."""
        spent_s = asyncio.get_running_loop().time() - self._begun_s
        with suppress(TimeoutError):
            async with asyncio.timeout(max(least_s, spent_s * self._rest)):
                await self._wake.wait()
