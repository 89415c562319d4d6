"""PCI Express links that run narrower than card and slot could.

Width alone: a link's speed follows its load, its width does not.
"""

from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.sampler import Look
from roost_agent.discovery.sysfs import PCI_DEVICES, entries, known, resolve
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

NARROW: Final = "100.803"
DEVICES_MAX: Final = 512


class Pci:
    """See the module."""

    types = frozenset({NARROW})
    interval_s = 3_600
    may_hang = False

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return each card that has a link."""
        reader = look.reader
        for address in entries(reader, PCI_DEVICES)[:DEVICES_MAX]:
            base = resolve(reader, f"{PCI_DEVICES}/{address}")
            now = known(reader.count(f"{base}/current_link_width"))
            able = known(reader.count(f"{base}/max_link_width"))
            slot = known(reader.count(f"{base.rpartition('/')[0]}/max_link_width"))
            if not now or not able or not slot:
                continue  # no link, or one of the chipset's own
            best = min(able, slot)
            severity = Severity.WARNING if now < best else Severity.CLEARED
            params = {"cur": f"x{now}", "max": f"x{best}"}
            yield Finding(NARROW, f"pci={entities.escape(address)}", severity, params)
