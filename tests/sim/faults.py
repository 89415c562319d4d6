"""The faults: how each begins and ends. They may overlap; the end of the safety phase ends all."""

import random
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from sim.broker import Mood
from sim.plan import Fault, links
from sim.proc import Host

if TYPE_CHECKING:
    from sim.world import World

STEPS_MS = (-3_600_000, 3_600_000, 86_400_000, -10 * 365 * 86_400_000, 1_000)
End = Callable[[], None]


class Faults:
    """Makes faults happen in a world."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._kinds: dict[str, Callable[[Fault, random.Random], End | None]] = {
            "kill": partial(self._down, power=False),
            "power-cut": partial(self._down, power=True),
            "stop": self._stop,
            "pause": self._pause,
            "cut": self._cut,
            "half-open": self._half_open,
            "swizzle": self._swizzle,
            "weather": self._weather,
            "mood": self._mood,
            "disk-full": partial(self._disk, what="is_full"),
            "disk-slow": partial(self._disk, what="is_slow"),
            "clock-step": self._clock_step,
            "hardware": self._hardware,
            "backup": self._backup,
            "restore": self._restore,
        }

    def plan(self) -> None:
        """Have every fault of the plan happen in its time."""
        for place, fault in enumerate(self._world.plan.faults):
            dice = self._world.dice(f"fault/{fault.kind}/{fault.at_s}/{place}")
            self._world.loop.call_at(fault.at_s, self.strike, fault, dice)
            if fault.kind == "restore":  # there is a backup to go back to
                self._world.loop.call_at(dice.uniform(0, fault.at_s), self._world.centre.backup)

    def strike(self, fault: Fault, dice: random.Random) -> None:
        """Begin a fault; it ends in its time, or with the safety phase."""
        world = self._world
        if world.is_healing:
            return
        world.trace.note(f"fault {fault.kind} {fault.who} {fault.other}")
        world.trace.met(f"fault {fault.kind}")
        end = self._kinds[fault.kind](fault, dice)
        if end is not None:
            world.loop.call_later(fault.for_s, self._end, end)

    def heal(self) -> None:
        """End everything, whatever began it."""
        world = self._world
        for broker in world.brokers.values():
            broker.mood = Mood()
        for host in world.hosts.values():
            host.disk.is_full = host.disk.is_slow = False
            self._resume(host)
        world.net.clear()
        self.start_all()

    def start_all(self) -> None:
        """Start whatever is down, as a service manager does: a late stop may still end one."""
        for host in self._world.hosts.values():
            host.start()

    def _end(self, end: End) -> None:
        if not self._world.is_healing:
            end()

    def _down(self, fault: Fault, _dice: random.Random, *, power: bool) -> End:
        host = self._world.hosts[fault.who]
        host.kill(power=power)
        return host.start

    def _stop(self, fault: Fault, _dice: random.Random) -> End:
        host = self._world.hosts[fault.who]
        host.stop()
        return host.start

    def _pause(self, fault: Fault, _dice: random.Random) -> End | None:
        host = self._world.hosts[fault.who]
        if host.life is None or host.life.is_paused:
            return None
        host.pause()
        return partial(self._resume, host)

    def _resume(self, host: Host) -> None:
        if host.life is not None and host.life.is_paused:
            self._world.trace.met("a program was stopped and went on")
            host.resume()

    def _cut(self, fault: Fault, _dice: random.Random) -> End:
        net = self._world.net
        net.cut(fault.who, fault.other)
        net.cut(fault.other, fault.who)

        def mend() -> None:
            net.mend(fault.who, fault.other)
            net.mend(fault.other, fault.who)

        return mend

    def _half_open(self, fault: Fault, _dice: random.Random) -> End:
        self._world.net.cut(fault.who, fault.other)
        return partial(self._world.net.mend, fault.who, fault.other)

    def _swizzle(self, fault: Fault, dice: random.Random) -> None:
        """Clog a random half of the links one by one, and open them in another order."""
        net, loop = self._world.net, self._world.loop
        chosen = [pair for pair in links(self._world.plan) if dice.random() < 0.5]
        for one, other in chosen:
            loop.call_later(dice.uniform(0, fault.for_s / 2), self._clog, one, other)
        dice.shuffle(chosen)
        for one, other in chosen:
            at_s = fault.for_s / 2 + dice.uniform(0, fault.for_s / 2)
            loop.call_later(at_s, self._end, partial(net.mend, one, other))
            loop.call_later(at_s, self._end, partial(net.mend, other, one))

    def _clog(self, one: str, other: str) -> None:
        if not self._world.is_healing:
            self._world.net.cut(one, other)
            self._world.net.cut(other, one)

    def _weather(self, fault: Fault, dice: random.Random) -> End:
        weather = self._world.net.weather(fault.who, fault.other)
        weather.loss = dice.choice([0.0, 0.05, 0.4]) * fault.amount
        weather.duplicate = dice.choice([0.0, 0.3]) * fault.amount
        weather.reorder = dice.choice([0.0, 0.3]) * fault.amount
        slow_s = dice.choice([0.03, 0.6, 5.0]) * fault.amount
        weather.latency_s = (slow_s / 2 + 0.002, slow_s + 0.01)
        return partial(weather.calm, self._world.plan.loss)

    def _mood(self, fault: Fault, dice: random.Random) -> End:
        broker = self._world.brokers[fault.who]
        names = ("drop", "repeat", "hold", "replay", "spoil", "retain")
        shares = {name: dice.choice([0.0, 0.1, 0.3]) * fault.amount for name in names}
        broker.mood = Mood(**shares)

        def calm() -> None:
            broker.mood = Mood()

        return calm

    def _disk(self, fault: Fault, _dice: random.Random, *, what: str) -> End:
        disk = self._world.hosts[fault.who].disk
        setattr(disk, what, True)
        return partial(setattr, disk, what, False)

    def _clock_step(self, fault: Fault, dice: random.Random) -> None:
        self._world.hosts[fault.who].clock.off_ms += dice.choice(STEPS_MS)

    def _hardware(self, fault: Fault, _dice: random.Random) -> None:
        self._world.nodes[fault.who].change_hardware()

    def _backup(self, _fault: Fault, _dice: random.Random) -> None:
        self._world.centre.backup()

    def _restore(self, _fault: Fault, _dice: random.Random) -> End:
        """The machine of the centre is lost, and built anew from its last backup."""
        centre = self._world.centre
        centre.host.kill(power=True)
        centre.put_back()
        return centre.host.start
