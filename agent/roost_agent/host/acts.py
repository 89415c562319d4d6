"""Acts on this host, by a signed order or by root on the node: checked, kept, done, and seen.

One runs and one waits. An act is on the disk before anything of it is done, and the next agent goes
on with it, so that a restart in the middle neither forgets it nor leaves a host half out.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from roost_agent.host import transitions as tr
from roost_agent.host.act import (
    FORCE_LOCK,
    LOCKS,
    MAINTENANCE,
    REBOOT,
    SWACT,
    UNLOCK,
    ActRefusedError,
    Wanted,
)
from roost_agent.host.act_times import (
    BEHIND_S,
    BITE_S,
    SECONDS,
    STILL_HERE_S,
    STOP_S,
    SWACT_S,
    WAITING_MAX,
)
from roost_agent.host.allowed import refuse
from roost_agent.host.event import Intend, Maintain, NotRebooted, Recover, Unlock
from roost_agent.host.kept import Pending
from roost_agent.host.leaving import LOCKED, Leaving, lock_silent, situation, until
from roost_agent.host.shell import HostShell
from roost_protocol.host import Admin
from roost_protocol.host_word import Going

log = logging.getLogger(__name__)


class HostActs:
    """See the module.

    Args:
        shell: of this host.
        nonce: makes what the budget of reboots knows one by, for an act that no order asked for.
    """

    def __init__(self, shell: HostShell, nonce: Callable[[], str]) -> None:
        self._shell = shell
        self._one = asyncio.Lock()
        self._waiting = 0
        self._nonce = nonce
        self._leaving = Leaving(shell)
        self._begun: asyncio.Queue[Wanted] = asyncio.Queue(1)
        self._own: asyncio.Queue[Wanted] = asyncio.Queue(1)  # what the host itself wants
        self._has_gone_on = asyncio.Event()
        self._gone_on: dict[str, str] = {}  # as ``latest``, of what the agent before this one began
        self.latest: dict[str, str] = {}  # of the last act: verb, state, code, sentence

    async def run(self) -> None:
        """Go on with what the agent before this one did not end; then do what is begun here."""
        await self._go_on()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._recover(), name="agent.host.acts.own")
            while True:
                wanted = await self._begun.get()
                with suppress(ActRefusedError):  # whoever began it asks what came of it
                    await self._alone(wanted, None, self._nonce())

    def want(self, wanted: Wanted) -> None:
        """Take in what the host itself wants; one at a time, and it wants no second meanwhile."""
        with suppress(asyncio.QueueFull):
            self._own.put_nowait(wanted)

    async def _recover(self) -> None:
        """Do what the host itself wants; no boot is ended by it twice."""
        while True:
            wanted = await self._own.get()
            try:
                await self._alone(wanted, None, self._shell.who.boot_id)
            except ActRefusedError as err:
                log.warning("host: %s, wanted by itself, is not done: %s", wanted.verb, err)
                if wanted.verb == REBOOT:
                    await self._shell.do(NotRebooted(str(err)))

    async def _go_on(self) -> None:
        try:
            pending = self._shell.core.pending
            if pending is not None:
                log.info("host: goes on with %s, ordered by %s", pending.verb, pending.by)
                wanted = Wanted(pending.verb, pending.by, pending.reason, force=pending.force)
                await self._alone(wanted, pending)
        except ActRefusedError as err:
            log.warning("host: not gone on with: %s", err)
        finally:
            self._has_gone_on.set()

    def begin(self, wanted: Wanted) -> None:
        """Begin an act for who asks later what came of it.

        Raises:
            ActRefusedError: it is not allowed now, or one is under way.
        """
        if self._waiting or not self._begun.empty():
            raise ActRefusedError("busy", "an act on this host is under way: host show says which")
        refuse(wanted, situation(self._shell))
        self._begun.put_nowait(wanted)
        self.latest = {"verb": wanted.verb, "state": "running"}

    async def do(self, wanted: Wanted, nonce: str = "") -> str:
        """Do an act, and return in a sentence what came of it.

        Args:
            wanted: which.
            nonce: of the order, for the budget of reboots.

        Raises:
            ActRefusedError: it was refused, or not done in its time.
        """
        if self._waiting > WAITING_MAX:
            raise ActRefusedError("busy", "one act on this host runs and one waits: wait for them")
        return await self._alone(wanted, None, nonce)

    async def again(self, verb: str) -> str:
        """Return what came of an act that ran when the agent ended, once it is over.

        Raises:
            ActRefusedError: it was not done.
        """
        await self._has_gone_on.wait()
        latest = self._gone_on
        if latest.get("verb") != verb:
            raise ActRefusedError("interrupted", "the agent ended before it was begun")
        if latest["state"] != "done":
            raise ActRefusedError(latest["code"], latest["sentence"])
        return latest["sentence"]

    # -- the parts -----------------------------------------------------------------------------

    async def _alone(self, wanted: Wanted, pending: Pending | None, nonce: str = "") -> str:
        self._waiting += 1
        try:
            async with self._turn():
                self.latest = {"verb": wanted.verb, "state": "running"}
                return await self._noted(wanted, pending, nonce)
        finally:
            self._waiting -= 1

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Let one act run at a time, and another one wait for a while."""
        try:
            async with asyncio.timeout(BEHIND_S):
                await self._one.acquire()
        except TimeoutError:
            raise ActRefusedError("busy", "another act on this host runs: wait for it") from None
        try:
            yield
        finally:
            self._one.release()

    async def _noted(self, wanted: Wanted, pending: Pending | None, nonce: str) -> str:
        try:
            if pending is None:
                refuse(wanted, situation(self._shell))
            async with asyncio.timeout(self._seconds(wanted, pending)):
                await until(lambda: self._shell.site.is_ready)
                if pending is not None:
                    await until(self._has_heard)
                said = await self._act(wanted, pending, nonce)
        except ActRefusedError as err:
            self._ended(wanted, "failed", str(err), err.code)
            raise
        except TimeoutError:
            said = f"not done within {SECONDS[wanted.verb]:.0f} s: {self._where()}"
            self._ended(wanted, "failed", said, "timeout")
            raise ActRefusedError("timeout", said) from None
        finally:
            if pending is not None:
                self._gone_on = self.latest
            self._shell.go(Going.NO)
            if self._shell.core.pending is not None and not self._is_leaving:
                await self._shell.do(Intend(None))
        self._ended(wanted, "done", said)
        if pending is not None:
            self._gone_on = self.latest
        return said

    def _seconds(self, wanted: Wanted, pending: Pending | None) -> float:
        """Return how long an act may take from now on: its time goes on while no agent runs."""
        if pending is None or wanted.verb == REBOOT:
            return SECONDS[wanted.verb]
        left_s = (pending.until_ms - self._shell.now().wall_ms) / 1000
        return min(max(left_s, 0), SECONDS[wanted.verb])  # though a clock was set back

    def _has_heard(self) -> bool:
        """Whether this agent knows by now how the others stand."""
        return self._shell.coordinator.may_tell(self._shell.now())

    @property
    def _is_leaving(self) -> bool:
        """Whether this agent ends in the middle, so that the next one goes on."""
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    def _ended(self, wanted: Wanted, state: str, sentence: str, code: str = "") -> None:
        log.info("host: %s: %s: %s", wanted.verb, state, sentence)
        self.latest = {
            "verb": wanted.verb, "state": state, "code": code, "sentence": sentence,
        }  # fmt: skip

    async def _act(self, wanted: Wanted, pending: Pending | None, nonce: str) -> str:
        if wanted.node:
            return await lock_silent(self._shell, wanted, wanted.node)
        if wanted.verb == MAINTENANCE:
            return await self._maintain(wanted)
        if wanted.verb in LOCKS:
            return await self._lock(wanted, pending)
        if wanted.verb == SWACT:
            await self._intend(wanted, pending)
            return await self._swact(wanted)
        if wanted.verb == REBOOT:
            return await self._reboot(wanted, pending, nonce)
        return await self._enable(wanted, pending)

    async def _intend(self, wanted: Wanted, pending: Pending | None) -> None:
        if pending is not None:
            return
        until_ms = self._shell.now().wall_ms + round(SECONDS[wanted.verb] * 1000)
        boot_id = self._shell.who.boot_id
        told = Pending(
            wanted.verb, wanted.by[:200], wanted.reason[:200], boot_id, until_ms, wanted.force
        )
        await self._shell.do(Intend(told))

    async def _lock(self, wanted: Wanted, pending: Pending | None) -> str:
        shell = self._shell
        if shell.core.state[0] is Admin.LOCKED:
            booted = pending is not None and pending.boot_id != shell.who.boot_id
            return "the host is locked" + ("; its machine booted meanwhile" if booted else "")
        is_forced = wanted.verb == FORCE_LOCK
        if not is_forced and pending is None:  # what is kept was asked already
            await self._leaving.ask(wanted)
        await self._intend(wanted, pending)
        shell.go(Going.GOES)
        if is_forced:
            return await self._leaving.by_force(wanted)
        await self._leaving.drain(wanted)
        await self._leaving.lock(wanted)
        await self._until(shell.site.runs_nothing, "what every node runs stops", STOP_S)
        return LOCKED

    async def _swact(self, wanted: Wanted) -> str:
        shell, moved = self._shell, []
        for each in shell.site.held():
            if why := shell.site.give(each.group, each.to, f"swact by {wanted.by}"):
                raise ActRefusedError("ha", why)
            moved.append(f"{each.group} to {each.to}")
        await self._until(lambda: not shell.site.held(), "all groups have left", SWACT_S)
        return f"given: {', '.join(moved)}" if moved else "no group runs here any more"

    async def _enable(self, wanted: Wanted, pending: Pending | None) -> str:
        shell = self._shell
        is_unlock, by = wanted.verb == UNLOCK, wanted.by[:200]
        await self._intend(wanted, pending)
        if pending is None or (is_unlock and shell.core.state == tr.LOCKED_ONLINE):
            try:
                await shell.do(Unlock(by, wanted.reason[:200]) if is_unlock else Recover(by))
            except tr.TransitionError as err:  # its own retry began while this waited
                raise ActRefusedError("state", f"too late: {err}; {self._where()}") from None
        await until(lambda: shell.core.state != tr.INTEST)
        if shell.core.state not in tr.ENABLED:
            raise ActRefusedError("enable", f"{self._where()}: {shell.core.cause}")
        return f"the host is {tr.with_cause(shell.core.state, shell.core.cause)}"

    async def _reboot(self, wanted: Wanted, pending: Pending | None, nonce: str) -> str:
        shell = self._shell
        if pending is not None:
            if pending.boot_id == shell.who.boot_id:
                raise ActRefusedError("interrupted", "the agent was restarted, the machine was not")
            return "the machine was restarted"
        if wanted.is_own:
            await self._leaving.ask(wanted)
            shell.go(Going.GOES)
        await self._intend(wanted, None)
        if wanted.is_own and not (shell.core.state == tr.FAILED and shell.is_spared()):
            raise ActRefusedError("state", "the site needs it after all")
        await self._restart(wanted, nonce)
        await asyncio.sleep(STILL_HERE_S)
        raise ActRefusedError("still-here", "no reboot came of the helper's word")

    async def _restart(self, wanted: Wanted, nonce: str) -> None:
        """Have the watchdog or the helper restart the machine."""
        around = self._shell.around
        if wanted.is_by_watchdog:
            if not (why := await around.starve()):
                await asyncio.sleep(BITE_S)
                why = f"it did not within {BITE_S:g} s"
            log.info("host: its watchdog does not reset it, roost-helper is asked: %s", why)
        try:
            await around.reboot(f"{wanted.reason} ({wanted.by})"[:200], nonce)
        except ActRefusedError as err:
            if not wanted.is_own or err.code != "replayed":
                raise
            log.info("host: the helper has begun this reboot before: it is on its way")

    async def _maintain(self, wanted: Wanted) -> str:
        shell = self._shell
        until_ms = shell.now().wall_ms + wanted.seconds * 1000 if wanted.seconds else 0
        await shell.do(Maintain(until_ms))
        if not wanted.seconds:
            return "the host's maintenance ended"
        return f"nothing is done about the host by itself for {wanted.seconds} s"

    async def _until(self, is_so: Callable[[], bool], what: str, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await until(is_so)
        except TimeoutError:
            said = f"not within {seconds:.0f} s: {what}; {self._where()}"
            raise ActRefusedError("timeout", said) from None

    def _where(self) -> str:
        core = self._shell.core
        return f"the host is {tr.in_words(core.state)}{f', {core.task}' if core.task else ''}"
