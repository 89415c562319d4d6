"""How a host leaves service: it asks the others, gives away what runs here, and is locked.

Two hosts of a site that are to leave service at once: each says so in its beats, and looks again
once every host that is there has spoken since. Of two that ask, the one of the lower name goes on
when the other has drawn back; whoever finds another one going draws back. So never do both go, by
whatever order the beats come.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from roost_agent.host.act import FORCE_LOCK, ActRefusedError, Wanted
from roost_agent.host.act_times import ASK_S, DRAIN_S, FORCED_S, NOBODY_S, POLL_S, RESET_S
from roost_agent.host.allowed import Situation, nobody, refuse
from roost_agent.host.around import Giving
from roost_agent.host.event import Lock
from roost_agent.host.shell import HostShell
from roost_protocol.host_word import Going

LOCKED: Final = "the host is locked; nothing of local HA runs on it"

log = logging.getLogger(__name__)


class Leaving:
    """See the module.

    Args:
        shell: of this host.
    """

    def __init__(self, shell: HostShell) -> None:
        self._shell = shell

    async def ask(self, wanted: Wanted) -> None:
        """Wait until no other host of the site can be leaving service at the same time.

        Raises:
            ActRefusedError: one is.
        """
        shell = self._shell
        shell.go(Going.ASKS)
        since_ms = shell.now().ms
        async with asyncio.timeout(ASK_S):
            while True:
                goings = shell.site.goings()
                going = [name for name, (what, _) in goings.items() if what == Going.GOES]
                asking = [name for name, (what, _) in goings.items() if what == Going.ASKS]
                first = [*going, *(each for each in asking if each < shell.who.name)]
                if other := next(iter(first), ""):
                    raise ActRefusedError(
                        "other-host",
                        f"{other} is being taken out of service just now, and the site cannot lose"
                        f" both: wait for it, then order this again",
                    )
                has_spoken = all(as_of_ms >= since_ms for _, as_of_ms in goings.values())
                if has_spoken and not asking:
                    break
                await asyncio.sleep(POLL_S)
        refuse(wanted, situation(shell))  # who has left meanwhile is not there to take over

    async def drain(self, wanted: Wanted) -> None:
        """Have others take what runs here.

        Raises:
            ActRefusedError: nobody could take some of it for a while.
        """
        shell = self._shell
        since_ms = shell.now().ms
        async with asyncio.timeout(DRAIN_S):
            while held := self._give(wanted, is_forced=False):
                alone = next((each for each in held if not each.to), None)
                if alone is None:
                    since_ms = shell.now().ms
                elif shell.now().ms - since_ms >= NOBODY_S * 1000:
                    raise ActRefusedError("ha", nobody(alone))
                await asyncio.sleep(POLL_S)

    async def lock(self, wanted: Wanted) -> None:
        """Be locked: that is on the disk, and the site knows it."""
        await self._shell.do(Lock(wanted.by[:200], wanted.reason[:200]))
        self._shell.go(Going.NO)

    async def by_force(self, wanted: Wanted) -> str:
        """Be locked, whoever takes what runs here; what does not stop ends with a reset.

        Raises:
            ActRefusedError: something runs on, and nobody could reset the machine.
        """
        site = self._shell.site
        with suppress(TimeoutError):
            async with asyncio.timeout(FORCED_S / 2):
                await until(lambda: not self._give(wanted, is_forced=True))
        await self.lock(wanted)
        with suppress(TimeoutError):
            async with asyncio.timeout(FORCED_S / 2):
                await until(site.runs_nothing)
        if site.runs_nothing():
            return LOCKED
        why = await self._reset()
        if site.runs_nothing():
            return LOCKED
        text = f"locked, and not all of it stopped within {FORCED_S:g} s; not reset: {why}"
        raise ActRefusedError("timeout", f"{text}: stop it by hand, or power-cycle the machine")

    def _give(self, wanted: Wanted, *, is_forced: bool) -> list[Giving]:
        """Give away what runs here; by force it is stopped where nobody takes it."""
        held = self._shell.site.held()
        for each in held:
            if each.to or is_forced:
                self._shell.site.give(each.group, each.to, f"{wanted.verb} by {wanted.by}")
        return held

    async def _reset(self) -> str:
        """Have this machine reset by its board; return why that did not come."""
        shell = self._shell
        around, name = shell.around, shell.who.name
        if not around.has_board(name):
            return "no board controller of it is known here"
        log.warning("host: what runs here does not stop, so its board controller resets it")
        has_stopped = "it stopped meanwhile"
        why = await around.reset(name, lambda: has_stopped if shell.site.runs_nothing() else "")
        if not why:
            await asyncio.sleep(RESET_S)
        return why or f"its board took the order, and nothing came of it within {RESET_S:g} s"


def situation(shell: HostShell) -> Situation:
    """Return what counts for an act on this host, as it is now."""
    site = shell.site
    coordinator, hosts = shell.coordinator, shell.coordinator.hosts
    others = coordinator.others()
    facts = shell.facts()
    return Situation(
        state=shell.core.state,
        others=site.others,
        serving=coordinator.serving(),
        held=site.held(),
        states={each.node: (each.admin, each.oper, each.avail) for each in others},
        may_go=site.may_go(),
        unsettled=facts.config,
        others_in_words="" if hosts is None else hosts.in_words(),
    )


async def lock_silent(shell: HostShell, wanted: Wanted, node: str) -> str:
    """Lock another host that is silent; by force, what may run there ends with a reset.

    Raises:
        ActRefusedError: it cannot be locked.
    """
    said = await shell.lock_silent(wanted, node)
    return said if wanted.verb != FORCE_LOCK else f"{said}; {await _end(shell, node)}"


async def _end(shell: HostShell, node: str) -> str:
    """Have a silent host reset, and return what came of it."""
    hosts, around = shell.coordinator.hosts, shell.around
    assert hosts is not None  # noqa: S101 - one of them was locked

    def why_not() -> str:
        if not hosts.is_silent(node):
            return "it is heard again"
        if shell.site.turn() is None:
            return f"{shell.who.name} does not coordinate any more"
        return hosts.held_back

    with suppress(TimeoutError):
        async with asyncio.timeout(FORCED_S):
            await until(lambda: not hosts.is_silent(node))
    if why := why_not():
        return f"not reset: {why}"
    if not around.has_board(node):
        return "what runs there may run on: no board controller of it is known here"
    why = await around.reset(node, why_not)
    return f"not reset: {why}" if why else "its board controller has reset it"


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until it is so: what is waited for is other tasks' state, looked at as it is now."""
    while not is_so():  # noqa: ASYNC110 - see above
        await asyncio.sleep(POLL_S)
