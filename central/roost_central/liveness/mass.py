"""How many sites fell silent together: a few, a mass of them, or so many that it may be us. Pure.

A site is silent when none of its nodes was heard for as long as makes a node suspect, which is one
beat before it is dark: whether it is one of many is known before anything is said of it.

Invariants: a site that is heard counts nowhere; one that was silent long before counts neither
among the newly silent nor among those that could be heard.
"""

from itertools import takewhile

from roost_central.liveness.facts import Limits
from roost_protocol.topics import SiteId


class Mass:
    """The silent sites.

    Attributes:
        is_doubting: whether silence may be our own fault: nothing of it is told.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fresh: dict[SiteId, int] = {}  # newly silent and not heard since, oldest first
        self._beat: dict[SiteId, tuple[int, int]] = {}  # those of one beat: since when, its length
        self._old: set[SiteId] = set()
        self._doubted: dict[SiteId, None] = {}  # silent, by what may be our own fault
        self._wave: dict[SiteId, None] = {}  # it was not; silent ever since
        self._over_ms: int | None = None  # when the newly silent were last a mass
        self._settled_ms = 0  # windows stand still until then
        self.is_doubting = False
        self._is_ending = False

    def fell_silent(self, site: SiteId, interval_ms: int, now_ms: int) -> None:
        """Note that no node of a site was heard for too long; ``interval_ms`` is of its beats."""
        self._fresh[site] = now_ms
        self._beat[site] = (now_ms, min(interval_ms, self._limits.silent_window_ms))
        if self.is_doubting:
            self._doubted[site] = None

    def spoke(self, site: SiteId) -> None:
        """Note that a node of a site is heard, or that the site is gone."""
        self._old.discard(site)
        self._fresh.pop(site, None)
        self._beat.pop(site, None)
        self._doubted.pop(site, None)
        self._wave.pop(site, None)

    def is_silent(self, site: SiteId) -> bool:
        """Return whether nothing is heard from a site."""
        return site in self._fresh or site in self._old

    def review(self, sites: int, now_ms: int, settling_until_ms: int) -> None:
        """Let time pass; windows stand still while it is too early to hear anybody.

        Args:
            sites: that were ever heard.
            now_ms: the monotonic clock.
            settling_until_ms: end of the time in which silence means nothing.
        """
        self._settled_ms = settling_until_ms
        if now_ms < settling_until_ms:
            return
        window_ms = self._limits.silent_window_ms
        for site in self._past_the_window(now_ms):
            del self._fresh[site]
            self._old.add(site)
        for site in self._past_their_beat(now_ms):
            del self._beat[site]
        limits = self._limits
        share = self.heard(sites) * limits.mass_permille // 1000
        if len(self._fresh) >= max(limits.mass_sites_min, share):
            self._over_ms = now_ms
        elif self._over_ms is not None and now_ms - self._over_ms >= window_ms:
            self._over_ms = None

    def heard(self, sites: int) -> int:
        """Return how many of the sites that were ever heard could be heard lately."""
        return sites - len(self._old)

    def is_too_much(self, sites: int) -> bool:
        """Return whether so many fell silent within one beat that it may be us."""
        limits, silent = self._limits, len(self._beat)
        share = self.heard(sites) * limits.doubt_permille // 1000
        return silent >= limits.mass_sites_min and silent > share

    # -- doubt -----------------------------------------------------------------------------

    def doubt(self) -> None:
        """Take the newly silent, and those to come, for our own fault."""
        self.is_doubting = True
        self._is_ending = False
        self._doubted.update(dict.fromkeys(self._fresh))

    def believe(self) -> None:
        """Doubt no more, as soon as ``is_over`` was asked: who is silent then is told together."""
        self._is_ending = self.is_doubting
        self._beat.clear()

    def is_over(self) -> bool:
        """Return, once, whether a doubt is over, and with it what was kept back may be told."""
        if not self._is_ending:
            return False
        self.is_doubting = self._is_ending = False
        self._wave, self._doubted = self._doubted, {}
        return True

    @property
    def doubted(self) -> int:
        """How many sites are silent by what may be our own fault."""
        return len(self._doubted)

    def is_one_of_many(self, site: SiteId) -> bool:
        """Return whether a silent site fell silent with a mass of others."""
        if len(self._wave) >= self._limits.mass_sites_min and site in self._wave:
            return True
        return self._over_ms is not None and site in self._fresh

    def _past_the_window(self, now_ms: int) -> list[SiteId]:
        oldest_ms = now_ms - self._limits.silent_window_ms
        if self._settled_ms > oldest_ms:
            return []
        return list(takewhile(lambda site: self._fresh[site] <= oldest_ms, self._fresh))

    def _past_their_beat(self, now_ms: int) -> list[SiteId]:
        def is_past(site: SiteId) -> bool:
            since_ms, length_ms = self._beat[site]
            return now_ms - max(since_ms, self._settled_ms) > length_ms

        return list(takewhile(is_past, self._beat))
