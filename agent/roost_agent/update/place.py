"""What the steps of an update work with: this node's place in its site, and where things are."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from roost_agent.update import hooks
from roost_agent.update.kept import Kept
from roost_protocol.update import Offer


class Site(Protocol):
    """This node's place in its site, as an update needs it."""

    async def drain(self) -> str:
        """Wait until the site can spare the node; return why it never will, empty: it can."""

    @property
    def is_locked(self) -> bool:
        """Whether this host is out of service already, by somebody's word."""

    @property
    def holds_lease(self) -> bool:
        """Whether anything runs here that another node has to take first."""

    async def hand_over(self) -> str:
        """Give away what runs here; return why that failed, empty: it did not."""

    async def lock(self) -> str:
        """Take no candidacy; return why that failed."""

    async def unlock(self) -> str:
        """Be a candidate again; return why that failed."""

    def near(self, offer: Offer) -> "Near":
        """Return where the release may be had in the site, and whether to wait for that."""

    def lending(self) -> Sequence[str]:
        """Return the options of who lends what was fetched here; empty: nobody could want it."""

    async def unwell(self, kept: Kept, expected: Collection[str]) -> str:
        """Return what is wrong with the node by itself; empty: it is well.

        Args:
            kept: what it is measured by: what it was before.
            expected: types of alarms that are no failure.
        """


@dataclass(frozen=True, slots=True)
class Near:
    """What the site has of a release.

    Attributes:
        mirrors: ``NODE@ADDRESS:PORT`` of who has it.
        fetcher: of another node that fetches it for all; empty: nobody does.
    """

    mirrors: Sequence[str] = ()
    fetcher: str = ""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are, and who does root's part.

    Attributes:
        state_dir: the agent's.
        root: of the machine's files.
        trust, installed, requests: see ``[updates]``.
        source: where releases come from.
        ask: has the helper do a verb with its fields.
        beat_s: between two beats.
        verify_s: how long a new release may take until it is well.
        stabilise_s: for how long it has to be well without a break, where it went in beside what
            runs; half of it where the node was taken down.
        bytes_max: that may be fetched for a release; 0: no bound.
        drain: the folder of the site's own programs (hooks.py).
    """

    state_dir: Path
    root: Path
    trust: Path
    installed: Path
    requests: Path
    source: str
    ask: Callable[..., Awaitable[None]]
    beat_s: float
    verify_s: float
    stabilise_s: float = 0.0
    bytes_max: int = 0
    drain: str = hooks.FOLDER


class NotDoneError(Exception):
    """A step failed; the text is a sentence."""
