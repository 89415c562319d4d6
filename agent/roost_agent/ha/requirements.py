"""What groups require of one another (``requires_active``): what lacks, and what is said of it.

A requirement is asked for before a group becomes active, and only then: a group that runs goes on
when what it requires ends, since to stop it would make two failures of one. Either is told, once it
has lasted as long as a takeover: until then what is required is most likely on its way.

Leaves to others: whether a group that each node runs for itself is active here (workload).
"""

from collections.abc import Callable, Iterator, Mapping

import msgspec

from roost_agent.ha.config import HaConfig
from roost_agent.ha.lease import Lease
from roost_protocol.explain import Explain


class Need(msgspec.Struct, frozen=True):
    """A group that another requires, and that is not active where it would have to be."""

    group: str
    where: str = "nowhere"

    def __str__(self) -> str:
        """For people, after the name of the group that requires it."""
        is_active = "is active nowhere" if self.where == "nowhere" else "is not active here"
        return f"{self.group}, which it requires, {is_active}"


class Requirements:
    """See the module.

    Args:
        config: of the site.
        families: the slots of each N+M group.
        leases: as this node sees them; only read here.
        hosts: who may hold each lease.
        me: this node.
        is_there: whether a peer is heard.
    """

    def __init__(  # noqa: PLR0913 - what a node knows of its site
        self,
        config: HaConfig,
        families: Mapping[str, list[str]],
        leases: Mapping[str, Lease],
        *,
        hosts: Mapping[str, tuple[int, ...]],
        me: int,
        is_there: Callable[[int], bool],
    ) -> None:
        self._needed = {group.name: group.requires_active for group in config.groups}
        self._families = families
        self._leases = leases
        self._hosted = frozenset(name for name, nodes in hosts.items() if me in nodes)
        self._me = me
        self._is_there = is_there
        self._patience_ms = config.timing.promise_ms(config.timing.watchdog_ms)
        self._local: dict[str, str] = {}  # lease -> a group of model N that is not active here
        self._since: dict[str, tuple[Need | None, int]] = {}  # lease -> what lacks, since when
        self._told: dict[str, Need] = {}

    def told(self, name: str, needed: str) -> None:
        """Take in which group, that each node runs for itself, a lease's group lacks here."""
        self._local[name] = needed

    def lacking(self, name: str) -> Need | None:
        """Return the first that a lease's group requires and that is not active."""
        for needed in self._needed.get(name, ()):
            known = [each for each in self._families.get(needed, [needed]) if each in self._leases]
            if known and not any(map(self._is_active, known)):
                return Need(needed)
        local = self._local.get(name)
        return Need(local, "here") if local else None

    def look(self, now_ms: int) -> Iterator[Explain]:
        """Tell what has come to lack for long enough, and what lacks no more."""
        for name, lease in self._leases.items():
            is_ours = name in self._hosted and (lease.is_held or not self._is_active(name))
            lacks = self.lacking(name) if is_ours else None
            before, since_ms = self._since.get(name, (None, now_ms))
            since_ms = since_ms if lacks == before else now_ms
            self._since[name] = lacks, since_ms
            if lacks is None:
                told = self._told.pop(name, None)
                if told is not None and self.lacking(name) is None:
                    text = f"{told.group}, which {name} requires, is active again"
                    yield Explain(text, {"group": name, "requires": told.group})
            elif self._told.get(name) != lacks and now_ms - since_ms >= self._patience_ms:
                self._told[name] = lacks
                does = "goes on, though" if lease.is_held else "is not started:"
                yield Explain(f"{name} {does} {lacks}", {"group": name, "requires": lacks.group})

    def _is_active(self, name: str) -> bool:
        """Whether somebody who is there holds a lease: the last word of a dead node is none."""
        lease = self._leases[name]
        if lease.holder == self._me:
            return lease.is_held
        return lease.holder is not None and self._is_there(lease.holder)
