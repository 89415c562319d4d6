"""Whether this node's guard can keep what a lease of the site promises, and why not.

A guard is started by a unit of its own with options of its own, and only its device knows when it
bites: what counts is read back from the guard, and compared with the site's file. What it could not
keep, this node does not stand for: a promise covers the file's times and no others.

Leaves to others: to ask the guard (guard_client), to refuse an armed hold (runtime).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from roost_agent.ha import bite
from roost_agent.ha.bite import Bite
from roost_agent.ha.config import HaConfig
from roost_agent.ha.core_events import GuardSaid
from roost_agent.ha.guard_report import GuardReport
from roost_agent.ha.lease_plan import lease_watchdog_ms
from roost_agent.ha.timing import Timing
from roost_protocol.explain import Explain

REFUSED_MS: Final = 60_000  # a lease that the guard refused is not stood for so long
LOST: Final = "its guard does not answer"
NO_BITES: Final[Mapping[str, Bite]] = MappingProxyType({})


def compared(
    config: HaConfig, report: GuardReport, bites: Mapping[str, Bite] = NO_BITES
) -> GuardSaid:
    """Return what a guard's state means for the leases of a site.

    Args:
        config: of the site.
        report: of the guard.
        bites: which watchdogs were seen to bite, or not to.
    """
    has_ends = not config.is_sticky or config.has_wan_witness  # else a hold has no deadline
    late = _deadline_fault(report, config.timing) if has_ends else ""
    unproven = ""
    if bite.bars(config, report, bites):
        unproven = bite.untested(config, report, bites)
    bars: dict[str, str] = {}
    for group in config.groups:
        if group.has_lease:
            allowed_ms = lease_watchdog_ms(config, group.name)
            why = late or watchdog_fault(report.watchdog_ms, allowed_ms, report.watchdog)
            why = why or (unproven if allowed_ms else "")
            bars |= {group.name: why} if why else {}
    doubt = ""
    if has_ends and not late:  # measured under whatever load there was: it bars nothing
        kill_ms, lag_ms = report.kill_ms or 0, report.lag_ms or 0
        doubt = config.timing.margin_fault(report.tick_ms, kill_ms, lag_ms)
    return GuardSaid(bars, doubt, report.pid)


def watchdog_fault(bites_ms: int, allowed_ms: int, why_none: str = "") -> str:
    """Return why a watchdog does not stand behind a lease, empty if it does or need not.

    Args:
        bites_ms: within which the device bites; 0: there is none.
        allowed_ms: W, which the promises cover; 0: the lease needs none.
        why_none: why there is none.
    """
    if not allowed_ms:
        return ""
    if not bites_ms:
        return f"the guard has no tested watchdog: {why_none}"
    if bites_ms > allowed_ms:
        return (
            f"the guard's watchdog bites within {bites_ms} ms, and ha.toml allows {allowed_ms} ms "
            "(timing.watchdog_ms): start the guard as roost-agent ha check says"
        )
    return ""


def _deadline_fault(report: GuardReport, timing: Timing) -> str:
    if report.lease_ms < timing.lease_ms:
        return (
            f"the guard takes deadlines up to {report.lease_ms} ms ahead, and ha.toml's lease is "
            f"{timing.lease_ms} ms: start the guard as roost-agent ha check says"
        )
    fault = timing.margin_fault(report.tick_ms)
    return f"the guard's tick is {report.tick_ms} ms: {fault}" if fault else ""


class GuardFitness:
    """What the guard could not keep, as was heard last."""

    def __init__(self) -> None:
        self._said = GuardSaid()
        self._is_lost = False
        self._refused: dict[str, tuple[str, int]] = {}  # lease -> why, until when

    def told(self, said: GuardSaid) -> list[Explain]:
        """Take in what the guard said of itself; return what changed, in sentences."""
        before, self._said, self._is_lost = self._said, said, False
        if said.pid != before.pid:
            self._refused.clear()  # by another guard, started otherwise perhaps
        words = {
            name: f"{name} cannot be active here: {why}"
            for name, why in said.bars.items()
            if before.bars.get(name) != why
        }
        words |= {
            name: f"{name} could be active here again: the guard can keep it"
            for name in before.bars
            if name not in said.bars
        }
        return [Explain(sentence, {"group": name}) for name, sentence in words.items()]

    def lost(self) -> None:
        """Take in that the guard does not answer."""
        self._is_lost = True

    def armed(self, name: str) -> None:
        """Take in that it took a lease's deadlines."""
        self._is_lost = False
        self._refused.pop(name, None)

    def refused(self, name: str, why: str, now_ms: int) -> None:
        """Take in that it refused them, for a reason that another turn would meet again."""
        self._refused[name] = why, now_ms + REFUSED_MS

    def look(self, now_ms: int) -> None:
        """Let a lease be tried again whose refusal is long ago."""
        kept = {name: each for name, each in self._refused.items() if now_ms < each[1]}
        self._refused = kept

    def bar(self, name: str) -> str:
        """Return why this node may not stand for a lease that is guarded, empty if it may."""
        if self._is_lost:
            return LOST
        if why := self._said.bars.get(name, ""):
            return why
        why, _ = self._refused.get(name, ("", 0))
        return f"the guard refused it: {why}" if why else ""

    @property
    def fault(self) -> str:
        """What is wrong with a guard that answers, for the alarm; empty: nothing."""
        refused = [f"it refused {name}: {why}" for name, (why, _) in self._refused.items()]
        bars = dict.fromkeys(self._said.bars.values())  # one for many leases
        return "; ".join(filter(None, [*bars, *refused, self._said.doubt]))
