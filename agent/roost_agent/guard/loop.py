"""The guard's loop: deadlines before anything else, then the watchdog, then who asks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable

from roost_agent.guard import address, cgroup, packet, state_file
from roost_agent.guard.core import (
    BITING,
    KILLING,
    MISSED,
    Accept,
    Arm,
    Bite,
    Deadlines,
    Disarm,
    Event,
    Kill,
    Refuse,
    Save,
    Stopped,
    Terminate,
    Tick,
)
from roost_agent.guard.lag import Lag
from roost_agent.guard.record import Any, Final, Record
from roost_agent.guard.watchdog import Watchdog

IDLE_MS: Final = 1_000  # between two looks while nothing is held
SWEEP_MS: Final = 1_000  # between two looks for what runs without a hold
RETRY_MS: Final = 10  # between two kills of what is still there
DID_NOT_BITE: Final = "it was fed no more and did not bite in its time"


class Setting(Record):
    """What a guard is started with.

    Attributes:
        root: the folder of cgroups that need a hold.
        slices: the folder of those that systemd makes for us; empty: there is none.
        hardware: the watchdog and the machine, in words.
        notes: what could not be had at the start, such as locked memory.
        kill_ms: how long a kill took at the start; None: not measured.
    """

    root: str
    state: str
    boot_id: str
    lease_ms: int
    tick_ms: int
    notes: tuple[str, ...] = ()
    kill_ms: int | None = None
    slices: str = ""
    hardware: str = ""


class Loop:
    """Everything between the core and the kernel.

    Args:
        setting: see there.
        core: the deadlines, with what was kept.
        watchdog: the device, or none.
        now_ms: the boot clock.
        say: takes one line for the log.

    Attributes:
        roots: the folders of what needs a hold.
    """

    def __init__(
        self,
        setting: Setting,
        core: Deadlines,
        watchdog: Watchdog,
        now_ms: Callable[[], int],
        say: Callable[[str], None],
    ) -> None:
        self._setting = setting
        self._core = core
        self._watchdog = watchdog
        self._now_ms = now_ms
        self._say = say
        self._fed_ms = 0
        self._swept_ms = -SWEEP_MS
        self._told: set[str] = set()
        self._lag = Lag()
        self._wakes_ms: int | None = None  # when the wait of the last turn is over
        self.roots = tuple(filter(None, (setting.root, setting.slices)))

    def turn(self) -> int:
        """Do what is due and return how long there is nothing else to do, in ms.

        Called first after every wait: what a suspend, a freeze or a SIGSTOP let pass is acted on
        before a word of anybody is read.
        """
        self._look_at_lag()
        self._handle(Tick())
        self._feed()
        now_ms = self._now_ms()
        if now_ms - self._swept_ms >= SWEEP_MS:
            self._swept_ms = now_ms
            self._sweep()
        wait_ms = self._wait_ms()
        self._wakes_ms = self._now_ms() + wait_ms
        return wait_ms

    def answer(self, raw: bytes) -> bytes:
        """Return the answer of a packet."""
        try:
            request = packet.decode(raw)
        except packet.PacketError as err:
            return packet.encode({"ok": False, "error": "bad", "detail": str(err)})
        if isinstance(request, packet.State):
            return packet.encode(self._state())
        if isinstance(request, Arm):
            return packet.encode(self._arm(request))
        if isinstance(request, packet.AskedToBite):
            self._say("asked to let the watchdog starve, to see that it bites")
            return packet.encode(self._handle(Bite(self._watchdog.timeout_ms)))
        if isinstance(request, Disarm):
            request = self._seen(request)
        return packet.encode(self._handle(request))

    def try_kill(self, folder: str, tried: Callable[[str, Callable[[], int]], int | None]) -> None:
        """Measure what a kill takes here, while nothing else is to be done."""
        if self.is_free:
            self._setting = self._setting._replace(kill_ms=tried(folder, self._now_ms))

    @property
    def is_free(self) -> bool:
        """Whether nothing is held."""
        return not self._core.holds

    def _look_at_lag(self) -> None:
        """Note by how much the wait took too long, unless a packet ended it."""
        now_ms = self._now_ms()
        if self._wakes_ms is not None and now_ms >= self._wakes_ms:
            self._lag.waited(now_ms - self._wakes_ms)

    def _arm(self, request: Arm) -> dict[str, Any]:
        """Let run what a hold is about, once the hold is there."""
        wrong = [cgroup.unfit(group, self.roots) for group in request.cgroups]
        if any(wrong):
            return {"ok": False, "error": "cgroup", "detail": "; ".join(filter(None, wrong))}
        answer = self._handle(request)
        if answer["ok"]:
            self._freeze(request.cgroups, is_frozen=False)
        return answer

    def _freeze(self, groups: Iterable[str], *, is_frozen: bool) -> None:
        """Open or shut groups: what enters a shut one does not begin to run.

        A kill ends what is there. Only this stops what is on its way: a unit whose start systemd
        has yet to come to, a program of an agent that was stopped before it could start it.
        """
        for group in groups:
            if failed := cgroup.freeze(group, is_frozen=is_frozen):
                self._once(failed)

    def _handle(self, event: Event) -> dict[str, Any]:
        """Do what an event asks for; return the answer, for whoever asked."""
        answer: dict[str, Any] = {"ok": True, "watchdog_ms": self._watchdog.timeout_ms}
        for action in self._core.handle(event, self._now_ms()):
            if isinstance(action, Save):
                if failed := self._save():
                    return {"ok": False, "error": "state", "detail": failed}
            elif isinstance(action, Refuse):
                return {"ok": False, "error": action.error, "detail": action.detail}
            elif isinstance(action, Terminate):
                self._say(f"{_name(action.hold)}: past D1, told to end")
                for group in action.hold.cgroups:
                    cgroup.terminate(group)
            elif isinstance(action, Kill):
                self._kill(action.hold)
            else:
                assert isinstance(action, Accept)  # noqa: S101 - there is no other
        return answer

    def _kill(self, hold: Arm) -> None:
        self._once(f"{_name(hold)}: past D2, killed")
        self._freeze(hold.cgroups, is_frozen=True)
        wrong = [cgroup.kill(group) for group in hold.cgroups]
        wrong += [address.remove(vip, interface) for vip, interface in hold.vips]
        for each in filter(None, wrong):
            self._once(f"{_name(hold)}: {each}")
        if not any(wrong) and all(map(cgroup.is_empty, hold.cgroups)):
            self._say(f"{_name(hold)}: has stopped")
            self._told.clear()
            self._handle(Stopped(hold.lease))

    def _seen(self, asked: Disarm) -> Disarm:
        """Return the request with what is seen of the hold: groups empty, addresses gone."""
        named = (asked.lease, asked.epoch)
        held = [hold for hold, _ in self._core.holds if (hold.lease, hold.epoch) == named]
        groups = [group for hold in held for group in hold.cgroups]
        is_empty = all(map(cgroup.is_empty, groups))
        if is_empty:
            self._freeze(groups, is_frozen=True)
            is_empty = all(map(cgroup.is_empty, groups))  # nothing came in between
            self._freeze(() if is_empty else groups, is_frozen=False)
        if is_empty:
            left = [address.remove(*vip) for hold in held for vip in hold.vips]
            is_empty = not any(left)
        return asked._replace(is_empty=is_empty)

    def _save(self) -> str:
        setting = self._setting
        try:
            state_file.save(setting.state, setting.boot_id, self._core.holds, self._core.ended)
        except OSError as err:
            self._once(f"{setting.state}: {err.strerror}")
            return f"{setting.state}: {err.strerror}"
        return ""

    def _feed(self) -> None:
        feed_ms = self._watchdog.feed_ms
        now_ms = self._now_ms()
        if feed_ms is None:
            return
        if not self._core.may_feed(now_ms):
            is_test = self._core.bite == BITING
            why = "it is to reset this machine" if is_test else "something runs past its D3"
            self._once(f"the watchdog is fed no more: {why}")
        elif now_ms - self._fed_ms >= feed_ms:
            self._fed_ms = now_ms
            if failed := self._watchdog.feed():
                self._once(failed)

    def _sweep(self) -> None:
        """Kill what runs in our folders without a hold, and let nothing more begin there."""
        held = {group for hold, _ in self._core.holds for group in hold.cgroups}
        groups = [each for root in self.roots for each in cgroup.below(root, depth=1)]
        self._freeze((group for group in groups if group not in held), is_frozen=True)
        for group in groups:
            if group not in held and not cgroup.is_empty(group):
                self._say(f"{group}: runs without a hold, killed")
                if failed := cgroup.kill(group):
                    self._once(failed)

    def _wait_ms(self) -> int:
        holds = self._core.holds
        waits = [IDLE_MS]
        if self._watchdog.feed_ms is not None:
            waits.append(self._watchdog.feed_ms // 2)
        if any(stage == KILLING for _, stage in holds):
            waits.append(RETRY_MS)
        due_ms = self._core.due_ms()
        if due_ms is not None:  # a suspend is no part of the wait: so never longer than a tick
            waits += [self._setting.tick_ms, max(0, due_ms - self._now_ms())]
        return min(waits)

    def _once(self, line: str) -> None:
        """Say what every turn would say again, until the next stop that worked."""
        if line not in self._told:
            self._told.add(line)
            self._say(line)

    def _state(self) -> dict[str, Any]:
        setting, watchdog = self._setting, self._watchdog
        has_missed = self._core.bite == MISSED
        return {
            "ok": True,
            "pid": os.getpid(),
            "boot_id": setting.boot_id,
            "now_ms": self._now_ms(),
            "lease_ms": setting.lease_ms,
            "tick_ms": setting.tick_ms,
            "kill_ms": setting.kill_ms,
            "lag_ms": self._lag.p999_ms,
            "root": setting.root,
            "slices": setting.slices,
            "watchdog_ms": 0 if has_missed else watchdog.timeout_ms,
            "watchdog": DID_NOT_BITE if has_missed else watchdog.why_not or "tested",
            "hardware": setting.hardware,
            "bite": self._core.bite,
            "notes": list(setting.notes),
            "holds": [
                {
                    "lease": hold.lease,
                    "epoch": hold.epoch,
                    "d1_ms": hold.d1_ms,
                    "d2_ms": hold.d2_ms,
                    "d3_ms": hold.d3_ms,
                    "hard": hold.is_hard,
                    "stage": stage,
                }
                for hold, stage in self._core.holds
            ],
            "ended": dict(self._core.ended),
        }


def _name(hold: Arm) -> str:
    return f"{hold.lease} epoch {hold.epoch}"
