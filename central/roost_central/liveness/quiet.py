"""Whether to suspect ourselves: just started, a broker or our canary lost, or most are silent.

Invariants: silence proves nothing while nothing of ours passes through any broker; one
QuietChanged at each turn, and one each time the count of the silent is told, however many fall
silent (one summary, not N alarms: hosts.md section 5); each doubt ends only after brokers and
canaries were well for ``settle_ms``.
"""

from roost_central.liveness.facts import Limits, QuietChanged
from roost_central.liveness.mass import Mass


class Quiet:
    """The quiet mode and its reasons."""

    def __init__(self, limits: Limits, brokers: frozenset[str], now_ms: int, mass: Mass) -> None:
        self._limits = limits
        self._mass = mass
        self._brokers = brokers
        self._down = set(brokers)
        self._dumb: set[str] = set()  # what we say through these does not come back
        self._settle_until_ms = now_ms + limits.settle_ms
        self._doubt_until_ms: int | None = None
        self._told = (0, now_ms)  # the count of the silent, and when
        self._why: str | None = "start"
        self.hearing_since_ms = now_ms

    @property
    def is_on(self) -> bool:
        """Whether thresholds are stretched and nodes are not announced one by one."""
        return self._why is not None

    @property
    def is_deaf(self) -> bool:
        """Whether nothing comes through any broker."""
        return bool(self._brokers) and self._down | self._dumb == self._brokers

    def broker_up(self, broker: str, now_ms: int) -> bool:
        """Note that a broker is heard; return whether we were deaf until now."""
        return self._mended(self._down, broker, now_ms)

    def broker_down(self, broker: str) -> None:
        """Note that a broker is lost; its canary says nothing any more."""
        self._down.add(broker)
        self._dumb.discard(broker)

    def canary(self, broker: str, now_ms: int, *, is_well: bool) -> bool:
        """Note whether our own message came back; return whether we were deaf until now."""
        if not is_well:
            if broker not in self._down:
                self._dumb.add(broker)
            return False
        return broker in self._dumb and self._mended(self._dumb, broker, now_ms)

    def review(self, sites: int, now_ms: int) -> list[QuietChanged]:
        """Return the change of mode that is due, if one is; ``sites`` were ever heard."""
        self._mass.review(sites, now_ms, self._settle_until_ms)
        was, self._why = self._why, self._reason(sites, now_ms)
        begins = self._why == "silence" and was != "silence"
        ends = self._why is None and was is not None
        if begins:
            self._mass.doubt()
        elif ends:
            self._mass.believe()
        is_recount = not begins and was is not None and self._why is not None
        if (is_recount and not self._is_news(now_ms)) or was is self._why is None:
            return []
        silent, heard = self._mass.doubted, self._mass.heard(sites)
        self._told = (silent, now_ms)
        why = self._why or was or ""
        return [QuietChanged(self.is_on, why, silent, heard, is_recount=is_recount)]

    def _mended(self, broken: set[str], broker: str, now_ms: int) -> bool:
        was_deaf = self.is_deaf
        broken.discard(broker)
        self._settle_until_ms = now_ms + self._limits.settle_ms
        is_mended = was_deaf and not self.is_deaf
        if is_mended:
            self.hearing_since_ms = now_ms
        return is_mended

    def _is_news(self, now_ms: int) -> bool:
        told, at_ms = self._told
        waited = now_ms - at_ms >= self._limits.told_ms
        return self._why == "silence" and waited and self._mass.doubted != told

    def _reason(self, sites: int, now_ms: int) -> str | None:
        if self._down or self._dumb or now_ms < self._settle_until_ms:
            if self._why in {"start", "silence"}:  # it lasts until all is well
                return self._why
            if self._down:
                return "broker"
            return "canary" if self._dumb else self._why or "broker"
        if self._doubt_until_ms is None and self._mass.is_too_much(sites):
            self._doubt_until_ms = now_ms + self._limits.settle_ms
        if self._doubt_until_ms is not None and now_ms >= self._doubt_until_ms:
            self._doubt_until_ms = None
        return None if self._doubt_until_ms is None else "silence"
