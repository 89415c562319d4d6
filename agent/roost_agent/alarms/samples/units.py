"""Units of systemd that failed."""

from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.child import output
from roost_agent.alarms.samples.sampler import Look
from roost_protocol import entity as entities
from roost_protocol.limits import ENTITY_BYTES_MAX
from roost_protocol.severity import Severity

FAILED: Final = "400.001"
UNITS_MAX: Final = 64
COMMAND: Final = (
    "systemctl",
    "list-units",
    "--state=failed",
    "--plain",
    "--no-legend",
    "--no-pager",
)


class Units:
    """See the module.

    Args:
        command: lists one failed unit a line, its name first.
    """

    types = frozenset({FAILED})
    interval_s = 60
    may_hang = True

    def __init__(self, command: tuple[str, ...] = COMMAND) -> None:
        self._command = command

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return the units that failed; one that is not listed is well."""
        reader = look.reader
        if not reader.exists("run/systemd/system"):
            return
        text = output(self._command)
        names = [line.split()[0] for line in text.splitlines() if line.strip()]
        found = {f"service={entities.escape(name)}" for name in names[:UNITS_MAX]}
        for entity in sorted(each for each in found if len(each.encode()) <= ENTITY_BYTES_MAX):
            yield Finding(FAILED, entity, Severity.MAJOR, {"state": "failed"})
