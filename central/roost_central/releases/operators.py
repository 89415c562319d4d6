"""Who may approve a rollout: the file of the newest release of ``policy/operators``. Pure.

It is signed offline as every release is: the centre cannot make an operator (updates.md 10).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from roost_central.releases.fault import ReleaseError
from roost_protocol.errors import ProtocolError
from roost_protocol.release.approval import (
    APPROVAL_DOMAIN,
    Approval,
    SignedApproval,
    read_approval,
    read_operators,
)
from roost_protocol.release.manifest import decode
from roost_protocol.release.members import (
    MEMBERS_DOMAIN,
    MembersWord,
    SignedMembers,
    read_members,
)

COMPONENT: Final = "policy/operators"
FILE: Final = "operators.json"
NAMED_MAX: Final = 8  # operators in a sentence


@dataclass(frozen=True, slots=True)
class Consent:
    """What operators agree to: a release in a rollout, for these sites and a few that come later.

    Attributes:
        sites: root of their tree; ``count``: how many they are.
    """

    rollout: str
    plan: str
    digest: str
    sites: str
    count: int
    late_max: int


@dataclass(frozen=True, slots=True)
class Operators:
    """Their public keys by name; none: nobody may approve."""

    keys: Mapping[str, bytes] = field(default_factory=dict)

    def approved(self, approvals: Iterable[SignedApproval], now_ms: int) -> dict[Consent, set[str]]:
        """Return who agrees to what.

        What is forged, of nobody that is known, or not of this time counts for nothing.
        """
        found: dict[Consent, set[str]] = {}
        for each in approvals:
            said = self._read(each)
            if said is not None and said.not_before_ms <= now_ms < said.not_after_ms:
                found.setdefault(consent_of(said), set()).add(said.operator)
        return found

    def check(self, each: SignedApproval) -> Approval:
        """Return an approval that its operator signed; whether it counts now is not asked.

        Raises:
            ReleaseError: ``approval``: it is none, or of nobody that may approve, or forged.
        """
        try:
            said = read_approval(each.approval)
        except ProtocolError as err:
            raise ReleaseError("approval", str(err)) from err
        self._check_signed(said.operator, APPROVAL_DOMAIN + each.approval, each.signature)
        return said

    def agreed_to_members(
        self, words: Iterable[SignedMembers], site: str, members: Mapping[str, int], now_ms: int
    ) -> set[str]:
        """Return who agrees that a site has these members and no others.

        What is forged, of nobody that is known, of others or not of this time counts for nothing.
        """
        found = set()
        for each in words:
            try:
                said = self.check_members(each)
            except ReleaseError:
                continue
            is_now = said.not_before_ms <= now_ms < said.not_after_ms
            if is_now and said.site == site and said.members == members:
                found.add(said.operator)
        return found

    def check_members(self, each: SignedMembers) -> MembersWord:
        """Return a word for members that its operator signed; whether it counts is not asked.

        Raises:
            ReleaseError: ``approval``: it is none, or of nobody that may approve, or forged.
        """
        try:
            said = read_members(each.word)
        except ProtocolError as err:
            raise ReleaseError("approval", str(err)) from err
        self._check_signed(said.operator, MEMBERS_DOMAIN + each.word, each.signature)
        return said

    def _check_signed(self, operator: str, signed: bytes, signature: bytes) -> None:
        if operator not in self.keys:
            known = ", ".join(sorted(self.keys)[:NAMED_MAX]) or "nobody"
            text = f"{operator} is none of the operators of {COMPONENT}: {known}"
            raise ReleaseError("approval", text)
        try:
            public = Ed25519PublicKey.from_public_bytes(self.keys[operator])
            public.verify(signature, signed)
        except (ValueError, InvalidSignature) as err:
            text = f"it is not signed with the key that {COMPONENT} has for {operator}"
            raise ReleaseError("approval", text) from err

    def _read(self, each: SignedApproval) -> Approval | None:
        try:
            return self.check(each)
        except ReleaseError:
            return None


def consent_of(said: Approval) -> Consent:
    """Return what an approval agrees to, whoever gives it."""
    return Consent(said.rollout, said.plan, said.digest, said.sites, said.count, said.late_max)


def operators_of(manifest: bytes, file: bytes, digest: str) -> Operators:
    """Return the operators of a release.

    Args:
        manifest: of the release; its digest is the one that the image repository names.
        file: the content of its file FILE.
        digest: that the image repository names.

    Raises:
        ReleaseError: ``digest`` or ``bundle``.
    """
    if sha256(manifest).hexdigest() != digest:
        raise ReleaseError("digest", f"the manifest of {COMPONENT} is another")
    try:
        entries: Sequence[str] = [
            each.sha256 for each in decode(manifest).files if each.path == FILE
        ]
        if entries != [sha256(file).hexdigest()]:
            raise ReleaseError("digest", f"{FILE} of {COMPONENT} is another file")
        return Operators(read_operators(file).operators)
    except ProtocolError as err:
        raise ReleaseError("bundle", f"{COMPONENT}: {err}") from err
