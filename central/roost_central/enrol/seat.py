"""The place that an approved box takes in its slot, and what it is signed and kept as."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from roost_central.enrol.states import LIVE, Event, after
from roost_central.signer.message import Issued, IssueLan, IssueNode
from roost_central.storage.enrolments import EnrolmentRecord
from roost_central.storage.identities import IdentityRecord


@dataclass(frozen=True, slots=True)
class Seat:
    """Which generation of its node a box becomes, and which box of the slot it is.

    Attributes:
        is_filled: another box is there, and goes.
    """

    box: EnrolmentRecord
    generation: int
    number: int
    is_filled: bool = False

    def requests(self) -> list[IssueNode | IssueLan]:
        """Return what the signer is asked for it."""
        box = self.box
        wanted: list[IssueNode | IssueLan] = [
            IssueNode(box.csr, box.site, box.node, self.generation),
            IssueLan(box.site, box.node, self.number, "client", public_key_pem=box.lan_key),
        ]
        if box.broker:
            key = box.broker_key
            wanted.append(IssueLan(box.site, box.node, self.number, "broker", public_key_pem=key))
        return wanted

    def identity(self, signed: Sequence[Issued], now_ms: int) -> IdentityRecord:
        """Return its identity by the signer's answers, in the order of the requests."""
        box, (node, lan, *broker) = self.box, signed
        return IdentityRecord(
            node=box.node_id,
            generation=self.generation,
            box=self.number,
            serial=node.serial,
            fingerprint=bytes.fromhex(node.fingerprint),
            key_hash=box.key_hash,
            state=after(box.state, Event.HAND_OUT),
            not_after_ms=node.not_after_s * 1000,
            hardware=box.hardware,
            sealing_key=box.sealing_key,
            certificate=node.certificate_pem + node.chain_pem,
            issued_ms=now_ms,
            changed_ms=now_ms,
            lan_certificate=lan.certificate_pem,
            broker_certificate="".join(each.certificate_pem for each in broker),
            reason=f"replaces box {self.number - 1}" if self.number > 1 else "",
        )


def seats(
    boxes: Iterable[EnrolmentRecord], rows: Mapping[str, Sequence[IdentityRecord]]
) -> list[Seat]:
    """Return the seats of new boxes, each behind all that were in its slot."""
    return [_seat(box, rows.get(box.node_id, ())) for box in boxes]


def _seat(box: EnrolmentRecord, before: Sequence[IdentityRecord]) -> Seat:
    return Seat(
        box,
        generation=max((row.generation for row in before), default=0) + 1,
        number=max((row.box for row in before), default=0) + 1,
        is_filled=any(row.state in LIVE for row in before),
    )
