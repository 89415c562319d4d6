"""What the demo asks the centre over REST, as any other client would."""

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import aiohttp

READY_S = 30.0
POLL_S = 0.2
ANSWER_S = 30.0


class NotReadyError(Exception):
    """The centre did not come so far in time."""


class Rest:
    """A client of the centre."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.token = ""
        self._session = session

    async def until_healthy(self, *, within_s: float = READY_S) -> None:
        """Wait until the centre serves.

        Raises:
            NotReadyError: it does not.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    with suppress(aiohttp.ClientError, OSError):
                        async with self._session.get(f"{self.url}/health") as answer:
                            if answer.ok:
                                return
                    await asyncio.sleep(POLL_S)
        raise NotReadyError(f"the centre does not serve {self.url} within {within_s:g} s")

    async def status(self) -> dict[str, Any]:
        """Return the counts of the fleet."""
        answer: dict[str, Any] = await self._ask("GET", "/api/v1/status")
        return answer

    async def import_sites(self, lines: bytes) -> None:
        """Register sites with their labels.

        Raises:
            NotReadyError: the centre refused a line.
        """
        headers = {"Content-Type": "application/x-ndjson"}
        answer = await self._ask("POST", "/api/v1/sites:import", data=lines, headers=headers)
        if answer["errors"]:
            raise NotReadyError(f"the centre refused sites: {json.dumps(answer['errors'][:3])}")

    async def site_token(self, site: str, nodes: int) -> str:
        """Return a token that lets so many boxes into a site, as nodes and brokers of it."""
        body = {"site": site, "nodes_max": nodes, "auto_approve": True, "broker": True}
        answer = await self._ask("POST", "/api/v1/claims", json=body)
        return str(answer["token"])

    async def has_releases(self) -> bool:
        """Whether the centre serves any release."""
        return bool((await self._ask("GET", "/api/v1/releases"))["items"])

    async def until_heard(self, nodes: int, say: Callable[[str], None], *, within_s: float) -> None:
        """Wait until so many nodes were heard.

        Raises:
            NotReadyError: they were not.
        """
        heard = 0
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while True:
                    counts = (await self.status())["nodes"]
                    heard = counts["online"] + counts["degraded"]
                    say(f"first beats: {heard:,} of {nodes:,} nodes")
                    if heard >= nodes:
                        return
                    await asyncio.sleep(1)
        raise NotReadyError(f"only {heard:,} of {nodes:,} nodes were heard within {within_s:g} s")

    async def _ask(self, method: str, path: str, **given: Any) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {self.token}", **given.pop("headers", {})}
        timeout = aiohttp.ClientTimeout(total=ANSWER_S)
        async with self._session.request(
            method, f"{self.url}{path}", headers=headers, timeout=timeout, **given
        ) as answer:
            if not answer.ok:
                raise NotReadyError(f"{method} {path}: {answer.status} {await answer.text()}")
            return await answer.json()
