"""Disks and arrays, as far as an unprivileged look tells.

Controllers that died, disks that are offline, flash that is worn, arrays with a member missing.
SMART logs need root: they come with the root facts, not from here. Nothing wakes a disk.
"""

from collections.abc import Iterator
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.sampler import Look
from roost_agent.discovery.reader import Reader
from roost_agent.discovery.section import Missing
from roost_agent.discovery.sysfs import entries, known
from roost_protocol import entity as entities
from roost_protocol.severity import Severity

HEALTH: Final = "100.801"
ARRAY: Final = "100.804"
BLOCK: Final = "sys/block"
NVME: Final = "sys/class/nvme"
DISKS_MAX: Final = 256
WORN: Final = 0x0A  # eMMC life_time: 90 to 100 % of its life is used
OVER: Final = 0x0B  # its life is over
END_OF_LIFE: Final = 0x03  # eMMC pre_eol_info: urgent
_LIVE: Final = frozenset({"live", "connecting", "resetting", "new"})
_WELL: Final = frozenset({"running", "blocked", "quiesce", "created", "created-blocked"})
_FAILED: Final = frozenset({"inactive", "suspended", "clear", "broken"})


class Disks:
    """See the module."""

    types = frozenset({HEALTH, ARRAY})
    interval_s = 60
    may_hang = False

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return how each disk and array is."""
        reader = look.reader
        for name in entries(reader, NVME)[:DISKS_MAX]:
            state = reader.text(f"{NVME}/{name}/state")
            if isinstance(state, str):
                yield _health(name, Severity.MAJOR, "" if state in _LIVE else f"controller {state}")
        for name in entries(reader, BLOCK)[:DISKS_MAX]:
            if reader.exists(f"{BLOCK}/{name}/md"):
                yield _array(reader, name)
            elif name.startswith("mmcblk"):
                yield from _flash(reader, name)
            elif name.startswith("sd"):
                state = reader.text(f"{BLOCK}/{name}/device/state")
                if isinstance(state, str):
                    yield _health(name, Severity.MAJOR, "" if state in _WELL else state)


def _health(name: str, severity: Severity, finding: str) -> Finding:
    found = severity if finding else Severity.CLEARED
    return Finding(HEALTH, f"disk={entities.escape(name)}", found, {"finding": finding})


def _flash(reader: Reader, name: str) -> Iterator[Finding]:
    """Yield the wear of an eMMC: two areas, the worse counts."""
    text = reader.text(f"{BLOCK}/{name}/device/life_time")
    if isinstance(text, Missing):
        return
    used = max((int(word, 16) for word in text.split()), default=0)
    is_urgent = known(reader.number(f"{BLOCK}/{name}/device/pre_eol_info", radix=16)) == END_OF_LIFE
    if is_urgent or used >= OVER:
        yield _health(name, Severity.MAJOR, "its life is over")
    else:
        yield _health(name, Severity.MINOR, "worn, 90 % or more" if used >= WORN else "")


def _array(reader: Reader, name: str) -> Finding:
    entity = f"md={entities.escape(name)}"
    state = reader.text(f"{BLOCK}/{name}/md/array_state")
    if isinstance(state, Missing):
        return Finding(ARRAY, entity, None)
    missing = known(reader.count(f"{BLOCK}/{name}/md/degraded")) or 0
    severity = Severity.MAJOR if missing else Severity.CLEARED
    if state in _FAILED:
        severity = Severity.CRITICAL
    return Finding(ARRAY, entity, severity, {"state": state, "missing": missing})
