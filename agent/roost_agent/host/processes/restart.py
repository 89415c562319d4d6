"""Has roost-helper start what ended, by its catalogue: the agent itself can start nothing."""

import asyncio
from typing import Final

from roost_agent.helper_client import HelperError, HelperGoneError, ask
from roost_agent.host.processes.event import Restarted

TOGETHER_MAX: Final = 3  # of the four requests that the helper runs at a time


class Restarts:
    """The way to the helper.

    Args:
        units: names of the catalogue to systemd units.
        socket: the helper's.
    """

    def __init__(self, units: dict[str, str], socket: str) -> None:
        self._socket = socket
        self._names = {unit.removesuffix(".service"): name for name, unit in units.items()}
        self._units = units
        self._turns = asyncio.Semaphore(TOGETHER_MAX)

    async def restart(self, name: str, service: str, *, is_hard: bool) -> Restarted:
        """Start the unit of a service; ``is_hard``: stop it before."""
        known = service if service in self._units else self._names.get(service, service)
        try:
            async with self._turns:
                if is_hard:
                    await ask("unit_stop", socket=self._socket, name=known)
                await ask("unit_start", socket=self._socket, name=known)
        except HelperError as err:
            return Restarted(name, err.error, str(err))
        except HelperGoneError as err:
            return Restarted(name, "gone", str(err))
        return Restarted(name)
