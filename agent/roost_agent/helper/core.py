"""What the helper does and what it refuses: the closed list of verbs, their rates and budgets.

Leaves reading, running and saving to the shell. Invariants:

- no word of a caller reaches a command: names are looked up, the unit is the catalogue's;
- a reboot is counted, and saved by whoever acts on the answer, before it is done;
- what cannot be counted is not done.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

UNIT_VERBS: Final = {"unit_start": "start", "unit_stop": "stop"}
CONFIG_VERBS: Final = {  # the document's one-shot finds and checks it by itself
    "config_apply": ("start", "--no-block", "--"),  # it may wait two minutes for the next verb
    "config_confirm": ("kill", "--signal=SIGURG", "--kill-whom=main", "--"),
}
FACTS: Final = {  # one-shots that come with roost: roost-facts@NAME.service
    "dmi": ("start",),
    "lldp": ("start", "--no-block"),  # it listens for 35 s, and nobody waits for that
}
INSTALL_VERBS: Final = ("stage", "activate", "confirm", "rollback", "cleanup")  # of one release

HOUR_MS: Final = 3_600_000
REBOOTS_MAX: Final = 2  # ordered ones within REBOOT_WINDOW_MS; local HA has a budget of its own
REBOOT_WINDOW_MS: Final = 24 * HOUR_MS
REBOOTS_KEPT: Final = 16  # older nonces are forgotten; orders expire long before


@dataclass(frozen=True, slots=True)
class Now:
    """Both clocks, in ms: rates go by the first, what outlives a reboot by the second."""

    boot_ms: int
    wall_ms: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The units that the agent may start and stop.

    Attributes:
        units: name to systemd unit.
        why_not: why there are none: the file is absent, or not root's alone.
    """

    units: Mapping[str, str]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that could be read.

    Attributes:
        verb: one of the closed list.
        given: its fields, each of its form already.
        catalogue: as it stood when the request came.
    """

    verb: str
    given: Mapping[str, str]
    catalogue: Catalogue = Catalogue({})


@dataclass(frozen=True, slots=True)
class Unread:
    """A request that makes no sense; it counts against the rate like any other."""

    detail: str


@dataclass(frozen=True, slots=True)
class Rebooted:
    """One ordered reboot: when, the order's nonce, and what for."""

    at_ms: int
    nonce: str
    reason: str


@dataclass(frozen=True, slots=True)
class Save:
    """Put the reboots on disk; only then do what follows."""

    reboots: tuple[Rebooted, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Run systemctl with these words; its exit status is the answer."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Do nothing.

    Attributes:
        error: one word: bad, rate, unknown, catalogue, budget, replayed.
        detail: a sentence for the operator.
    """

    error: str
    detail: str


class Rate:
    """At most ``count`` in any ``window_ms``."""

    def __init__(self, count: int, window_ms: int) -> None:
        self._window_ms = window_ms
        self._taken: deque[int] = deque(maxlen=count)

    def take(self, boot_ms: int) -> bool:
        """Count one more and return True, or return False where that would be too many."""
        taken = self._taken
        if len(taken) == taken.maxlen and boot_ms - taken[0] < self._window_ms:
            return False
        taken.append(boot_ms)
        return True


class Verbs:
    """The helper's decisions.

    Args:
        reboots: those of the past, oldest first.
        uncounted: why the past is not known; empty: it is.
    """

    def __init__(self, reboots: tuple[Rebooted, ...] = (), uncounted: str = "") -> None:
        self._reboots = reboots
        self._uncounted = uncounted
        self._units = Rate(20, 1_000)
        self._others = Rate(30, 60_000)

    def handle(self, event: Asked | Unread, now: Now) -> list[Save | Run | Refuse]:
        """Return what is to be done, in this order; nothing follows a Refuse."""
        is_unit = isinstance(event, Asked) and event.verb in UNIT_VERBS
        if not (self._units if is_unit else self._others).take(now.boot_ms):
            bound = "20 a second" if is_unit else "30 a minute"
            return [Refuse("rate", f"more than {bound}: ask again later")]
        if isinstance(event, Unread):
            return [Refuse("bad", event.detail)]
        if is_unit:
            return [_unit(event)]
        if event.verb == "reboot":
            return self._reboot(event.given, now.wall_ms)
        return [_one_shot(event)]

    def _reboot(self, given: Mapping[str, str], wall_ms: int) -> list[Save | Run | Refuse]:
        if self._uncounted:
            return [Refuse("budget", f"reboots are not counted: {self._uncounted}")]
        if any(each.nonce == given["nonce"] for each in self._reboots):
            return [Refuse("replayed", "this order was acted on before")]
        # After a clock was set back, by years perhaps, a reboot that lies ahead counts as made now:
        # longer than its day, and not for ever.
        known = tuple(replace(each, at_ms=min(each.at_ms, wall_ms)) for each in self._reboots)
        kept = [Save(known)] if known != self._reboots else []
        self._reboots = known
        ages_ms = [wall_ms - each.at_ms for each in known]
        recent = [age_ms for age_ms in ages_ms if age_ms < REBOOT_WINDOW_MS]
        if len(recent) >= REBOOTS_MAX:
            wait_h = -(-(REBOOT_WINDOW_MS - sorted(recent)[REBOOTS_MAX - 1]) // HOUR_MS)
            detail = f"{REBOOTS_MAX} ordered reboots within 24 h already: the next in {wait_h} h"
            return [*kept, Refuse("budget", detail)]
        reboot = Rebooted(wall_ms, given["nonce"], given["reason"])
        self._reboots = (*self._reboots, reboot)[-REBOOTS_KEPT:]
        return [Save(self._reboots), Run(("--no-wall", "--check-inhibitors=no", "reboot"))]


def _unit(event: Asked) -> Run | Refuse:
    name = event.given["name"]
    if event.catalogue.why_not:
        return Refuse("catalogue", event.catalogue.why_not)
    unit = event.catalogue.units.get(name)
    if unit is None:
        return Refuse("unknown", f"{name}: no name of the catalogue")
    return Run((UNIT_VERBS[event.verb], "--", unit))


def _one_shot(event: Asked) -> Run | Refuse:
    if event.verb == "facts":
        return _facts(event.given["name"])
    if event.verb in INSTALL_VERBS:  # it reads by itself what is asked, and takes its time
        about = f"{event.verb}-{event.given['digest']}"
        return Run(("start", "--no-block", "--", f"roost-install@{about}.service"))
    return Run((*CONFIG_VERBS[event.verb], f"roost-config@{event.given['digest']}.service"))


def _facts(name: str) -> Run | Refuse:
    if name not in FACTS:
        return Refuse("unknown", f"{name}: no facts of that name; there are {', '.join(FACTS)}")
    return Run((*FACTS[name], "--", f"roost-facts@{name}.service"))
