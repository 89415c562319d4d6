"""What ``systemctl show`` says of units: what roost asks for, and how that is read. Pure."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

PROPERTIES: Final = (
    "ActiveState",
    "Result",
    "NRestarts",
    "WatchdogUSec",
    "WatchdogTimestampMonotonic",
    "StatusText",
)
SLACK_MS: Final = 1_000  # systemd itself acts first
STATUS_CHARS_MAX: Final = 80
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|min|h|d|w|month|y)", re.ASCII)
_MS: Final = {  # systemd.time(7)
    "us": 0.001, "ms": 1, "s": 1_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000,
    "w": 604_800_000, "month": 2_629_800_000, "y": 31_557_600_000,
}  # fmt: skip
_WELL: Final = frozenset({"", "success"})
_WHY: Final = {  # systemd.service(5), $SERVICE_RESULT
    "watchdog": "its watchdog ran out",
    "oom-kill": "the kernel killed it for memory",
    "core-dump": "it dumped core",
    "timeout": "it took too long",
    "start-limit-hit": "systemd starts it no more: too many starts",
}


class Unit(msgspec.Struct, frozen=True):
    """One unit.

    Attributes:
        state: systemd's ``ActiveState``.
        result: of its last run; ``success`` while it runs.
        restarts: by systemd itself.
        watchdog_ms: it must say so often that it is well; 0: it need not.
        fed_ms: when it last did, by CLOCK_MONOTONIC; 0: not in this run.
        status: what it says of itself.
    """

    state: str = ""
    result: str = ""
    restarts: int = 0
    watchdog_ms: int = 0
    fed_ms: int = 0
    status: str = ""

    def why_ended(self) -> str:
        """Return why its last run ended; empty: systemd holds it for well."""
        if self.result in _WELL:
            return ""
        return _WHY.get(self.result, f"systemd says {self.result}")

    def complaint(self, now_ms: int) -> str:
        """Return why it is not well by its watchdog; empty: it is, or nothing says.

        Args:
            now_ms: CLOCK_MONOTONIC.
        """
        said = f": it says {self.status}" if self.status else ""
        if self.result == "watchdog":
            return f"{_WHY[self.result]}, systemd ends it{said}"
        is_due = self.state == "active" and self.watchdog_ms and self.fed_ms
        late_ms = now_ms - self.fed_ms
        if not is_due or late_ms <= self.watchdog_ms + SLACK_MS:
            return ""
        due = f"due every {self.watchdog_ms / 1000:g} s"
        return f"it fed its watchdog {late_ms // 1000} s ago, {due}{said}"


def parse(text: str, count: int) -> Sequence[Unit] | None:
    """Return the units in the order in which they were asked for; None: it makes no sense."""
    blocks = [block for block in text.strip("\n").split("\n\n") if block]
    if len(blocks) != count:
        return None
    return [
        _unit(dict(line.partition("=")[::2] for line in block.splitlines())) for block in blocks
    ]


def _unit(said: dict[str, str]) -> Unit:
    return Unit(
        state=said.get("ActiveState", ""),
        result=said.get("Result", ""),
        restarts=_whole(said.get("NRestarts", "")),
        watchdog_ms=_span_ms(said.get("WatchdogUSec", "")),
        fed_ms=_whole(said.get("WatchdogTimestampMonotonic", "")) // 1_000,
        status=said.get("StatusText", "")[:STATUS_CHARS_MAX],
    )


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0  # noqa: PLR2004 - 64 bits


def _span_ms(text: str) -> int:
    """Return a span as systemd writes it, ``1min 30s``; 0 for ``infinity`` and ``0``."""
    return int(sum(float(count) * _MS[unit] for count, unit in _SPAN.findall(text)))
