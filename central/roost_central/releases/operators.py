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

COMPONENT: Final = "policy/operators"
FILE: Final = "operators.json"


@dataclass(frozen=True, slots=True)
class Operators:
    """Their public keys by name; none: nobody may approve."""

    keys: Mapping[str, bytes] = field(default_factory=dict)

    def approved(
        self, approvals: Iterable[SignedApproval], now_ms: int
    ) -> dict[tuple[str, str], set[str]]:
        """Return who agrees to what, as (rollout, digest of the release) to operators.

        What is forged, of nobody that is known, or not of this time counts for nothing.
        """
        found: dict[tuple[str, str], set[str]] = {}
        for each in approvals:
            said = self._read(each)
            if said is not None and said.not_before_ms <= now_ms < said.not_after_ms:
                found.setdefault((said.rollout, said.digest), set()).add(said.operator)
        return found

    def _read(self, each: SignedApproval) -> Approval | None:
        try:
            said = read_approval(each.approval)
            raw = self.keys[said.operator]
            public = Ed25519PublicKey.from_public_bytes(raw)
            public.verify(each.signature, APPROVAL_DOMAIN + each.approval)
        except (ProtocolError, KeyError, ValueError, InvalidSignature):
            return None
        return said


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
