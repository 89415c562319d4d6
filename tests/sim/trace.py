"""What happened, in order: a hash of all of it, and the lines where somebody wants to read them."""

import hashlib
from collections import Counter
from collections.abc import Callable


class Trace:
    """The run's record.

    Args:
        now_s: gives virtual time.
        keep: whether lines are kept for reading.
    """

    def __init__(self, now_s: Callable[[], float], *, keep: Callable[[str], None] | None) -> None:
        self._now_s = now_s
        self._keep = keep
        self._hash = hashlib.blake2b(digest_size=16)
        self.events = 0
        self.sometimes: Counter[str] = Counter()

    @property
    def digest(self) -> str:
        """The hash of all events so far."""
        return self._hash.hexdigest()

    def note(self, what: str, payload: bytes = b"") -> None:
        """Record an event that was delivered."""
        self.events += 1
        now_s = self._now_s()
        self._hash.update(f"{now_s:.6f} {what} {len(payload)}".encode())
        self._hash.update(payload)
        if self._keep is not None:
            self._keep(f"{now_s:12.6f}  {what}" + (f"  {len(payload)} B" if payload else ""))

    def met(self, what: str) -> None:
        """Count something that a search must reach now and then, or it does not search there."""
        self.sometimes[what] += 1
