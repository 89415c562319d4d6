"""Which silent hosts have no power, by their board controllers, in this node's turn. Pure.

A controller reads Off twice, a second apart, before it counts (bmc/act.py): then the host is told
as ``power-off``, and nothing more is done about its silence: somebody switched it off, or its
office has no power. On again it is offline until it is heard. What was read before the host was
heard last says nothing.
"""

from collections.abc import Callable
from typing import Final

from roost_agent.host.around import Around, Site
from roost_agent.host.moment import Moment
from roost_agent.host.site import SiteHosts

AGAIN_MS: Final = 120_000  # between two readings (hosts.md section 10: BMC audit)


class Powers:
    """See the module.

    Args:
        hosts: the others of the site.
        site: whose turn it is.
        around: the way to board controllers.
        now: both clocks.
    """

    def __init__(
        self, hosts: SiteHosts, site: Site, around: Around, now: Callable[[], Moment]
    ) -> None:
        self._hosts = hosts
        self._site = site
        self._around = around
        self._now = now
        self._asked_ms: dict[str, int] = {}  # of hosts that are out: when it was asked for

    def look(self) -> None:
        """Take in what was read, and ask for what is not known."""
        if self._site.turn() is None:
            self._asked_ms = {}
            return
        now, out = self._now(), self._hosts.out()
        self._asked_ms = {node: at for node, at in self._asked_ms.items() if node in out}
        for node in out:
            read = self._around.power(node)
            if read is not None:
                self._hosts.powered(node, read, now)
            asked_ms = self._asked_ms.get(node)
            if asked_ms is None or now.ms - asked_ms >= AGAIN_MS:
                self._asked_ms[node] = now.ms
                self._around.look_at_power(node)
