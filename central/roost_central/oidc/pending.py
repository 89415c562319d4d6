"""Logins that wait for their browser to come back from the provider: in memory, bounded; pure.

Each is good once, for LOGIN_MS_MAX, and for the browser that began it: who is handed the address of
somebody else's login cannot end it here (RFC 6749 section 10.12, RFC 9700 section 4.7). A restart
of central forgets them; the operator begins again.
"""

import hmac
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

LOGIN_MS_MAX: Final = 600_000  # a slow second factor, and no more
PENDING_MAX: Final = 1_000  # about 0.5 MB; the oldest goes first


@dataclass(frozen=True, slots=True)
class Pending:
    """A login that was begun.

    Attributes:
        browser: digest of the secret in its browser's cookie.
        nonce: what the ID token must repeat.
        verifier: of PKCE, what the code is redeemed with.
        next_path: where in the console to go on.
        began_ms: UTC; no honest ID token of it is older.
    """

    browser: bytes
    nonce: str
    verifier: str
    next_path: str
    began_ms: int


class PendingLogins:
    """What was begun and not yet ended, by the digest of its state."""

    def __init__(self) -> None:
        self._pending: OrderedDict[bytes, tuple[Pending, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pending)

    def add(self, state: str, pending: Pending, now_ms: int) -> None:
        """Keep a login under an unpredictable state; ``now_ms`` is of a clock that never steps."""
        self._pending[digest(state)] = (pending, now_ms + LOGIN_MS_MAX)
        while len(self._pending) > PENDING_MAX:
            self._pending.popitem(last=False)

    def take(self, state: str, browser: str, now_ms: int) -> Pending | None:
        """Return and forget a login; None where it is over, unknown, or of another browser."""
        pending, ends_ms = self._pending.pop(digest(state), (None, 0))
        if pending is None or now_ms >= ends_ms:
            return None
        return pending if hmac.compare_digest(pending.browser, digest(browser)) else None


def digest(secret: str) -> bytes:
    """Return what is kept of a secret."""
    return sha256(secret.encode()).digest()
