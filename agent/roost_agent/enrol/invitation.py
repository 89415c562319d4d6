"""Which centre a box asks, and by what it believes it: made of all places that were looked at.

Pure. The order is: what was typed, the configuration, claim files on media, DNS. Where the centre
is and whom to trust are two questions. The first word on each counts, except that a medium which
brings the trust says the place too. DNS is never asked whom to trust. Invariants:
- without a pin (alone, or of a token) nothing is automatic: a human compares six words;
- a token of another fleet than the pin that counts is not used.
Source: docs/enrolment.md, section "How a box finds its centre".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from roost_protocol.join_token import JoinToken


class Source(IntEnum):
    """Where a look was; the lower one is heard first."""

    TYPED = 0
    CONFIG = 1
    FILE = 2
    DNS = 3


@dataclass(frozen=True, slots=True)
class Look:
    """One place that was looked at.

    Attributes:
        where: for people: a file, a folder, a DNS name.
        found: what stood there, or why nothing counts, for people.
        urls: of the centre, the one to try first first.
        pin: of the fleet's root, 16 bytes; a token's own where there is one.
        digest: of the file, to know it again once it was used; empty for no file.
        keep: the file is for several boxes.
        warnings: what is not as it should be, and counts all the same.
    """

    source: Source
    where: str
    found: str
    urls: tuple[str, ...] = ()
    token: JoinToken | None = None
    pin: bytes | None = None
    name: str = ""
    digest: str = ""
    keep: bool = False
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom to ask, and how.

    Attributes:
        urls: of one centre.
        pin: None: a human has to compare the six words.
        place, trust: where each was said, for people.
        file: the claim file that the token or the pin is from.
    """

    urls: tuple[str, ...]
    token: JoinToken | None
    pin: bytes | None
    name: str
    place: str
    trust: str
    file: Look | None = None

    @property
    def is_automatic(self) -> bool:
        """Whether nobody needs to be there."""
        return self.pin is not None


@dataclass(frozen=True, slots=True)
class Lacking:
    """Nowhere to go; ``hint`` says what to do."""

    hint: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What follows from the looks, and what was passed over, for people."""

    outcome: Invitation | Lacking
    passed_over: tuple[str, ...] = ()


NO_PLACE: Final = (
    "nothing says where the centre is: roost-agent join URL, or write [join] url in agent.toml, or "
    "bring a medium with roost-claim.json, or publish _roost-enrol._tcp in DNS"
)


def choose(looks: Sequence[Look]) -> Choice:
    """Return whom to ask; ``looks`` stand in the order in which they were taken."""
    heard = sorted(looks, key=lambda look: look.source)  # stable: media in their order
    trusted = next((look for look in heard if look.pin is not None), None)
    pin = None if trusted is None else trusted.pin
    bearer = next((look for look in heard if look.token and look.pin == pin), None)
    foreign = tuple(
        f"{look.where}: its pin is another than {trusted.where} says: not used"
        for look in heard
        if trusted is not None and look.pin is not None and look.pin != pin
    )
    chosen = bearer or trusted
    place = next((look for look in _by_place(heard, chosen, pin) if look.urls), None)
    if place is None:
        return Choice(Lacking(NO_PLACE), foreign)
    return Choice(
        Invitation(
            urls=place.urls,
            token=bearer.token if bearer else None,
            pin=pin,
            name=next((look.name for look in heard if look.name and _fits(look, pin)), ""),
            place=place.where,
            trust=chosen.where if chosen else "",
            file=chosen if chosen is not None and chosen.source is Source.FILE else None,
        ),
        foreign,
    )


def _by_place(heard: Sequence[Look], chosen: Look | None, pin: bytes | None) -> list[Look]:
    """Return looks as they are asked for the place: the medium that brought the trust first."""
    fitting = [look for look in heard if _fits(look, pin)]
    return sorted(
        fitting, key=lambda look: (look.source, look.source is Source.FILE and look is not chosen)
    )


def _fits(look: Look, pin: bytes | None) -> bool:
    """Whether a look is of the fleet that is trusted, as far as it says."""
    return look.pin is None or look.pin == pin
