"""What is looked at rarely, by a child that exits: port speed, PCI links, certificates."""

import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.child import output
from roost_agent.alarms.samples.sampler import Look
from roost_agent.errors import ProbeError
from roost_protocol.severity import Severity

COMMAND: Final = (sys.executable, "-m", "roost_agent.alarms.samples.rare")
_decode: Final = msgspec.json.Decoder(list[tuple[str, str, Severity | None, dict[str, Any]]]).decode


class Rarely:
    """See the module.

    Args:
        files: of certificates.
        command: prints what was found; the files are its arguments.
    """

    types = frozenset({"100.803", "100.811", "500.200", "500.210"})
    interval_s = 900
    may_hang = True

    def __init__(self, files: Sequence[str], command: Sequence[str] = COMMAND) -> None:
        self._command = (*command, *dict.fromkeys(files))

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return what the child found; only of the running machine."""
        if not look.reader.is_live:
            return
        try:
            found = _decode(output(self._command))
        except msgspec.MsgspecError as err:
            raise ProbeError(f"a child wrote what is no list of findings: {err}") from err
        for type_, entity, severity, params in found:
            if type_ in self.types:
                yield Finding(type_, entity, severity, params)
