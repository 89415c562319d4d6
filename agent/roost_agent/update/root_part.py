"""Root's part of a step, asked of the helper and read from root's journal."""

import asyncio
import logging
from typing import Final

import msgspec

from roost_agent.durable import replace_file
from roost_agent.update import installed as told
from roost_agent.update.events import Known
from roost_agent.update.installed import Installed, Result
from roost_agent.update.place import NotDoneError, Places
from roost_agent.update.request_file import InstallRequest, request_file
from roost_protocol.remedy import Refusal
from roost_protocol.update import Offer

log = logging.getLogger(__name__)

POLL_S: Final = 0.5  # of root's journal, while it works
BEGIN_S: Final = 90.0  # for the one-shot to note that it has begun


class RootPart:
    """One node's.

    Args:
        places: see there.
    """

    def __init__(self, places: Places) -> None:
        self._places = places

    def installed(self) -> Installed:
        """Return what root keeps.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        return told.read(self._places.installed)

    async def known(self, key: str) -> Known:
        """Return what root says of a step after a crash, once it is not under way any more."""
        while True:
            try:
                result = self.installed().result(key)
            except (OSError, ValueError) as err:
                log.warning("update: root's journal cannot be read: %s", err)
                result = None
            if result is None:
                return Known(key, "unknown")
            if result.word != "running":
                return Known(key, result.word, result.text, result.reboot)
            await asyncio.sleep(POLL_S)

    async def do(self, verb: str, key: str, offer: Offer) -> Result:
        """Have root do a verb; return its answer.

        Raises:
            NotDoneError: it refused, or it failed.
            AgentError: there is no helper.
        """
        if (ended := self._ended(key)) is not None:
            return _done(ended)
        path = request_file(self._places.requests, verb, offer.digest)
        request = InstallRequest(1, key, offer.component, offer.version)
        replace_file(path, msgspec.json.encode(request))
        try:
            await self._places.ask(verb, digest=offer.digest)
            return _done(await self._answer(key))
        finally:
            path.unlink(missing_ok=True)

    async def _answer(self, key: str) -> Result:
        has_begun = False
        try:
            async with asyncio.timeout(None) as limit:
                limit.reschedule(asyncio.get_running_loop().time() + BEGIN_S)
                while True:
                    await asyncio.sleep(POLL_S)
                    result = self.installed().result(key)
                    if result is None:
                        continue
                    if result.word != "running":
                        return result
                    if not has_begun:
                        has_begun = True
                        limit.reschedule(None)  # the step's own deadline counts from here
        except TimeoutError:
            text = f"{Refusal.ROOT}: root's part did not begin within {BEGIN_S:.0f} s"
            raise NotDoneError(text) from None

    def _ended(self, key: str) -> Result | None:
        result = self.installed().result(key)
        return None if result is None or result.word == "running" else result


def _done(result: Result) -> Result:
    if result.word == "failed":
        raise NotDoneError(f"{result.code}: {result.text}")
    return result
