"""Acts on this host, whose code is imported with the first of them: most agents see none."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from roost_agent.host.act import LOCK, REBOOT, Wanted
from roost_agent.host.action import Reboot
from roost_agent.host.shell import HostShell

IN_ABSENCE = "ordered while this host was silent"

if TYPE_CHECKING:
    from roost_agent.host.acts import HostActs


class ActsOnDemand:
    """See HostActs; ``run`` goes on with what the agent before this one began.

    Args:
        shell: of this host.
        nonce: see HostActs.
    """

    def __init__(self, shell: HostShell, nonce: Callable[[], str]) -> None:
        self._shell = shell
        self._nonce = nonce
        self._acts: HostActs | None = None
        self._is_wanted = asyncio.Event()
        shell.reboot = self._reboot
        shell.take_up = self._lock
        if shell.core.pending is not None:
            self._get()

    @property
    def latest(self) -> dict[str, str]:
        """What came of the last act: verb, state, code, sentence; empty: there was none."""
        return {} if self._acts is None else self._acts.latest

    async def run(self) -> None:
        """Do what is begun here, until cancelled."""
        await self._is_wanted.wait()
        await self._get().run()

    def begin(self, wanted: Wanted) -> None:
        """See HostActs."""
        self._get().begin(wanted)

    async def do(self, wanted: Wanted, nonce: str = "") -> str:
        """See HostActs."""
        return await self._get().do(wanted, nonce)

    async def again(self, verb: str) -> str:
        """See HostActs."""
        return await self._get().again(verb)

    def _reboot(self, asked: Reboot) -> None:
        """Restart this machine, as this host itself wants it."""
        self._get().want(
            Wanted(
                REBOOT,
                "recovery",
                asked.why,
                force=True,
                is_own=True,
                is_by_watchdog=asked.is_by_watchdog,
            )
        )

    def _lock(self, by: str) -> None:
        """Lock this host: that was ordered while nobody heard it."""
        who = f"the coordinator {by}"
        self._get().want(Wanted(LOCK, who, IN_ABSENCE, force=True, is_own=True))

    def _get(self) -> "HostActs":
        if self._acts is None:
            from roost_agent.host.acts import HostActs  # noqa: PLC0415 - see the module

            self._acts = HostActs(self._shell, self._nonce)
            self._is_wanted.set()
        return self._acts
