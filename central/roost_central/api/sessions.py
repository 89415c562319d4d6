"""Logins of browsers: in memory, bounded, ended by time; pure.

Only digests of session ids are held. A restart of central ends all sessions; what they were begun
with, a token or an account, lives in storage and is looked at again.
"""

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

from roost_central.access.core import Grant

SESSIONS_MAX: Final = 1_000  # the oldest goes first: far more than operators have browsers
SESSION_MS_MAX: Final = 12 * 3_600_000  # one shift


@dataclass(frozen=True, slots=True)
class TokenHash:
    """The digest of a token that somebody showed."""

    hash: bytes


@dataclass(frozen=True, slots=True)
class Login:
    """An account that somebody proved to be.

    Attributes:
        changed_ms: of the account, when it was proved.
        via: ``password`` or ``oidc``.
        grants: what the provider's groups give for as long as the session lasts.
    """

    account: str
    changed_ms: int
    via: str
    grants: tuple[Grant, ...] = ()


Proof: TypeAlias = TokenHash | Login


@dataclass(frozen=True, slots=True)
class Session:
    """One login of a browser: what it was begun with, and when it ends (UTC ms)."""

    proof: Proof
    ends_ms: int


class Sessions:
    """The sessions of this process, by the digest of their id."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    def begin(self, session_id: str, proof: Proof, now_ms: int) -> Session:
        """Begin a session under an unpredictable id."""
        session = Session(proof, now_ms + SESSION_MS_MAX)
        self._sessions[_digest(session_id)] = session
        while len(self._sessions) > SESSIONS_MAX:
            self._sessions.popitem(last=False)
        return session

    def find(self, session_id: str, now_ms: int) -> Session | None:
        """Return the session if it has not ended."""
        digest = _digest(session_id)
        session = self._sessions.get(digest)
        if session is not None and session.ends_ms <= now_ms:
            del self._sessions[digest]
            return None
        return session

    def end(self, session_id: str) -> None:
        """End a session if it is there."""
        self._sessions.pop(_digest(session_id), None)


def _digest(session_id: str) -> bytes:
    return sha256(session_id.encode("utf-8", "surrogateescape")).digest()
