"""Whether a port runs as fast as both of its ends can."""

from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.network import NET, PORTS_MAX
from roost_agent.alarms.samples.sampler import Look
from roost_agent.discovery.ethtool import Ethtool
from roost_agent.discovery.section import Missing
from roost_agent.discovery.sysfs import entries, known
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

SLOW: Final = "100.811"


class Speed:
    """See the module."""

    types = frozenset({SLOW})
    interval_s = 60
    may_hang = False

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return each port that has a carrier; only of the running machine."""
        reader = look.reader
        if not reader.is_live:
            return
        with Ethtool() as driver:
            for name in entries(reader, NET)[:PORTS_MAX]:
                if not reader.exists(f"{NET}/{name}/device"):
                    continue
                speed = known(reader.number(f"{NET}/{name}/speed"))
                able = driver.able_mbits(name)
                entity = f"interface={entities.escape(name)}"
                yield _judge(entity, speed, able)


def _judge(entity: str, speed: int | None, able: int | Missing) -> Finding:
    """Return the finding; without a carrier, or without the far end's word, nobody knows."""
    if speed is None or speed <= 0 or isinstance(able, Missing):
        return Finding(SLOW, entity, None)
    severity = Severity.WARNING if speed < able else Severity.CLEARED
    return Finding(SLOW, entity, severity, {"value": speed, "limit": able, "unit": "Mbit/s"})
