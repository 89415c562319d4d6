"""Memory errors that EDAC counts: corrected ones by the hour, an uncorrected one until the boot."""

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.sampler import Look
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.sysfs import entries, known
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

ECC: Final = "100.802"
EDAC: Final = "sys/devices/system/edac/mc"
DIMMS_MAX: Final = 128
HOUR_MS: Final = 3_600_000
CORRECTED_MAX: Final = 10  # in an hour
_DIMM: Final = re.compile("(?:dimm|rank)[0-9]+")
_CONTROLLER: Final = re.compile("mc[0-9]+")


class Ecc:
    """See the module."""

    types = frozenset({ECC})
    interval_s = 60
    may_hang = False

    def __init__(self) -> None:
        self._counts: dict[str, deque[tuple[int, int]]] = {}  # when, corrected errors by then

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return the errors of each module."""
        reader = look.reader
        places = [
            f"{controller}/{name}"
            for controller in filter(_CONTROLLER.fullmatch, entries(reader, EDAC))
            for name in filter(_DIMM.fullmatch, entries(reader, f"{EDAC}/{controller}"))
        ]
        for place in places[:DIMMS_MAX]:
            yield self._dimm(reader, place, look.now_ms)

    def _dimm(self, reader: Reader, place: str, now_ms: int) -> Finding:
        base = f"{EDAC}/{place}"
        label = reader.text(f"{base}/dimm_label")
        name = label if isinstance(label, str) and label else place
        entity = f"dimm={entities.escape(name[:64])}"
        corrected = known(reader.count(f"{base}/dimm_ce_count"))
        uncorrected = known(reader.count(f"{base}/dimm_ue_count"))
        if corrected is None or uncorrected is None:
            return Finding(ECC, entity, None)
        if uncorrected:
            return _found(entity, Severity.CRITICAL, uncorrected, "uncorrected")
        seen = self._counts.setdefault(place, deque(maxlen=HOUR_MS // 1000 // self.interval_s + 1))
        seen.append((now_ms, corrected))
        while now_ms - seen[0][0] > HOUR_MS:
            seen.popleft()
        count = corrected - seen[0][1]
        severity = Severity.MINOR if count > CORRECTED_MAX else Severity.CLEARED
        return _found(entity, severity, count, "corrected")


def _found(entity: str, severity: Severity, count: int, kind: str) -> Finding:
    return Finding(ECC, entity, severity, {"count": count, "kind": kind})
