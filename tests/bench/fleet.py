"""A fleet of sites of one node each, for the console: registered by the API, beating by MQTT.

Every beat is encoded when it is sent; the rates are those of a real fleet, not of a load test.
"""

import asyncio
import json
import time

from central import Central
from packets import connect, publish
from stream import FIRST_MS, beat

from roost_protocol.beat import PathKind, PathReport, PathState
from roost_protocol.codec import encode
from roost_protocol.topics import NodeTopics, node_id

REGIONS = 24
CARRIERS = 3
STEP_S = 0.05
LINES_MAX = 10_000  # of one import: 8 MiB is its bound
NODE = "n1"


class Fleet:
    """Sites that beat, and of which some lose a path when told to.

    Args:
        broker_port: of a broker on loopback.
        sites: how many.
        interval_s: of the beats.
        has_spare: whether a site has a second path; it is never heard on it, which shows in time.
    """

    def __init__(
        self, broker_port: int, sites: int, *, interval_s: float = 30, has_spare: bool = True
    ) -> None:
        self.sites = [f"edge-{number:05}" for number in range(sites)]
        self._port = broker_port
        self._interval_ms = round(interval_s * 1000)
        self._per_s = sites / interval_s
        self._numbers = [0] * sites
        self._has_spare = has_spare
        self._struck: set[int] = set()
        self._silent: range = range(0)
        self._next = 0
        self._writer: asyncio.StreamWriter | None = None

    def register(self, central: Central) -> None:
        """Import the sites with their labels."""
        for first in range(0, len(self.sites), LINES_MAX):
            lines = [
                json.dumps(
                    {
                        "site": site,
                        "labels": {
                            "region": f"r{number * REGIONS // len(self.sites):02}",
                            "carrier": f"car{'ABC'[number % CARRIERS]}",
                        },
                        "nodes": [NODE],
                    }
                )
                for number, site in enumerate(self.sites[first : first + LINES_MAX], start=first)
            ]
            central.fetch(
                "POST", "/sites:import", "\n".join(lines).encode(), media="application/x-ndjson"
            )

    async def run(self) -> None:
        """Beat until cancelled."""
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * self._per_s) - sent
            await self.say(range(self._next, self._next + due))
            self._next = (self._next + due) % len(self.sites)
            sent += due
            await asyncio.sleep(STEP_S)

    async def say(self, numbers: range) -> None:
        """Send a beat of each of these sites."""
        if self._writer is None:
            reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writer.write(connect("fleet"))
            await reader.readexactly(4)
        wrapped = (number % len(self.sites) for number in numbers)
        heard = (number for number in wrapped if number not in self._silent)
        self._writer.write(b"".join(map(self._beat, heard)))
        await self._writer.drain()

    def silence(self, numbers: range) -> None:
        """Let nothing be heard of these sites any more."""
        self._silent = numbers

    async def strike(self, numbers: range, *, seconds: float) -> None:
        """Let these sites lose a path, one after the other in a time, and say so at once."""
        began, first = time.monotonic(), numbers.start
        while first < numbers.stop:
            share = min(1.0, (time.monotonic() - began) / seconds)
            last = min(numbers.stop, numbers.start + round(share * len(numbers)))
            self._struck.update(range(first, last))
            await self.say(range(first, last))
            first = last
            await asyncio.sleep(STEP_S)

    def _beat(self, number: int) -> bytes:
        node = node_id(self.sites[number], NODE)
        self._numbers[number] += 1
        state = PathState.DOWN if number in self._struck else PathState.UP
        paths = [PathReport("wan1", PathKind.WAN, PathState.UP, FIRST_MS, 18_000, 0)]
        if self._has_spare:
            paths.append(PathReport("wan2", PathKind.WAN, state, FIRST_MS, 40_000, 0))
        sent_ms = time.time_ns() // 1_000_000
        count, interval_ms = self._numbers[number], self._interval_ms
        said = beat(node, count, sent_ms, paths=paths, interval_ms=interval_ms)
        return publish(NodeTopics.of(node).beat, encode(said))
