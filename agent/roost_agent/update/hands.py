"""What each step of a node's update does: children, root's one-shot, and local HA.

Each answer is a ``Did``; nothing here decides what comes next (core.py).
"""

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from roost_agent.child import run as run_child
from roost_agent.durable import PRIVATE
from roost_agent.errors import AgentError
from roost_agent.update import hooks
from roost_agent.update import installed as told
from roost_agent.update.core import Did, Do, Known
from roost_agent.update.installed import Installed, Result
from roost_agent.update.journal import Kept
from roost_agent.update.request_file import InstallRequest, request_file
from roost_agent.update.step import TABLE, Step
from roost_protocol.install_receipt import SIGNATURE_BYTES_MAX
from roost_protocol.update import Offer

log = logging.getLogger(__name__)

POLL_S: Final = 0.5  # of root's journal, while it works
BEGIN_S: Final = 90.0  # for the one-shot to note that it has begun
CLEAN_BEATS: Final = 3
SPARE_PERCENT: Final = 10  # of a release, that is left free beside its blobs
FETCH_BYTES_MAX: Final = 4_096  # of what the child prints
MEASURE_S: Final = 300.0
REFRESH_S: Final = 300.0
SIGN_S: Final = 30.0
MEASURED_BYTES_MAX: Final = 64 << 10
BUDGET: Final = 75  # exit status of fetch
LEND_S: Final = 72 * 3_600.0  # a job has no longer
NEAR_S: Final = 600.0  # that another node of the site may take to fetch for all
FETCH_AGAIN_S: Final = (10.0, 300.0)  # after a mirror that broke off; doubled up to the second
MIRROR_BLOBS: Final = "updates/mirror/blobs"
SPENT: Final = "updates/spent"  # a file a job, with the bytes that it has fetched from afar
VERBS: Final = {
    Step.VERIFY: "stage",
    Step.INSTALL: "activate",
    Step.COMMIT: "confirm",
    Step.ROLLBACK: "rollback",
    Step.CLEANUP: "cleanup",
}
REASONS: Final = {Step.REBOOT: "a new release", Step.ROLLBACK_REBOOT: "back from a release"}


class Site(Protocol):
    """This node's place in its site, as an update needs it."""

    async def drain(self) -> str:
        """Return why the node may not go down now; empty: it may."""

    @property
    def is_locked(self) -> bool:
        """Whether this host is out of service already, by somebody's word."""

    @property
    def holds_lease(self) -> bool:
        """Whether anything runs here that another node has to take first."""

    async def hand_over(self) -> str:
        """Give away what runs here; return why that failed, empty: it did not."""

    async def lock(self) -> str:
        """Take no candidacy; return why that failed."""

    async def unlock(self) -> str:
        """Be a candidate again; return why that failed."""

    def near(self, offer: Offer) -> "Near":
        """Return where the release may be had in the site, and whether to wait for that."""

    def lending(self) -> Sequence[str]:
        """Return the options of who lends what was fetched here; empty: nobody could want it."""

    async def unwell(self, kept: Kept, expected: Collection[str]) -> str:
        """Return what is wrong with the node by itself; empty: it is well.

        Args:
            kept: what it is measured by: what it was before.
            expected: types of alarms that are no failure.
        """


