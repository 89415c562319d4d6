"""Follows the watchdogs of systemd's units: asks systemd, which programs tell that they are well.

systemd itself ends what is late; what is seen here besides is why it ended, and one that hangs so
that it cannot be ended. All units are asked for together, at most twice a period: a start of
``systemctl`` is some ms of a processor.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from roost_agent import child
from roost_agent.host.processes.definition import Definition
from roost_agent.host.processes.unit_state import PROPERTIES, Unit, parse
from roost_agent.ports import Clock

SHOW: Final = ("systemctl", "show", f"--property={','.join(PROPERTIES)}", "--")
SHOW_S: Final = 5.0
OUTPUT_BYTES_MAX: Final = 64 * 1024  # of 100 units some 25 KiB
NOTHING: Final = Unit()
WHOLE: Final = "systemd"  # a fault of all of them


class UnitWatchdogs:
    """Those of one node.

    Args:
        units: names of the catalogue to systemd units.
        clock: for their times.
        followed: whose watchdogs are followed.

    Attributes:
        faults: by process: why its watchdog is not followed; it is watched passively then.
    """

    def __init__(
        self, units: Mapping[str, str], clock: Clock, followed: Callable[[], Iterable[Definition]]
    ) -> None:
        self.faults: dict[str, str] = {}
        self._units = units
        self._clock = clock
        self._followed = followed
        self._seen: dict[str, Unit] = {}
        self._seen_ms: int | None = None

    async def complaint(self, given: Definition) -> str | None:
        """Return why a process is not well by its watchdog; empty: it is; None: nobody knows."""
        await self._look_again(given.period * 1000 // 2)
        unit = self._seen.get(self._unit(given))
        self.faults.pop(given.process, None)
        if unit is None:
            return None
        if not unit.watchdog_ms:
            name = self._unit(given)
            self.faults[given.process] = f"{given.process}: {name} has no WatchdogSec"
        return unit.complaint(self._clock.mono_ms())

    async def why_ended(self, given: Definition) -> str:
        """Return why its last run ended; empty: systemd knows nothing of it."""
        unit = (await self._show([self._unit(given)])).get(self._unit(given), NOTHING)
        return unit.why_ended()

    async def _look_again(self, fresh_ms: int) -> None:
        now_ms = self._clock.mono_ms()
        if self._seen_ms is not None and now_ms - self._seen_ms < fresh_ms:
            return
        self._seen_ms = now_ms
        names = sorted({self._unit(each) for each in self._followed()})
        self._seen = await self._show(names)

    async def _show(self, names: list[str]) -> dict[str, Unit]:
        """Return these units; none of them, and a fault, where systemd does not tell."""
        try:
            done = await child.run((*SHOW, *names), seconds=SHOW_S, bytes_max=OUTPUT_BYTES_MAX)
        except (OSError, TimeoutError) as err:
            return self._nothing(str(err) or f"not done within {SHOW_S:g} s")
        if done.status:
            return self._nothing(" ".join(done.complaint.decode("utf-8", "replace").split())[:120])
        found = parse(done.output.decode("utf-8", "replace"), len(names))
        if found is None:
            return self._nothing("it said something else")
        self.faults.pop(WHOLE, None)
        return dict(zip(names, found, strict=True))

    def _nothing(self, why: str) -> dict[str, Unit]:
        self.faults[WHOLE] = f"no watchdog of a unit is followed: systemctl show: {why}"
        return {}

    def _unit(self, given: Definition) -> str:
        return self._units.get(given.service, f"{given.service}.service")
