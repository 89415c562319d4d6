"""Does what was agreed to: reads the key of a request, signs, writes it down, answers.

Invariant: an answer that carries a signature exists only after its row is on disk.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, assert_never

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from roost_central.ca import crl
from roost_central.ca.profiles import ISSUED_BY, Authority, Fresh, leaf
from roost_central.ca.request import key_of_pem, key_of_request, spki_of
from roost_central.errors import StorageUnavailableError
from roost_central.ports import Clock, Entropy
from roost_central.signer.archives import Archives
from roost_central.signer.core import (
    Action,
    Decider,
    Issue,
    List,
    Name,
    Policy,
    Recall,
    Refuse,
    Sign,
    Tell,
)
from roost_central.signer.keys import KeyRing, vouched
from roost_central.signer.log import LOG_BYTES_MAX, SignatureLog
from roost_central.signer.message import (
    PLACE,
    Answer,
    Ca,
    Facts,
    Issued,
    Lists,
    OrderKey,
    OrderRules,
    Record,
    Refused,
    ReleaseRules,
    Request,
    Signed,
    SignedDirector,
    SignedImage,
    SignImage,
)
from roost_central.signer.row import Row
from roost_protocol.certificate import pin
from roost_protocol.errors import ProtocolError
from roost_protocol.order import ORDER_DOMAIN

if TYPE_CHECKING:
    from roost_central.signer.release import ReleaseSigner

LISTED: Final[Mapping[Ca, tuple[Authority, ...]]] = {
    # All that one listener meets: OpenSSL refuses a leaf whose issuer has no list.
    "node": (Authority.NODE, Authority.SERVER),
    "lan": (Authority.LAN,),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that may leave once its row is on disk."""

    row: Row
    answer: Issued | Signed | SignedImage | SignedDirector


