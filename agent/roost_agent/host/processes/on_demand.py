"""The watching of a node's processes, begun by whoever defines the first: a file or a profile.

It is here so that an agent without any carries nothing of the rest of this package.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from roost_agent.host.processes.launch import Watching

Said: TypeAlias = Mapping[str, Mapping[str, Any]]


class OnDemand:
    """One node's.

    Args:
        make: makes the watching of what files define.
        made: is told of it.
    """

    def __init__(self, make: "Callable[[], Watching]", made: "Callable[[Watching], None]") -> None:
        self._make = make
        self._made = made
        self._watching: Watching | None = None
        self._begun = asyncio.Event()

    def begin(self, said: Said) -> None:
        """Begin, whatever is said: files define some."""
        self._watching = self._make()
        self._watching.define(said)
        self._made(self._watching)
        self._begun.set()

    def define(self, said: Said) -> None:
        """Go by what a profile says from now on."""
        if self._watching is not None:
            self._watching.define(said)
        elif said:
            self.begin(said)

    async def run(self) -> None:
        """Watch, once there is anything to watch, until cancelled."""
        await self._begun.wait()
        assert self._watching is not None  # noqa: S101 - it has begun
        await self._watching.run()
