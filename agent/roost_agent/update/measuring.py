"""Measures whether a release runs and the node is well with it, for long enough.

Design, updates.md sections 2 and 6: three clean looks in a row, and a while without a break.
"""

import asyncio
import sys
from collections.abc import Collection
from typing import Final

import msgspec

from roost_agent.child import run as run_child
from roost_agent.update.kept import Kept
from roost_agent.update.place import NotDoneError, Places, Site
from roost_protocol.remedy import Refusal

CLEAN_BEATS: Final = 3
MEASURE_S: Final = 300.0
MEASURED_BYTES_MAX: Final = 64 << 10


class Measuring:
    """One node's.

    Args:
        places: see there.
        site: says how the node is by itself.
    """

    def __init__(self, places: Places, site: Site) -> None:
        self._places = places
        self._site = site

    async def measured(self) -> dict[str, dict[str, str]]:
        """Return what runs, by component; asked of a child that reads it.

        Raises:
            OSError, ValueError: it cannot be told.
        """
        places = self._places
        words = [sys.executable, "-m", "roost_agent.install", f"--root={places.root}"]
        words += [f"--state={places.installed}", "measure"]
        done = await run_child(words, seconds=MEASURE_S, bytes_max=MEASURED_BYTES_MAX)
        if done.status:
            raise ValueError(done.why)
        return msgspec.json.decode(done.output, type=dict[str, dict[str, str]])

    async def well(
        self, component: str, digest: str, kept: Kept, expected: Collection[str] = (),
        *, steady_s: float = 0.0,
    ) -> None:  # fmt: skip
        """Wait until a release is seen to run and the node is well, three beats in a row.

        Args:
            component: of the release.
            digest: that should run; empty: none.
            kept: what the node is measured by.
            expected: types of alarms that are no failure.
            steady_s: for how long without a break.

        Raises:
            NotDoneError: not within ``verify_s``.
        """
        last, clean, now_s = "not looked at", 0, asyncio.get_running_loop().time
        since_s = now_s()
        try:
            async with asyncio.timeout(self._places.verify_s):
                while clean < CLEAN_BEATS or now_s() - since_s < steady_s:
                    why = await self._unwell(component, digest, kept, expected)
                    clean = 0 if why else clean + 1
                    if why:
                        last, since_s = why, now_s()
                    await asyncio.sleep(self._places.beat_s)
        except TimeoutError:
            code = f"{Refusal.RUNS}: " if last.startswith(f"{component}: ") else ""
            text = f"not well within {self._places.verify_s:.0f} s: {last}"
            if clean:
                text += f"; well for the last {now_s() - since_s:.0f} s, {steady_s:.0f} s are asked"
            raise NotDoneError(f"{code}{text}") from None

    async def _unwell(
        self, component: str, digest: str, kept: Kept, expected: Collection[str]
    ) -> str:
        try:
            found = (await self.measured()).get(component, {})
        except (OSError, ValueError, TimeoutError) as err:
            return f"what runs cannot be told: {err}"
        if found.get("why"):
            return found["why"]
        if found.get("digest", "") != digest:
            runs = found.get("digest", "")[:12] or "nothing"
            return f"{component}: {runs} runs, {digest[:12] or 'nothing'} should"
        return await self._site.unwell(kept, expected)
