"""What the centre knows of boxes that are decided together: read in a few statements.

Invariant: what was decided of one box of a batch is known when the next is decided, as if it had
been read again; so a batch decides what its boxes would have got one after the other.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from roost_central.enrol import core
from roost_central.enrol.proof import Proven
from roost_central.enrol.rules import Rule
from roost_central.enrol.slots import present_boxes
from roost_central.enrol.states import State
from roost_central.fleet.view import FleetView
from roost_central.storage import claims, enrolments, identities
from roost_central.storage.claims import ClaimRecord, ClaimType
from roost_central.storage.enrolments import EnrolmentRecord
from roost_central.storage.identities import IdentityRecord
from roost_central.storage.tables import without_nul
from roost_protocol.enrol import ClaimKind
from roost_protocol.join_token import is_secret

BY_CLAIM: Final = frozenset({ClaimKind.TOKEN, ClaimKind.KEY})  # that somebody here made


@dataclass(frozen=True, slots=True)
class Shown:
    """The claims that a request has shown, none of them checked for anything else."""

    claim: ClaimRecord | None = None
    listed: ClaimRecord | None = None

    @property
    def named(self) -> list[ClaimRecord]:
        """Those of them that are for one slot."""
        return [each for each in (self.claim, self.listed) if each is not None and each.node]


@dataclass(slots=True)
class Ledger:
    """What is known.

    Attributes:
        boxes: that asked before, by key.
        claims: that were named, by id, the newest first.
        identities: of the boxes that have one, by key.
        filled: slots that an identity fills, by node id.
        promised: slots that an approved box is about to fill, by node id.
        present: the number of the box in each slot that a claim names.
        waiting: boxes in the queue; None: nobody asked yet.
    """

    boxes: dict[bytes, EnrolmentRecord]
    claims: dict[str, ClaimRecord]
    identities: dict[bytes, IdentityRecord] = field(default_factory=dict)
    filled: set[str] = field(default_factory=set)
    promised: set[str] = field(default_factory=set)
    present: dict[str, int] = field(default_factory=dict)
    waiting: int | None = None

    def shown(self, proven: Proven) -> Shown:
        """Return the claims that a request has shown the secret, the key or the number of."""
        proof, kind = proven.request.proof, proven.request.kind
        if kind is ClaimKind.KEY:
            return Shown(next(iter(self._for(ClaimType.KEY, proven.announced)), None))
        claim = self.named(proven)
        if claim is None or not is_secret(claim.secret_hash or b"", proof.secret or b""):
            return Shown()
        listed = self._for(ClaimType.SERIAL, proven.request.hardware.serial)
        return Shown(claim, next((each for each in listed if each.site == claim.site), None))

    def named(self, proven: Proven) -> ClaimRecord | None:
        """Return the token's claim that a request names, whatever secret it shows."""
        proof = proven.request.proof
        if proven.request.kind is not ClaimKind.TOKEN or proof.claim is None:
            return None
        claim = self.claims.get(without_nul(proof.claim))
        return None if claim is None or claim.secret_hash is None else claim

    def prior(self, key_hash: bytes) -> core.Prior | None:
        """Return what the same key asked for before."""
        before = self.boxes.get(key_hash)
        if before is None:
            return None
        state, issued_ms = before.state, 0
        identity = self.identities.get(key_hash)
        if before.state is State.ISSUED and identity is not None:
            state, issued_ms = identity.state, identity.issued_ms
        return core.Prior(state, before.claim, issued_ms, before.reason)

    def empty(self, view: FleetView, site: str) -> tuple[str, ...]:
        """Return the names of a site's empty slots."""
        row = view.sites.get(site)
        free = set() if row is None else {*row.nodes} - self.filled - self.promised
        return tuple(sorted(view.nodes[node].name for node in free))

    def box_in(self, node: str) -> int:
        """Return the number of the box in a slot; 0: none, or another one is about to fill it."""
        return 0 if node in self.promised else self.present.get(node, 0)

    def note(self, box: EnrolmentRecord, spent: Collection[str]) -> None:
        """Know from now on what was decided of a box."""
        if box.state is State.APPROVED:
            self.promised.add(box.node_id)
        elif self.waiting is not None and box.key_hash not in self.boxes:
            self.waiting += 1
        self.boxes[box.key_hash] = box
        for each in spent:
            self.claims[each] = replace(self.claims[each], used=self.claims[each].used + 1)

    def _for(self, kind: ClaimType, subject: str) -> list[ClaimRecord]:
        wanted = (kind, without_nul(subject))
        if not subject:
            return []
        return [each for each in self.claims.values() if (each.kind, each.subject) == wanted]


async def look(
    connection: AsyncConnection, asked: Sequence[Proven], *, hold: bool = False
) -> Ledger:
    """Return what is known of the keys and the claims of requests, and of nothing else.

    Args:
        connection: of a write transaction where claims are held.
        asked: the requests.
        hold: let nobody else spend the claims before the transaction ends.
    """
    by_claim = [each for each in asked if each.request.kind in BY_CLAIM]
    ids = {each.request.proof.claim for each in by_claim if each.request.proof.claim}
    subjects = {each.announced or each.request.hardware.serial for each in by_claim} - {""}
    found = await claims.named(connection, ids, subjects, hold=hold)
    boxes = await enrolments.by_keys(connection, {each.key_hash for each in asked})
    return Ledger(boxes, {claim.id: claim for claim in found})


async def look_around(
    connection: AsyncConnection,
    ledger: Ledger,
    asked: Sequence[tuple[Proven, Rule | None]],
    view: FleetView,
) -> None:
    """Read into a ledger all else that decides of requests, each with the rule that it fits."""
    sites, slots = set[str](), set[str]()
    for proven, rule in asked:
        shown = ledger.shown(proven)
        sites.add(site_of(ledger, proven, rule))
        slots |= {f"{each.site}.{each.node}" for each in shown.named}
    nodes = set[str]().union(*(view.sites[site].nodes for site in sites if site in view.sites))
    if nodes:
        ledger.filled = await identities.filled(connection, nodes)
    if nodes or slots:
        claimed = {slot.partition(".")[0] for slot in slots}
        ledger.promised = await enrolments.promised(connection, sites | claimed)
    if slots:
        ledger.present = await present_boxes(connection, slots)
    issued = [key for key, box in ledger.boxes.items() if box.state is State.ISSUED]
    if issued:
        ledger.identities = await identities.by_keys(connection, issued)


def site_of(ledger: Ledger, proven: Proven, rule: Rule | None) -> str:
    """Return the site whose empty slots count for a request; empty: of none."""
    shown, before = ledger.shown(proven), ledger.boxes.get(proven.key_hash)
    found = (rule if proven.vouched else shown.listed or shown.claim) or before
    return found.site if found else ""
