"""What each step of a node's update does: children, root's one-shot, and local HA.

Each answer is a ``Did``; nothing here decides what comes next (core.py).
"""

import os
import sys
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Final

import msgspec

from roost_agent.child import run as run_child
from roost_agent.errors import AgentError
from roost_agent.update import hooks
from roost_agent.update.events import Did, Do
from roost_agent.update.fetching import Fetching
from roost_agent.update.kept import Kept
from roost_agent.update.measuring import MEASURED_BYTES_MAX, Measuring
from roost_agent.update.place import NotDoneError, Places, Site
from roost_agent.update.root_part import RootPart
from roost_agent.update.step import TABLE, Step
from roost_protocol.install_receipt import SIGNATURE_BYTES_MAX
from roost_protocol.remedy import Refusal
from roost_protocol.update import Offer

SPARE_PERCENT: Final = 10  # of a release, that is left free beside its blobs
REFRESH_S: Final = 300.0
SIGN_S: Final = 30.0
VERBS: Final = {
    Step.VERIFY: "stage",
    Step.INSTALL: "activate",
    Step.COMMIT: "confirm",
    Step.ROLLBACK: "rollback",
    Step.CLEANUP: "cleanup",
}
REASONS: Final = {Step.REBOOT: "a new release", Step.ROLLBACK_REBOOT: "back from a release"}


class Hands:
    """One node's.

    Args:
        places: see there.
        site: see there.
    """

    def __init__(self, places: Places, site: Site) -> None:
        self._places = places
        self._site = site
        self._root = RootPart(places)
        self._measuring = Measuring(places, site)
        self._fetching = Fetching(places, site)
        self.installed = self._root.installed
        self.known = self._root.known
        self.measured = self._measuring.measured
        self.lend = self._fetching.lend
        self.forget_blobs = self._fetching.forget_blobs

    @property
    def short_of(self) -> str:
        """Why a download rests: the budget of bytes is spent; empty: it does not."""
        return self._fetching.short_of

    @property
    def broke_off(self) -> str:
        """How a download failed last that is tried again; empty: it did not, or is through."""
        return self._fetching.broke_off

    async def do(self, todo: Do, offer: Offer, kept: Kept) -> tuple[Did, Kept]:
        """Do a step; return how it went, and what was learnt of the release."""
        step, who = todo.step, TABLE[todo.step].who
        try:
            if step is Step.DOWNLOAD:
                kept = await self._fetching.fetch(offer, kept)
            elif step is Step.DRAIN:
                is_locked = self._site.is_locked
                kept = msgspec.structs.replace(kept, was_locked=is_locked, was_drained=True)
                await self._ask_site(self._site.drain)
                await self._hook(offer.instances)
                return Did(todo.key, who, holds_lease=self._site.holds_lease), kept
            elif step in VERBS:
                result = await self._root.do(VERBS[step], todo.key, offer)
                return Did(todo.key, who, reboot=result.reboot), kept
            else:
                await self._other(todo, offer, kept)
        except NotDoneError as err:
            return Did(todo.key, who, str(err) or "it failed"), kept
        except (AgentError, OSError, ValueError) as err:
            return Did(todo.key, who, str(err) or type(err).__name__), kept
        return Did(todo.key, who), kept

    async def refreshed(self) -> str:
        """Have a child ask what is signed of late; return why it is stale, as ``CODE: sentence``.

        Raises:
            OSError, TimeoutError: it cannot be asked.
        """
        places = self._places
        words = [sys.executable, "-m", "roost_agent", "verify", "refresh"]
        words += [f"--state-dir={places.state_dir}", f"--trust-dir={places.trust}"]
        words += [f"--source={places.source}"]
        done = await run_child(words, seconds=REFRESH_S, bytes_max=MEASURED_BYTES_MAX)
        if not done.status:
            return ""
        why, _, _what_to_do = done.why.partition("\n")
        return why or f"it ended with {done.status}"

    async def sign(self, body: bytes) -> bytes:
        """Return this node's signature over a receipt, by a child that has the key.

        Raises:
            OSError, ValueError, TimeoutError: there is none.
        """
        words = [sys.executable, "-m", "roost_agent", "sign"]
        words += [f"--state-dir={self._places.state_dir}"]
        done = await run_child(words, seconds=SIGN_S, bytes_max=SIGNATURE_BYTES_MAX, given=body)
        if done.status or not done.output:
            raise ValueError(done.why)
        return done.output

    async def _other(self, todo: Do, offer: Offer, kept: Kept) -> None:
        match todo.step:
            case Step.PRECHECK:
                self._precheck(offer)
            case Step.SWACT:
                await self._ask_site(self._site.hand_over)
            case Step.LOCK:
                await self._ask_site(self._site.lock)
            case Step.UNLOCK:
                if not kept.was_locked:
                    await self._ask_site(self._site.unlock)
                if kept.was_drained:
                    await self._hook(hooks.UNDRAIN)
            case Step.REBOOT | Step.ROLLBACK_REBOOT:
                await self._ask_site(self._site.drain)  # it may have lost somebody meanwhile
                nonce = blake2b(todo.nonce.encode(), digest_size=16).hexdigest()
                reason = f"{REASONS[todo.step]}: {offer.component} {offer.version}"
                await self._places.ask("reboot", reason=reason, nonce=nonce)
            case Step.VERIFY_REBOOT:
                await self._well(offer, kept)
            case Step.VERIFY_ROLLBACK:
                await self._back(offer, kept)
            case _:
                raise NotDoneError(f"{todo.step}: nothing does it")

    async def _well(self, offer: Offer, kept: Kept) -> None:
        """Wait until a new release is well; before it is unlocked where the node was taken down."""
        steady_s = self._places.stabilise_s
        if kept.reboot or kept.drain:
            steady_s /= 2
        await self._measuring.well(
            offer.component, offer.digest, kept, offer.ignore_alarms, steady_s=steady_s
        )

    async def _back(self, offer: Offer, kept: Kept) -> None:
        """Wait until what is committed runs again.

        Without what ran before, and though it beats on no path: a process that the bad release has
        broken waits for its next restart, a network that is gone is not back by this, and what is
        back would count as stuck.
        """
        running = self.installed().component(offer.component).running
        digest = "" if running is None else running.digest
        before = msgspec.structs.replace(kept, before=None, was_reached=False)
        await self._measuring.well(offer.component, digest, before)

    async def _hook(self, word: str) -> None:
        if why := await hooks.run(self._places.drain, word):
            raise NotDoneError(why)

    def _precheck(self, offer: Offer) -> None:
        """Look for room for what is fetched; root looks for room for what is unpacked.

        Raises:
            NotDoneError: there is none.
        """
        known = os.statvfs(self._places.state_dir)
        free = known.f_bavail * known.f_frsize
        wanted = offer.size + offer.size * SPARE_PERCENT // 100
        if free < wanted:
            text = f"{self._places.state_dir}: {free} bytes are free, {wanted} are needed"
            raise NotDoneError(f"{Refusal.SPACE}: {text}")

    async def _ask_site(self, act: Callable[[], Awaitable[str]]) -> None:
        if why := await act():
            raise NotDoneError(why)
