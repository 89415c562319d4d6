"""What the nodes of a site have of a release, and how they lend it each other.

One fetches from afar for all; the others ask those that have it first. A neighbour is believed no
more than any mirror.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from roost_agent.ha.config import SITE_LEASE
from roost_agent.ha.lan import lan_of
from roost_agent.ha.member import THERE
from roost_agent.update.place import Near
from roost_protocol.update import Offer
from roost_protocol.update_word import UpdateWord, job_mark, unpack

if TYPE_CHECKING:
    from roost_agent.enrolled import Enrolled
    from roost_agent.ha.runtime import Runtime

_HAVING: Final = "staged"  # the step at which a node surely lends
_FETCHING: Final = frozenset({"precheck", "download", "verify"})


@dataclass(frozen=True, slots=True)
class Lan:
    """How nodes of the site lend each other what they fetched.

    Attributes:
        known: this node's identity; without one it lends and borrows nothing.
        port: of each; 0: they do not.
    """

    known: "Enrolled | None" = None
    port: int = 0


NO_LAN: Final = Lan()


class SiteLan:
    """See the module.

    Args:
        site: its name.
        runtime: of local HA.
        lan: see there.
    """

    def __init__(self, site: str, runtime: "Runtime", lan: Lan) -> None:
        self._site_name = site
        self._runtime = runtime
        self._core = runtime.core
        self._lan = lan
        self._me = runtime.core.who.node
        self._names = {node.index: node.name for node in runtime.config.nodes}

    def near(self, offer: Offer) -> Near:
        """Return where the release may be had in the site, and who fetches it for all.

        The coordinator does, where the job is for it; else the first of the job that is there.
        """
        if not self._lends:
            return Near()
        mark = job_mark(offer.job, offer.attempt)
        words = {index: self._word(index, mark) for index in self._names if index != self._me}
        mirrors = [
            f"{self._names[index]}@{address}:{self._lan.port}"
            for index, word in words.items()
            if word is not None
            and word.step == _HAVING
            and not word.outcome
            and (address := self._address(index))
        ]
        done = {index for index, word in words.items() if word is not None and word.is_committed}
        fetcher = self._fetcher(offer, done)
        if mirrors or fetcher is None or fetcher == self._me:
            return Near(mirrors)
        word = words[fetcher]
        is_at_it = word is None or word.step in _FETCHING
        return Near(fetcher=self._names[fetcher] if is_at_it else "")

    def lending(self) -> tuple[str, ...]:
        """Return the options of the child that lends."""
        address, lan = self._address(self._me), lan_of(self._lan.known)
        if not self._lends or not address or lan is None:
            return ()
        nodes = self._runtime.config.nodes
        members = ",".join(lan.user(each.name, each.box) for each in nodes)
        return (f"--address={address}", f"--port={self._lan.port}", f"--members={members}")

    @property
    def _lends(self) -> bool:
        return bool(self._lan.port) and self._lan.known is not None

    def _word(self, index: int, mark: int) -> UpdateWord | None:
        told = self._core.members.report(index)
        if told is None or self._core.members.state(index) not in THERE:
            return None
        word = unpack(told.update)
        return word if word is not None and word.job == mark else None

    def _fetcher(self, offer: Offer, done: set[int]) -> int | None:
        """Return who fetches for all of those that are there and not done; None: nobody is."""
        there = [
            index
            for index, name in self._names.items()
            if f"{self._site_name}.{name}" in offer.nodes
            and index not in done
            and (index == self._me or self._core.members.state(index) in THERE)
        ]
        lease = self._core.leases.get(SITE_LEASE)
        holder = None if lease is None else lease.belief(self._runtime.now_ms()).holder
        return holder if holder in there else min(there, default=None)

    def _address(self, index: int) -> str:
        """Return where a node is on the site's first network."""
        name = self._names[index]
        addresses = self._runtime.config.node(name).address
        networks = (each.name for each in self._runtime.config.networks)
        return next((addresses[each] for each in networks if each in addresses), "")
