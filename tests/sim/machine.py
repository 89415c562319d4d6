"""The hardware of a simulated node: what a probe finds, and how it changes."""

import asyncio
import copy
import random
from typing import TYPE_CHECKING, Any

from roost_agent.errors import ProbeError
from roost_agent.wake.child import Document, ProbedSection
from roost_agent.wake.core import DeviceMoved, LinksMoved

if TYPE_CHECKING:
    from sim.world import World

PROBE_S = (0.05, 4.0)
BIG_ITEMS = 3_000  # packages of a node that has many: its snapshot comes in two parts

# class -> what the kernel says when one of its items moves
WOKEN_BY = {
    "cpu": DeviceMoved("cpu"),
    "disk": DeviceMoved("block"),
    "nic": LinksMoved(),
    "usb": DeviceMoved("usb"),
}
Sections = dict[str, dict[str, dict[str, Any]]]


class Machine:
    """One node's hardware; an empty class is told as absent."""

    def __init__(self, world: "World", name: str, *, big: bool) -> None:
        self._world = world
        self._rng: random.Random = world.dice(f"{name}/machine")
        self.sections: Sections = {
            "cpu": {str(n): {"mhz": 2_000, "online": True} for n in range(2)},
            "disk": {f"sd{n}": {"model": f"disk {n}", "size_bytes": 1 << 40} for n in "ab"},
            "nic": {"eth0": {"mac": self._rng.randbytes(6).hex(":"), "speed_mbps": 1_000}},
            "usb": {},
        }
        if big:
            self.sections["package"] = {
                f"package-{n}": {"version": self._rng.randbytes(30).hex()} for n in range(BIG_ITEMS)
            }

    def change(self) -> DeviceMoved | LinksMoved:
        """Change something; return what the kernel says of it."""
        name = self._rng.choice(list(WOKEN_BY))
        items = self.sections[name]
        match self._rng.randrange(4):
            case 0:
                items[f"new-{self._rng.randrange(50)}"] = {"n": self._rng.randrange(10**6)}
            case 1 if items:
                del items[self._rng.choice(list(items))]
            case 2 if items:
                fields = items[self._rng.choice(list(items))]
                fields[self._rng.choice(["firmware", "n", "on"])] = self._rng.choice([1, True, "x"])
            case _ if items:
                fields = items[self._rng.choice(list(items))]
                if fields:
                    del fields[self._rng.choice(list(fields))]
            case _:
                items["first"] = {}
        self._world.trace.note(f"hardware of class {name} changes")
        return WOKEN_BY[name]

    async def probe(self, classes: tuple[str, ...]) -> Document:
        """See roost_agent.survey.Prober."""
        await asyncio.sleep(self._rng.uniform(*PROBE_S))
        if self._world.buggify("probe.fails"):
            raise ProbeError("exit status 1")
        chosen = [name for name in self.sections if not classes or name in classes]
        return Document(
            1, {name: ProbedSection(*self.found(name), self._world.now_ms()) for name in chosen}
        )

    def found(self, name: str) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
        """Return a class's items and reasons as they are now."""
        items = copy.deepcopy(self.sections[name])
        return items, {} if items else {"*": "absent"}