class Desk:
    """Answers requests, in the order they came."""

    def __init__(  # noqa: PLR0913 - what it stands on
        self,
        policy: Policy,
        ring: KeyRing,
        log: SignatureLog,
        clock: Clock,
        entropy: Entropy,
        *,
        releases: "ReleaseSigner | None" = None,
    ) -> None:
        self._policy = policy
        self._ring = ring
        self._log = log
        self._archives = Archives(log.path.parent, log)
        self._clock = clock
        self._entropy = entropy
        self._decider = Decider(policy)
        self._releases = releases
        self._revoked: dict[str, dict[int, int]] = {ca: {} for ca in LISTED}
        for row in log.revocations:
            self._revoked[row.ca] |= {int(serial, 16): at_s for serial, at_s in row.revoked.items()}

    def answers(self, asked: Sequence[tuple[Request, int]]) -> list[Answer]:
        """Return what is said to requests of users, each as if it were alone.

        What is signed for all of them is put on record by one write.
        """
        said: list[Answer | Draft] = []
        for request, uid in asked:
            action = self._decider.handle(request, self._clock.boot_ms(), self._clock.wall_ms())
            if isinstance(action, List | Recall | Tell):  # these tell of what is on record
                said = [*self._on_record(said)]
            said.append(self._said(action, uid))
        return self._on_record(said)

    def _on_record(self, said: Sequence[Answer | Draft]) -> list[Answer]:
        """Return the answers, those of drafts only if their rows are on disk."""
        rows = [each.row for each in said if isinstance(each, Draft)]
        try:
            self._log.append(rows, self._clock.wall_ms())
        except StorageUnavailableError as err:
            refused = _unrecorded(err)
            return [refused if isinstance(each, Draft) else each for each in said]
        return [each.answer if isinstance(each, Draft) else each for each in said]

    def _said(self, action: Action, uid: int) -> Answer | Draft:
        try:
            return self._done(action, uid)
        except ProtocolError as err:
            return Refused(err.code, str(err))
        except StorageUnavailableError as err:
            return _unrecorded(err)

    def facts(self) -> Facts:
        """Return what this signer is."""
        ring = self._ring
        pems = {authority: [key.pem for key in keys] for authority, keys in ring.issuing.items()}
        return Facts(
            domain=self._policy.domain,
            root_pem=ring.root_pem,
            pin=pin(spki_of(ring.root.public_key())),
            node_ca_pem=pems[Authority.NODE],
            server_ca_pem=pems[Authority.SERVER],
            lan_ca_pem=pems[Authority.LAN],
            order_keys=[
                OrderKey(
                    each.key_id,
                    b64encode(each.public).decode(),
                    each.since_s,
                    each.until_s,
                    b64encode(vouch).decode(),
                )
                for each, vouch in vouched(ring.orders)
            ],
            rotate_by_s=int(ring.rotate_by.timestamp()),
            orders=OrderRules(
                list(self._policy.orders_by_two),
                list(self._policy.orders_never),
                self._policy.order_hours_max,
            ),
            releases=None
            if self._releases is None
            else ReleaseRules(self._policy.release_approvals, self._policy.release_days),
            signatures=self._log.count,
            log_head=self._log.head,
            log_bytes=self._log.size,
            log_bytes_max=LOG_BYTES_MAX,
            revoked={ca: len(serials) for ca, serials in self._revoked.items()},
        )

    def _done(  # noqa: PLR0911 - one for each action
        self, action: Action, uid: int
    ) -> Answer | Draft:
        match action:
            case Refuse():
                return Refused(action.code, action.detail)
            case Tell():
                return self.facts()
            case Recall():
                return self._recalled(action)
            case Issue():
                return self._issued(action, uid)
            case List():
                return self._lists(action, uid)
            case Sign():
                return self._signed(action, uid)
            case Name():
                return self._named(action, uid)
        assert_never(action)

    def _issued(self, action: Issue, uid: int) -> Draft:
        holder = action.holder
        authority = ISSUED_BY[holder.kind]
        by = self._ring.issuing[authority][-1]
        fresh = Fresh.drawn(self._entropy, self._now())
        public_key = _key(action)
        certificate = leaf(holder, public_key, by=by.issuer, fresh=fresh, days=action.days)
        issued = Issued(
            certificate_pem=certificate.public_bytes(Encoding.PEM).decode(),
            chain_pem="" if authority is Authority.LAN else by.pem,
            serial=f"{certificate.serial_number:x}",
            fingerprint=certificate.fingerprint(SHA256()).hex(),
            not_before_s=int(certificate.not_valid_before_utc.timestamp()),
            not_after_s=int(certificate.not_valid_after_utc.timestamp()),
        )
        row = Row(
            uid=uid, verb="issue", kind=holder.kind.value, name=holder.name, box=holder.box,
            generation=action.generation, serial=issued.serial, fingerprint=issued.fingerprint,
            issuer=f"{by.certificate.serial_number:x}", not_after_s=issued.not_after_s,
            key=sha256(spki_of(public_key)).hexdigest(),
        )  # fmt: skip
        return Draft(row, issued)

    def _lists(self, action: List, uid: int) -> Lists:
        now = self._now()
        before = self._revoked[action.ca]
        revoked = crl.merged(before, action.revoked, now, ends=action.ca == "node")
        lists = [
            crl.crl(key.issuer, revoked, now)
            for authority in LISTED[action.ca]
            for key in self._ring.issuing[authority]
        ]
        new = {f"{serial:x}": at_s for serial, at_s in revoked.items() if serial not in before}
        row = Row(uid=uid, verb="crl", ca=action.ca, revoked=new)
        self._log.append([row], self._clock.wall_ms())
        self._revoked[action.ca] = revoked
        return Lists(crl.pem(*lists), len(revoked))

    def _signed(self, action: Sign, uid: int) -> Draft:
        order = action.order
        by = self._ring.order_key(action.key_id, self._clock.wall_ms() // 1_000)
        signature = by.key.sign(ORDER_DOMAIN + action.payload)
        digest = sha256(action.payload).hexdigest()
        row = Row(
            uid=uid, verb="order", key_id=by.key_id, order=digest, name=order.node,
            generation=order.generation, act=order.verb, by=order.by,
            approved_by=order.approved_by, not_after_s=order.not_after_ms // 1_000,
        )  # fmt: skip
        return Draft(row, Signed(b64encode(signature).decode(), by.key_id))

    def _named(self, action: Name, uid: int) -> Answer | Draft:
        if self._releases is None:
            text = "this signer holds no keys of releases: see `roost release keygen --online`"
            return Refused("releases", text)
        from roost_central.releases.fault import ReleaseError  # noqa: PLC0415 - it is there by now
        from roost_central.signer.release import Wanted, digest_of  # noqa: PLC0415 - as above

        policy = self._policy
        wanted = Wanted(policy.release_approvals, policy.release_days, policy.release_days_offline)
        asked, now_ms = action.request, self._clock.wall_ms()
        try:
            if isinstance(asked, SignImage):
                image = self._releases.image(asked, wanted, now_ms)
                key_id, digest = self._releases.image_keyid, digest_of(asked.targets)
                row = Row(uid=uid, verb="image", key_id=key_id[:16], order=digest)
                return Draft(row, image)
            made = self._releases.director(asked, wanted, now_ms)
        except ReleaseError as err:
            return Refused(err.code, str(err))
        except OSError as err:
            return Refused("kept", f"what was verified cannot be kept: {err.strerror}")
        key_id, digest = self._releases.director_keyid, digest_of(made.targets)
        row = Row(
            uid=uid, verb="director", name=asked.site, key_id=key_id[:16], order=digest
        )  # fmt: skip
        return Draft(row, made)

    def _recalled(self, action: Recall) -> Answer:
        try:
            lines = self._lines(action)
        except OSError as err:
            return Refused("record", f"the record cannot be read: {err.strerror}")
        if lines is None:
            return Refused(PLACE, f"no record here has such a row {action.after}")
        return Record(lines, self._log.count)

    def _lines(self, action: Recall) -> list[str] | None:
        if action.head:
            return self._archives.past(action.after, action.head, action.limit)
        return self._log.lines(action.after, action.limit)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_ms() // 1_000, UTC)


def _unrecorded(err: StorageUnavailableError) -> Refused:
    return Refused(err.code, f"what cannot be put on record is not signed: {err}")


def _key(action: Issue) -> EllipticCurvePublicKey:
    return (
        key_of_pem(action.public_key_pem)
        if action.public_key_pem
        else key_of_request(action.csr_pem)
    )
