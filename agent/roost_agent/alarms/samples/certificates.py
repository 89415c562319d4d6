"""Certificates that come to their end: of the paths, and those that the configuration names."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from roost_agent.alarms.rules import Finding, Sample
from roost_agent.alarms.samples.certificate import FILE_BYTES_MAX, validities
from roost_agent.alarms.samples.sampler import Look
from roost_agent.discovery.section import Missing
from roost_protocol import entity as entities
from roost_protocol.limits import ENTITY_BYTES_MAX
from roost_protocol.severity import Severity

EXPIRING: Final = "500.200"
EXPIRED: Final = "500.210"
CHAIN_MAX: Final = 8  # certificates of one chain; more are a bundle, in which some are always old
LIFE_LEFT: Final = 0.25  # of its life: time to renew it


class Certificates:
    """See the module.

    Args:
        files: absolute paths of PEM files.
        wall_ms: the clock that certificates are judged by.
    """

    types = frozenset({EXPIRING, EXPIRED})
    interval_s = 3_600
    may_hang = True

    def __init__(self, files: Sequence[str], wall_ms: Callable[[], int]) -> None:
        self._files = tuple(dict.fromkeys(files))
        self._wall_ms = wall_ms

    def sample(self, look: Look) -> Iterator[Sample]:
        """Return each file's first certificate; a chain's is its owner's own."""
        reader = look.reader
        for file in self._files:
            entity = f"cert={entities.escape(file)}"
            if len(entity.encode()) > ENTITY_BYTES_MAX or "/../" in file:
                continue
            text = reader.text(file.lstrip("/"), FILE_BYTES_MAX)
            try:
                found = [] if isinstance(text, Missing) else list(validities(text))
            except ValueError:
                found = []
            yield from _judge(entity, found, self._wall_ms())


def _judge(entity: str, found: list[tuple[int, int]], wall_ms: int) -> Iterator[Finding]:
    if not 1 <= len(found) <= CHAIN_MAX:  # unreadable, or others' in a bundle: not observed
        yield from (Finding(type_, entity, None) for type_ in (EXPIRING, EXPIRED))
        return
    begin_ms, end_ms = found[0]
    when = datetime.fromtimestamp(end_ms / 1000, UTC).strftime("%Y-%m-%d %H:%MZ")
    is_over = wall_ms >= end_ms
    is_late = not is_over and end_ms - wall_ms <= LIFE_LEFT * (end_ms - begin_ms)
    params = {"when": when}
    yield Finding(EXPIRING, entity, Severity.MAJOR if is_late else Severity.CLEARED, params)
    yield Finding(EXPIRED, entity, Severity.CRITICAL if is_over else Severity.CLEARED, params)
