"""What a host's shell needs of the agent around it and of its site: two narrow doors."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from roost_agent.host.enable import Facts
from roost_agent.host.reasons import Degraded

if TYPE_CHECKING:
    from roost_agent.host.sight import Sight


class Giving(msgspec.Struct, frozen=True):
    """Where a group that runs here could go.

    Attributes:
        to: the node that would take it, by name; empty: nobody could.
        why: why nobody could.
    """

    group: str
    to: str = ""
    why: str = ""


class Power(msgspec.Struct, frozen=True):
    """What a board controller read of a machine; off: twice, a second apart.

    Attributes:
        at_ms: when, by the boot clock.
    """

    is_on: bool
    at_ms: int


class Around(Protocol):
    """The rest of the agent."""

    def facts(self) -> Facts:
        """Return what keeps settings and processes from passing; the rest is asked for apart."""

    def reasons(self) -> Mapping[str, Degraded]:
        """Return why the node is less than it should be, by reason."""

    def quorum(self) -> str:
        """Return which process failed that a watchdog is to reset this machine for, and how."""

    async def check(self) -> str:
        """Run the health scripts as before an unlock; return what failed, empty: nothing."""

    async def reboot(self, reason: str, nonce: str) -> None:
        """Have the helper restart the machine.

        Raises:
            ActRefusedError: it refused, or there is no helper.
        """

    def has_board(self, node: str) -> bool:
        """Say whether the board controller of another host is known here."""

    def spent(self) -> str:
        """Return why no machine may be acted on by its board now; empty: one may."""

    async def reset(self, node: str, may: Callable[[], str]) -> str:
        """Have a host reset by its board controller; return why it is not known to be.

        Args:
            node: by its name.
            may: asked right before the order leaves; returns why it must not.
        """

    def power(self, node: str) -> Power | None:
        """Return the power of another host as it was read last; None: that is not known."""

    def ill(self, node: str) -> str:
        """Return which sensor of a host is critical, by its board controller; empty: none."""

    def look_at_power(self, node: str) -> None:
        """Have the power of another host read soon, where a controller of it is known."""

    async def starve(self) -> str:
        """Have this machine's watchdog reset it; return why it will not."""


class Site(Protocol):
    """The site as local HA knows it, or a node that is one alone (Alone)."""

    @property
    def others(self) -> Sequence[str]:
        """The names of the site's other nodes."""

    @property
    def beat_ms(self) -> int:
        """The time between two beats of a host."""

    @property
    def is_ready(self) -> bool:
        """Whether it is known by now what runs here."""

    def tell(
        self,
        word: int,
        bar: str,
        stop: str,
        absent: Collection[str] = (),
        anew: Collection[str] = (),
    ) -> None:
        """Have the site told how this host stands.

        Args:
            word: for its beats (host_word.py).
            bar: why no group may come here; empty: any may.
            stop: why what each node runs for itself stops; empty: it runs.
            absent: as the coordinator: hosts that were locked while they were silent.
            anew: as the coordinator: hosts that were lost too often, and are to run their recovery.
        """

    def absent(self) -> tuple[str, frozenset[str]] | None:
        """Return who coordinates and whom it says it locked while they were silent.

        None: this node does itself, or nobody is heard to.
        """

    def anew(self) -> str:
        """Return who coordinates and has this host run its recovery; empty: nobody does."""

    def turn(self) -> int | None:
        """Return the epoch by which this node coordinates; None: another one does, or nobody."""

    def sights(self) -> "list[Sight]":
        """Return how the others are seen now."""

    def goings(self) -> Mapping[str, tuple[int, int]]:
        """Return of each other node that is there its Going, and as of when (boot clock, ms)."""

    def is_with_most(self) -> bool:
        """Say whether this node is on the side of a cut that decides."""

    def held(self) -> list[Giving]:
        """Return the groups that run here, and who could take each."""

    def give(self, group: str, to: str, why: str, *, is_chosen: bool = False) -> str:
        """Give a group to a node, or stop it where none is named; return why not.

        Args:
            group: that runs here.
            to: a name; empty: whoever.
            why: for the log.
            is_chosen: by this node itself: held back where it moved too often of late.
        """

    def may_go(self) -> str:
        """Return why the site could not spare this node now; empty: it could, or by giving."""

    def missing(self) -> str:
        """Return what should run here and does not, empty where all does."""

    def runs_nothing(self) -> bool:
        """Say whether no service of local HA runs here."""


class Alone:
    """A node without local HA: nobody sees it, and nobody could take what runs on it."""

    others: Sequence[str] = ()
    is_ready = True
    beat_ms = 0

    def tell(
        self,
        word: int,
        bar: str,
        stop: str,
        absent: Collection[str] = (),
        anew: Collection[str] = (),
    ) -> None:
        """See Site; there is nobody."""

    def absent(self) -> tuple[str, frozenset[str]] | None:
        """See Site."""
        return None

    def anew(self) -> str:
        """See Site."""
        return ""

    def turn(self) -> int | None:
        """See Site: it speaks for itself, and of nobody else."""
        return 0

    def sights(self) -> "list[Sight]":
        """See Site."""
        return []

    def goings(self) -> Mapping[str, tuple[int, int]]:
        """See Site."""
        return {}

    def is_with_most(self) -> bool:
        """See Site."""
        return True

    def held(self) -> list[Giving]:
        """See Site."""
        return []

    def give(self, group: str, to: str, why: str, *, is_chosen: bool = False) -> str:  # noqa: ARG002 - see Site
        """See Site."""
        return f"{group} does not run here"

    def may_go(self) -> str:
        """See Site."""
        return ""

    def missing(self) -> str:
        """See Site."""
        return ""

    def runs_nothing(self) -> bool:
        """See Site."""
        return True
