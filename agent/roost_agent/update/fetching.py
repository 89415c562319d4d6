"""Brings a release onto this node, by a child, and lends it to the site."""

import asyncio
import logging
import sys
from typing import Any, Final

import msgspec

from roost_agent.child import run as run_child
from roost_agent.update.kept import Kept
from roost_agent.update.place import NotDoneError, Places, Site
from roost_agent.update.step import TABLE, Step
from roost_protocol.remedy import Refusal
from roost_protocol.update import Offer

log = logging.getLogger(__name__)

POLL_S: Final = 0.5  # of who fetches for the site
FETCH_BYTES_MAX: Final = 4_096  # of what the child prints
BUDGET: Final = 75  # exit status of fetch
LEND_S: Final = 72 * 3_600.0  # a job has no longer
NEAR_S: Final = 600.0  # that another node of the site may take to fetch for all
FETCH_AGAIN_S: Final = (10.0, 300.0)  # after a mirror that broke off; doubled up to the second
UNREACHED_S: Final = 900.0  # of such pauses, while nobody says what is signed
MIRROR_BLOBS: Final = "updates/mirror/blobs"
SPENT: Final = "updates/spent"  # a file a job, with the bytes that it has fetched from afar


class Fetching:
    """One node's.

    Args:
        places: see there.
        site: who has it nearby.
        again_s, unreached_s: as FETCH_AGAIN_S and UNREACHED_S.
    """

    def __init__(
        self, places: Places, site: Site, again_s: tuple[float, float] = FETCH_AGAIN_S,
        unreached_s: float = UNREACHED_S,
    ) -> None:  # fmt: skip
        self.short_of = ""  # why a download rests: the budget of bytes is spent
        self.broke_off = ""  # how a download failed last that is tried again
        self._places = places
        self._site = site
        self._again_s = again_s
        self._unreached_s = unreached_s

    async def fetch(self, offer: Offer, kept: Kept) -> Kept:
        """Bring the release here, over as many interruptions as the job's time lets it.

        Raises:
            NotDoneError: it cannot be had; or nobody was reached over ``unreached_s``.
        """
        pause_s, unreached_s = self._again_s[0], 0.0
        self.short_of = self.broke_off = ""
        await self._wait_near(offer)
        while True:
            words = self._words(offer)
            seconds = TABLE[Step.DOWNLOAD].deadline_s or 7 * 86_400.0
            done = await run_child(words, seconds=seconds, bytes_max=FETCH_BYTES_MAX)
            if not done.status:
                self.short_of = self.broke_off = ""
                said = msgspec.json.decode(done.output, type=dict[str, Any])
                return msgspec.structs.replace(
                    kept,
                    reboot=bool(said["reboot"]),
                    drain=bool(said["needs_drain"]),
                    expected=tuple(said.get("expected_alarms", ())),
                )
            why = done.why
            code, _, text = why.partition(": ")
            is_unreached = code == Refusal.UNREACHABLE
            if done.status != BUDGET and not is_unreached and not why.startswith("blob "):
                raise NotDoneError(why)
            if is_unreached and unreached_s >= self._unreached_s:
                text = f"nobody was reached for {self._unreached_s / 60:.0f} min: {text}"
                raise NotDoneError(f"{Refusal.UNREACHABLE}: {text}")
            unreached_s = unreached_s + pause_s if is_unreached else 0.0
            self.broke_off = why
            self.short_of = why if done.status == BUDGET else ""
            log.warning("update: fetched again in %.0f s: %s", pause_s, why)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, self._again_s[1])

    async def _wait_near(self, offer: Offer) -> None:
        """Let one node of the site fetch for all, for a while."""
        try:
            async with asyncio.timeout(NEAR_S):
                while fetcher := self._site.near(offer).fetcher:
                    log.debug("update: %s fetches for the site", fetcher)
                    await asyncio.sleep(POLL_S)
        except TimeoutError:
            log.info("update: fetched here: no other node had it within %.0f s", NEAR_S)

    async def lend(self) -> None:
        """Lend the site what was fetched, until cancelled; it is no failure of the job's."""
        options = self._site.lending()
        if not options:
            return
        words = [sys.executable, "-m", "roost_agent", "serve"]
        words += [f"--state-dir={self._places.state_dir}", *options]
        try:
            done = await run_child(words, seconds=LEND_S, bytes_max=FETCH_BYTES_MAX)
        except (OSError, TimeoutError) as err:
            log.warning("update: the site is lent nothing: %s", str(err) or "for too long")
        else:
            why = done.why
            log.warning("update: the site is lent nothing: %s", why)

    def _words(self, offer: Offer) -> list[str]:
        places = self._places
        given: dict[str, object] = {
            "component": offer.component, "version": offer.version, "digest": offer.digest,
            "source": places.source, "state-dir": places.state_dir, "trust-dir": places.trust,
            "root": places.root, "lan": ",".join(self._site.near(offer).mirrors),
            "bytes-max": places.bytes_max or "",
            "spent": places.state_dir / SPENT / offer.job if places.bytes_max else "",
        }  # fmt: skip
        if places.bytes_max:
            (places.state_dir / SPENT).mkdir(mode=0o700, parents=True, exist_ok=True)
        words = [f"--{name}={value}" for name, value in given.items()]
        return [sys.executable, "-m", "roost_agent", "fetch", *words]

    def forget_blobs(self) -> None:
        """Remove what was fetched: root has made files of it, which the next release goes by."""
        import shutil  # noqa: PLC0415 - 0.3 MiB, with the compressors of archives, once a job ended

        for each in (MIRROR_BLOBS, SPENT):
            shutil.rmtree(self._places.state_dir / each, ignore_errors=True)
