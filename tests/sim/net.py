"""The network between hosts: latency, loss, duplication, reorder and cuts, for each direction.

Harsher than TCP: what is lost on a link is not sent again below MQTT, so that every retry above
is needed. Order is kept in each direction of a connection unless the weather reorders.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sim.proc import Life

if TYPE_CHECKING:
    from sim.world import World

REORDER_S = 2.0  # how much later a message may come than those sent after it
ORDER_S = 1e-6  # between two messages of a lane: what is due at one time runs in any order


@dataclass(slots=True)
class Weather:
    """One direction between two hosts; shares are of messages."""

    latency_s: tuple[float, float] = (0.002, 0.03)
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    cuts: int = 0  # how many faults cut it now

    def calm(self, loss: float) -> None:
        """Be as on a plain day: ``loss`` and nothing else. What is cut stays cut."""
        self.loss, self.duplicate, self.reorder = loss, 0.0, 0.0
        self.latency_s = (0.002, 0.03)


class Lane:
    """One direction of one connection: remembers the last arrival, to keep order."""

    __slots__ = ("last_s", "name", "weather")

    def __init__(self, name: str, weather: Weather) -> None:
        self.name = name
        self.weather = weather
        self.last_s = 0.0


class Net:
    """All links."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._rng: random.Random = world.dice("net")
        self._loss = world.plan.loss
        self._weather: dict[tuple[str, str], Weather] = defaultdict(
            lambda: Weather(loss=self._loss)
        )
        self._on_cut: dict[Callable[[], None], None] = {}

    def weather(self, source: str, target: str) -> Weather:
        """Return the weather of one direction, to read or to change."""
        return self._weather[source, target]

    def is_cut(self, one: str, other: str) -> bool:
        """Return whether either direction is cut: TCP then gets nowhere."""
        return bool(self._weather[one, other].cuts or self._weather[other, one].cuts)

    def cut(self, source: str, target: str) -> None:
        """Cut one direction; those who hold a connection over it begin to wonder."""
        self._weather[source, target].cuts += 1
        for wonder in list(self._on_cut):
            wonder()

    def mend(self, source: str, target: str) -> None:
        """End one cut of one direction."""
        weather = self._weather[source, target]
        weather.cuts = max(weather.cuts - 1, 0)

    def clear(self) -> None:
        """Make every link fine."""
        self._loss = 0.0
        for weather in self._weather.values():
            weather.calm(0.0)
            weather.cuts = 0

    def watch(self, wonder: Callable[[], None]) -> Callable[[], None]:
        """Have ``wonder`` called at each cut; return what ends that."""
        self._on_cut[wonder] = None
        return partial(self._on_cut.pop, wonder, None)

    def lane(self, source: str, target: str) -> Lane:
        """Return one direction of a new connection."""
        return Lane(f"{source} > {target}", self._weather[source, target])

    def send(
        self, lane: Lane, to: Life, what: str, deliver: Callable[..., None], *args: Any
    ) -> None:
        """Carry a message; ``deliver(*args)`` runs in the receiving life, if it still lives.

        The last of ``args`` is traced with the event where it is bytes.
        """
        weather, rng = lane.weather, self._rng
        if weather.cuts or (weather.loss and rng.random() < weather.loss):
            self._world.trace.met("a message was lost on the network")
            return
        for _ in range(2 if weather.duplicate and rng.random() < weather.duplicate else 1):
            at_s = self._world.loop.time() + rng.uniform(*weather.latency_s)
            if weather.reorder and rng.random() < weather.reorder:
                at_s += rng.uniform(0, REORDER_S)
                self._world.trace.met("a message overtook another on the network")
            else:
                at_s = lane.last_s = max(at_s, lane.last_s + ORDER_S)
            self._world.loop.call_at(
                at_s, self._deliver, lane, to, what, deliver, args, context=to.context
            )

    def _deliver(
        self, lane: Lane, to: Life, what: str, deliver: Callable[..., None], args: tuple[Any, ...]
    ) -> None:
        if not to.alive or lane.weather.cuts:
            return
        payload = args[-1] if args and isinstance(args[-1], bytes) else b""
        self._world.trace.note(f"{lane.name} {what}", payload)
        deliver(*args)
        self._world.after_event(to)
