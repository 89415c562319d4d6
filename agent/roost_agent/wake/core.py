"""When to probe which classes.

A change of links or devices wakes a probe of what it touches once it has been quiet for a moment,
so that a burst costs one probe; every class is probed at the start and at long intervals.

Leaves to others: sockets, stamps, the child, the clock and the jitter.

Invariants:
- one probe at a time; what wakes meanwhile is probed after it;
- probes of the network that links wake are NETWORK_SPACING_MS apart;
- every wake leads to a probe: noise only delays it, never past WAIT_MS_MAX after the first.
"""

from typing import Final, assert_never

import msgspec

NETWORK_QUIET_MS: Final = 500
NETWORK_SPACING_MS: Final = 10_000
DEVICE_QUIET_MS: Final = 2_000  # a plugged device comes with a dozen of events
WAIT_MS_MAX: Final = 10_000  # a flapping link must not put its own probe off for ever
RETRY_MS: Final = 60_000  # after a probe that failed
FULL_JITTER: Final = 0.1  # of the interval, both ways

NETWORK: Final = ("nic", "link")
SUBSYSTEMS: Final = {  # of a uevent -> the classes it touches
    "net": NETWORK,
    "block": ("disk", "partition", "filesystem", "raid"),
    "nvme": ("disk", "storage_controller"),
    "scsi": ("disk", "storage_controller"),
    "pci": ("pci", "sriov", "accelerator", "gpu", "nic"),
    "drm": ("gpu",),
    "usb": ("usb",),
    "hwmon": ("sensor",),
    "power_supply": ("power",),
    "cpu": ("cpu", "cpu_thread", "cpu_cache"),
    "memory": ("memory", "numa"),
    "node": ("numa",),
    "module": ("module",),
    "tpm": ("tpm",),
    "watchdog": ("watchdog",),
    "fpga_region": ("fpga",),
}


class Start(msgspec.Struct, frozen=True):
    """The agent runs: everything is probed now."""


class LinksMoved(msgspec.Struct, frozen=True):
    """The kernel said something of links or addresses."""


class DeviceMoved(msgspec.Struct, frozen=True):
    """A uevent of this subsystem."""

    subsystem: str


class Stale(msgspec.Struct, frozen=True):
    """The cheap look found that these classes moved."""

    classes: tuple[str, ...]


class Asked(msgspec.Struct, frozen=True):
    """An operator wants a probe of these classes, or of all."""

    classes: tuple[str, ...]


class Probed(msgspec.Struct, frozen=True):
    """The probe ended; ``jitter`` in [0, 1) spreads the next full one."""

    ok: bool
    jitter: float


class Tick(msgspec.Struct, frozen=True):
    """Time has passed."""


Event = Start | LinksMoved | DeviceMoved | Stale | Asked | Probed | Tick


class Probe(msgspec.Struct, frozen=True):
    """Start a probe of these classes; of all where empty."""

    classes: tuple[str, ...]


class WakeCore:
    """The probes of one node.

    Args:
        interval_ms: of the full probe.
    """

    __slots__ = ("_full_ms", "_interval_ms", "_network_ms", "_running", "_waiting")

    def __init__(self, *, interval_ms: int) -> None:
        self._interval_ms = interval_ms
        self._full_ms: int | None = None
        self._running: tuple[str, ...] | None = None
        self._network_ms = -NETWORK_SPACING_MS  # when links last woke a probe
        self._waiting: dict[str, tuple[int, int]] = {}  # class -> due, and due at the latest

    @property
    def probing(self) -> bool:
        """Whether a probe runs."""
        return self._running is not None

    def handle(self, event: Event, now_ms: int) -> list[Probe]:
        """Take in one event and return the probe to start, if any.

        Args:
            event: what happened.
            now_ms: the boot clock.
        """
        match event:
            case Start():
                self._full_ms = now_ms
            case LinksMoved():
                earliest = max(now_ms + NETWORK_QUIET_MS, self._network_ms + NETWORK_SPACING_MS)
                self._wait(NETWORK, earliest, now_ms)
            case DeviceMoved(subsystem):
                self._wait(SUBSYSTEMS.get(subsystem, ()), now_ms + DEVICE_QUIET_MS, now_ms)
            case Stale(classes):
                self._wait(classes, now_ms, now_ms)
            case Asked(classes):
                if classes:
                    self._wait(classes, now_ms, now_ms)
                else:
                    self._full_ms = now_ms
            case Probed():
                self._probed(event, now_ms)
            case Tick():
                pass
            case _:
                assert_never(event)
        return self._start(now_ms)

    def due_ms(self) -> int | None:
        """Return when the next tick is needed, None while a probe runs."""
        if self._running is not None:
            return None
        waits = [due_ms for due_ms, _ in self._waiting.values()]
        if self._full_ms is not None:
            waits.append(self._full_ms)
        return min(waits, default=None)

    def _wait(self, classes: tuple[str, ...], due_ms: int, now_ms: int) -> None:
        for each in classes:
            _, latest = self._waiting.get(each, (0, max(due_ms, now_ms + WAIT_MS_MAX)))
            self._waiting[each] = (min(due_ms, latest), latest)

    def _probed(self, event: Probed, now_ms: int) -> None:
        classes, self._running = self._running, None
        if event.ok:
            if classes == ():
                spread = 1 + FULL_JITTER * (2 * event.jitter - 1)
                self._full_ms = now_ms + round(self._interval_ms * spread)
        elif classes:
            self._wait(classes, now_ms + RETRY_MS, now_ms + RETRY_MS)
        else:
            self._full_ms = now_ms + RETRY_MS

    def _start(self, now_ms: int) -> list[Probe]:
        if self._running is not None:
            return []
        if self._full_ms is not None and self._full_ms <= now_ms:
            self._full_ms = None
            self._waiting.clear()
            self._running = ()
            return [Probe(())]
        due = tuple(sorted(each for each, (due_ms, _) in self._waiting.items() if due_ms <= now_ms))
        if not due:
            return []
        for each in due:
            del self._waiting[each]
        if set(NETWORK) & set(due):
            self._network_ms = now_ms
        self._running = due
        return [Probe(due)]