@dataclass(frozen=True, slots=True)
class Near:
    """What the site has of a release.

    Attributes:
        mirrors: ``NODE@ADDRESS:PORT`` of who has it.
        fetcher: of another node that fetches it for all; empty: nobody does.
    """

    mirrors: Sequence[str] = ()
    fetcher: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, and who does root's part.

    Attributes:
        state_dir: the agent's.
        root: of the machine's files.
        trust, installed, requests: see ``[updates]``.
        source: where releases come from.
        ask: has the helper do a verb with its fields.
        beat_s: between two beats.
        verify_s: how long a new release may take until it is well.
        bytes_max: that may be fetched for a release; 0: no bound.
        drain: the folder of the site's own programs (hooks.py).
    """

    state_dir: Path
    root: Path
    trust: Path
    installed: Path
    requests: Path
    source: str
    ask: Callable[..., Awaitable[None]]
    beat_s: float
    verify_s: float
    bytes_max: int = 0
    drain: str = hooks.FOLDER


class NotDoneError(Exception):
    """A step failed; the text is a sentence."""


class Hands:
    """One node's.

    Args:
        places: see there.
        site: see there.
    """

    def __init__(self, places: Places, site: Site) -> None:
        self.short_of = ""  # why a download rests: the budget of bytes is spent
        self._places = places
        self._site = site

    def installed(self) -> Installed:
        """Return what root keeps.

        Raises:
            OSError, ValueError: it cannot be read.
        """
        return told.read(self._places.installed)

    async def do(self, todo: Do, offer: Offer, kept: Kept) -> tuple[Did, Kept]:
        """Do a step; return how it went, and what was learnt of the release."""
        step, who = todo.step, TABLE[todo.step].who
        try:
            if step is Step.DOWNLOAD:
                kept = await self._fetch(offer, kept)
            elif step is Step.DRAIN:
                is_locked = self._site.is_locked
                kept = msgspec.structs.replace(kept, was_locked=is_locked, was_drained=True)
                await self._ask_site(self._site.drain)
                await self._hook(offer.instances)
                return Did(todo.key, who, holds_lease=self._site.holds_lease), kept
            elif step in VERBS:
                result = await self._root(VERBS[step], todo.key, offer)
                return Did(todo.key, who, reboot=result.reboot), kept
            else:
                await self._other(todo, offer, kept)
        except NotDoneError as err:
            return Did(todo.key, who, str(err) or "it failed"), kept
        except (AgentError, OSError, ValueError) as err:
            return Did(todo.key, who, str(err) or type(err).__name__), kept
        return Did(todo.key, who), kept

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
            raise ValueError(done.complaint.decode(errors="replace").strip())
        return msgspec.json.decode(done.output, type=dict[str, dict[str, str]])

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
        why = done.complaint.decode(errors="replace").strip()
        return (why or f"it ended with {done.status}") if done.status else ""

    async def sign(self, body: bytes) -> bytes:
        """Return this node's signature over a receipt, by a child that has the key.

        Raises:
            OSError, ValueError, TimeoutError: there is none.
        """
        words = [sys.executable, "-m", "roost_agent", "sign"]
        words += [f"--state-dir={self._places.state_dir}"]
        done = await run_child(words, seconds=SIGN_S, bytes_max=SIGNATURE_BYTES_MAX, given=body)
        if done.status or not done.output:
            raise ValueError(done.complaint.decode(errors="replace").strip())
        return done.output

    def forget_blobs(self) -> None:
        """Remove what was fetched: root has made files of it, which the next release goes by."""
        import shutil  # noqa: PLC0415 - 0.3 MiB, with the compressors of archives, once a job ended

        for each in (MIRROR_BLOBS, SPENT):
            shutil.rmtree(self._places.state_dir / each, ignore_errors=True)

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
                nonce = blake2b(todo.nonce.encode(), digest_size=16).hexdigest()
                reason = f"{REASONS[todo.step]}: {offer.component} {offer.version}"
                await self._places.ask("reboot", reason=reason, nonce=nonce)
            case Step.VERIFY_REBOOT:
                await self._well(offer.component, offer.digest, kept, offer.ignore_alarms)
            case Step.VERIFY_ROLLBACK:
                running = self.installed().component(offer.component).running
                digest = "" if running is None else running.digest
                # Without what ran before: a process that the bad release has broken waits for its
                # next restart, and what is back would count as stuck.
                await self._well(
                    offer.component, digest, msgspec.structs.replace(kept, before=None)
                )
            case _:
                raise NotDoneError(f"{todo.step}: nothing does it")

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
            raise NotDoneError(text)

    async def _ask_site(self, act: Callable[[], Awaitable[str]]) -> None:
        if why := await act():
            raise NotDoneError(why)

    async def _fetch(self, offer: Offer, kept: Kept) -> Kept:
        """Bring the release here, over as many interruptions as the job's time lets it."""
        pause_s = FETCH_AGAIN_S[0]
        self.short_of = ""
        await self._wait_near(offer)
        while True:
            words = self._fetch_words(offer)
            seconds = TABLE[Step.DOWNLOAD].deadline_s or 7 * 86_400.0
            done = await run_child(words, seconds=seconds, bytes_max=FETCH_BYTES_MAX)
            if not done.status:
                self.short_of = ""
                said = msgspec.json.decode(done.output, type=dict[str, Any])
                return msgspec.structs.replace(
                    kept,
                    reboot=bool(said["reboot"]),
                    drain=bool(said["needs_drain"]),
                    expected=tuple(said.get("expected_alarms", ())),
                )
            why = done.complaint.decode(errors="replace").strip().removeprefix("roost-agent: ")
            if done.status != BUDGET and not why.startswith(("blob ", "unreachable")):
                raise NotDoneError(why)
            self.short_of = why if done.status == BUDGET else ""
            log.warning("update: fetched again in %.0f s: %s", pause_s, why)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, FETCH_AGAIN_S[1])

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
            why = done.complaint.decode(errors="replace").strip()
            log.warning("update: the site is lent nothing: %s", why)

    def _fetch_words(self, offer: Offer) -> list[str]:
        places = self._places
        given: Mapping[str, object] = {
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

    async def _root(self, verb: str, key: str, offer: Offer) -> Result:
        """Have root do a verb; return its answer.

        Raises:
            NotDoneError: it refused, or it failed.
            AgentError: there is no helper.
        """
        if (ended := self._ended(key)) is not None:
            return _done(ended)
        path = request_file(self._places.requests, verb, offer.digest)
        request = InstallRequest(1, key, offer.component, offer.version)
        _write(path, msgspec.json.encode(request))
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
            text = (
                f"root's part did not begin within {BEGIN_S:.0f} s: journalctl -u 'roost-install@*'"
            )
            raise NotDoneError(text) from None

    def _ended(self, key: str) -> Result | None:
        result = self.installed().result(key)
        return None if result is None or result.word == "running" else result

    async def _well(
        self, component: str, digest: str, kept: Kept, expected: Collection[str] = ()
    ) -> None:
        """Wait until a release is seen to run and the node is well, three beats in a row.

        Raises:
            NotDoneError: not within ``verify_s``.
        """
        why, clean = "not looked at", 0
        try:
            async with asyncio.timeout(self._places.verify_s):
                while clean < CLEAN_BEATS:
                    why = await self._unwell(component, digest, kept, expected)
                    clean = 0 if why else clean + 1
                    await asyncio.sleep(self._places.beat_s)
        except TimeoutError:
            text = f"not well within {self._places.verify_s:.0f} s: {why or 'it comes and goes'}"
            raise NotDoneError(text) from None

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


def _done(result: Result) -> Result:
    if result.word == "failed":
        raise NotDoneError(f"{result.code}: {result.text}")
    return result


def _write(path: Path, raw: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(raw)
    fresh.chmod(PRIVATE)
    fresh.replace(path)
