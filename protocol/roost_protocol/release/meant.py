"""For whom a rollout is meant, as one digest that operators sign: a tree of hashes. Pure.

A leaf is a site with the release that it may go back to, or such a release alone (for sites that
come later). Whoever holds the root is shown that a site is in the list by some 17 hashes, instead
of the list: so the signer keeps no lists, and a centre cannot lengthen one.

Leaves and branches begin with different bytes (RFC 9162, 2.1.1), else a branch could be shown as a
leaf. The two below a branch are hashed in order of their bytes: a proof needs no places.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from roost_protocol.errors import ProtocolError
from roost_protocol.patterns import END
from roost_protocol.update_verbs import JobText, Sha256Text

MEANT_MAX: Final = 100_000  # sites of a rollout
PROOF_MAX: Final = 20  # hashes: a tree of a million leaves
LATE_MAX: Final = 1_000  # sites that may come later: who approves sees none of them

FormerText = Annotated[str, Meta(pattern=r"^([0-9a-f]{64})?" + END)]


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a site's document may hold an assignment of a rollout.

    Attributes:
        rollout: its id.
        former: digest of the release that the site may go back to; empty: to none.
        proof: that the tree has the site with it; of a site that came later: that it has the
            release.
    """

    rollout: JobText
    former: FormerText = ""
    proof: Annotated[list[Sha256Text], Meta(max_length=PROOF_MAX)] = []


def site_leaf(site: str, former: str) -> bytes:
    """Return the leaf of a site that may go back to a release, by its digest; empty: to none."""
    return _hash(b"\0site\0" + site.encode() + b"\0" + former.encode())


def former_leaf(former: str) -> bytes:
    """Return the leaf of a release that sites which came later may go back to."""
    return _hash(b"\0former\0" + former.encode())


class Tree:
    """All for whom a rollout is meant.

    Args:
        sites: with the digest of the release that each may go back to; empty: to none.

    Raises:
        ProtocolError: ``sites``: there are none, or too many.
    """

    def __init__(self, sites: Mapping[str, str]) -> None:
        if not 0 < len(sites) <= MEANT_MAX:
            bound = f"1 to {MEANT_MAX} sites"
            raise ProtocolError("sites", field="sites", got=len(sites), bound=bound)
        self.count = len(sites)
        formers = sorted({each for each in sites.values() if each})
        leaves = [site_leaf(site, former) for site, former in sorted(sites.items())]
        leaves += [former_leaf(each) for each in formers]
        self._levels = [leaves]
        while len(self._levels[-1]) > 1:
            self._levels.append(_above(self._levels[-1]))
        self._place = {leaf: place for place, leaf in enumerate(leaves)}

    @property
    def root(self) -> str:
        """What is signed, hexadecimal."""
        return self._levels[-1][0].hex()

    def proof(self, leaf: bytes) -> list[str]:
        """Return what shows that a leaf is in the tree; empty: it is not, or it is alone."""
        place = self._place.get(leaf)
        if place is None:
            return []
        found = []
        for level in self._levels[:-1]:
            beside = place ^ 1
            if beside < len(level):
                found.append(level[beside].hex())
            place //= 2
        return found


def holds(root: str, leaf: bytes, proof: Sequence[str]) -> bool:
    """Say whether a proof shows that a tree with this root has a leaf."""
    return _joined(leaf, proof[:PROOF_MAX]).hex() == root


def _joined(leaf: bytes, proof: Iterable[str]) -> bytes:
    for each in proof:
        leaf = _branch(leaf, bytes.fromhex(each))
    return leaf


def _above(level: Sequence[bytes]) -> list[bytes]:
    """Return the level above: pairs joined, one that is left over as it is."""
    joined = [_branch(*level[at : at + 2]) for at in range(0, len(level) - 1, 2)]
    return joined + ([level[-1]] if len(level) % 2 else [])


def _branch(one: bytes, other: bytes) -> bytes:
    return _hash(b"\1" + min(one, other) + max(one, other))


def _hash(raw: bytes) -> bytes:
    return sha256(raw).digest()
