"""Network ports: carrier, members of a bond, speed, and packets in error.

A port that the configuration names is watched from the start; any other with hardware behind it
once it had a carrier, or is alarmed: a port that nobody plugged in is no fault.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final

from roost_agent.alarms.rules import Finding, Key, Reading, Sample
from roost_agent.alarms.samples.sampler import Look
from roost_agent.config import PortRole
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing
from roost_agent.discovery.sysfs import entries, known
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

PORT_DOWN: Final = {PortRole.WAN: "100.106", PortRole.LAN: "100.108", PortRole.HA: "100.110"}
DEGRADED: Final = {PortRole.WAN: "100.107", PortRole.LAN: "100.109", PortRole.HA: "100.111"}
ERRORS: Final = "100.812"
NET: Final = "sys/class/net"
PORTS_MAX: Final = 256
PACKETS_MIN: Final = 1_000  # of a look: fewer tell nothing of a rate
ADMIN_UP: Final = 0x1  # IFF_UP, linux/if.h
_COUNTERS: Final = ("rx_packets", "tx_packets", "rx_errors", "tx_errors")


class Ports:
    """Carrier and bonds."""

    types = frozenset((*PORT_DOWN.values(), *DEGRADED.values()))
    interval_s = 5
    may_hang = False

    def __init__(
        self, roles: Mapping[str, PortRole], alarmed: Callable[[], Collection[Key]]
    ) -> None:
        self._roles = roles
        self._alarmed = alarmed
        self._watched: set[str] | None = None

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return how each watched port and bond is."""
        reader = look.reader
        if self._watched is None:
            stood = {name for kind, entity in self._alarmed() for name in _ports(kind, entity)}
            self._watched = {*stood, *self._roles}
        names = entries(reader, NET)[:PORTS_MAX]
        for name in names:
            base = f"{NET}/{name}"
            if reader.exists(f"{base}/bonding"):
                yield self._bond(reader, name)
            elif reader.exists(f"{base}/device") or name in self._watched:
                yield from self._port(reader, name, self._watched)
        for name in sorted(self._roles.keys() - set(names)):
            entity = f"port={entities.escape(name)}"
            yield Finding(PORT_DOWN[self._roles[name]], entity, Severity.MAJOR)

    def _port(self, reader: Reader, name: str, watched: set[str]) -> Iterator[Sample]:
        flags = reader.number(f"{NET}/{name}/flags", radix=16)
        is_asked = isinstance(flags, int) and bool(flags & ADMIN_UP)
        has_carrier = known(reader.number(f"{NET}/{name}/carrier")) == 1
        if is_asked and has_carrier:
            watched.add(name)
        if name not in watched:
            return
        # Taken down on purpose is no fault, unless the configuration says that it must be up.
        is_down = not has_carrier and (is_asked or name in self._roles)
        severity = Severity.MAJOR if is_down else Severity.CLEARED
        yield Finding(PORT_DOWN[self._role(name)], f"port={entities.escape(name)}", severity)

    def _bond(self, reader: Reader, name: str) -> Sample:
        text = reader.text(f"{NET}/{name}/bonding/slaves")
        type_, entity = DEGRADED[self._role(name)], f"interface={entities.escape(name)}"
        if isinstance(text, Missing):
            return Finding(type_, entity, None)
        members = text.split()[:PORTS_MAX]
        states = [reader.text(f"{NET}/{each}/bonding_slave/mii_status") for each in members]
        up = sum(state == "up" for state in states)
        severity = Severity.CLEARED
        if members and up < len(members):
            severity = Severity.MAJOR if up else Severity.CRITICAL
        return Finding(type_, entity, severity, {"up": up, "total": len(members)})

    def _role(self, name: str) -> PortRole:
        return self._roles.get(name, PortRole.LAN)


class Errors:
    """Packets in error, of a thousand since the look before."""

    types = frozenset({ERRORS})
    interval_s = 60
    may_hang = False

    def __init__(self) -> None:
        self._before: dict[str, tuple[int, int]] = {}  # packets, errors

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return the rate of every port with hardware behind it."""
        reader = look.reader
        before, self._before = self._before, {}
        for name in entries(reader, NET)[:PORTS_MAX]:
            if not reader.exists(f"{NET}/{name}/device"):
                continue
            counts = [reader.count(f"{NET}/{name}/statistics/{each}") for each in _COUNTERS]
            numbers = [count for count in counts if isinstance(count, int)]
            entity = f"interface={entities.escape(name)}"
            if len(numbers) < len(_COUNTERS):
                yield Reading(ERRORS, entity, None)
                continue
            now = (sum(numbers[:2]), sum(numbers[2:]))
            self._before[name] = now
            yield Reading(ERRORS, entity, _permille(before.get(name), now))


def _permille(before: tuple[int, int] | None, now: tuple[int, int]) -> float | None:
    if before is None or now[0] < before[0] or now[1] < before[1]:
        return None  # the first look, or a driver that began anew
    packets, errors = now[0] - before[0], now[1] - before[1]
    return 1000 * errors / (packets + errors) if packets + errors >= PACKETS_MIN else 0.0


def _ports(type_: str, entity: str) -> Iterator[str]:
    """Yield the port that an alarm is about."""
    if type_ in PORT_DOWN.values():
        yield from (value for kind, value in entities.parse(entity) if kind == "port")
