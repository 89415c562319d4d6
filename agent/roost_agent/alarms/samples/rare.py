"""The looks whose code is too large to stay: port speed, PCI links, certificates.

Prints what a child found, as JSON. The resident agent starts it, reads it and forgets it: see
Rarely. Arguments: the certificate files.
"""

import sys
from collections.abc import Iterable

import msgspec

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.certificates import Certificates
from roost_agent.alarms.samples.pci import Pci
from roost_agent.alarms.samples.sampler import Look
from roost_agent.alarms.samples.speed import Speed
from roost_agent.discovery.reader import Reader
from roost_agent.ports import SystemClock


def findings(look: Look, files: list[str], wall_ms: int) -> Iterable[Sample]:
    """Return everything that is found."""
    for sampler in (Speed(), Pci(), Certificates(files, lambda: wall_ms)):
        yield from sampler.sample(look)


def main(argv: list[str]) -> int:
    """Print the findings of this machine."""
    clock = SystemClock()
    look = Look(Reader(), clock.boot_ms())
    rows = [
        [each.type, each.entity, each.severity, dict(each.params)]
        for each in findings(look, argv, clock.wall_ms())
        if isinstance(each, Finding)
    ]
    sys.stdout.write(msgspec.json.encode(rows).decode() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
