"""What happens to a group, and what its core wants done."""

import msgspec


class Start(msgspec.Struct, frozen=True):
    """The group is to run here, under this epoch."""

    epoch: int


class Stop(msgspec.Struct, frozen=True):
    """It is to stop; what still runs at ``by_ms`` is killed. None: each service has its budget.

    Attributes:
        epoch: that is to be confirmed; an agent that has just begun knows no other.
    """

    by_ms: int | None = None
    epoch: int = 0


class Started(msgspec.Struct, frozen=True):
    """A start ended; ``failure`` is empty when it worked."""

    service: str
    failure: str = ""


class Ended(msgspec.Struct, frozen=True):
    """Nothing of a service runs any more, as was wanted."""

    service: str


class Died(msgspec.Struct, frozen=True):
    """A service was seen to be gone, though it should run."""

    service: str
    how: str


class Probed(msgspec.Struct, frozen=True):
    """A probe ended; ``jitter`` in [-1, 1) spreads the next one.

    Attributes:
        outcome: pass, fail or timeout.
        is_slow: the node itself is (local health multiplier above 2): its timeouts mean nothing.
    """

    service: str
    outcome: str
    jitter: float = 0.0
    is_slow: bool = False


class VipsUp(msgspec.Struct, frozen=True):
    """All addresses are here."""


class VipsDown(msgspec.Struct, frozen=True):
    """All addresses are gone from here."""


class VipsFailed(msgspec.Struct, frozen=True):
    """An address could not be had: another has it, or the node may not."""

    why: str


class Emptied(msgspec.Struct, frozen=True):
    """The group's cgroup was seen empty."""


class Paused(msgspec.Struct, frozen=True):
    """Maintenance of the group began or ended: while it is on, nothing is watched or restarted."""

    is_on: bool


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = (
    Start
    | Stop
    | Started
    | Ended
    | Died
    | Probed
    | VipsUp
    | VipsDown
    | VipsFailed
    | Emptied
    | Paused
    | Tick
)


class Run(msgspec.Struct, frozen=True):
    """Start a service; say Started."""

    service: str
    epoch: int


class End(msgspec.Struct, frozen=True):
    """Stop a service in its way; say Ended."""

    service: str


class Clear(msgspec.Struct, frozen=True):
    """Kill what is left of a service; say Ended."""

    service: str


class Probe(msgspec.Struct, frozen=True):
    """Run a service's probe once; say Probed."""

    service: str


class RaiseVips(msgspec.Struct, frozen=True):
    """Have the addresses here; say VipsUp or VipsFailed."""


class LowerVips(msgspec.Struct, frozen=True):
    """Remove the addresses; say VipsDown."""


class KillAll(msgspec.Struct, frozen=True):
    """Kill everything in the group's cgroup."""


class LookEmpty(msgspec.Struct, frozen=True):
    """See whether the group's cgroup is empty; say Emptied once it is."""


class Running(msgspec.Struct, frozen=True):
    """The whole group runs."""

    epoch: int


class StopConfirmed(msgspec.Struct, frozen=True):
    """Nothing of the group runs: it was seen."""

    epoch: int


class Failed(msgspec.Struct, frozen=True):
    """No restart cured a service.

    Attributes:
        impact: none, minor, major or critical.
        step: what the ladder says next: failover, node-fail, reboot; empty: nothing is left.
    """

    service: str
    impact: str
    step: str
    why: str


class Restarting(msgspec.Struct, frozen=True):
    """A service failed and is started again."""

    service: str
    after_ms: int
    why: str


class Cured(msgspec.Struct, frozen=True):
    """A service that was told as failed runs again."""

    service: str


Report = Running | StopConfirmed | Failed | Restarting | Cured
Action = Run | End | Clear | Probe | RaiseVips | LowerVips | KillAll | LookEmpty | Report
