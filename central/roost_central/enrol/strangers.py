"""Who has to show a claim and shows none: told so by a look, without the only write lock.

Where a secret was shown once nobody looks again: its hash never changes, and whether the claim
still counts is decided in the transaction.
"""

from collections.abc import Sequence
from typing import Final

from roost_central.enrol.caller import Caller
from roost_central.enrol.guesses import Guesses
from roost_central.enrol.ledger import BY_CLAIM, Ledger, look
from roost_central.storage.engine import Database
from roost_protocol.join_token import is_secret

CLAIMS_KEPT: Final = 1_000  # whose secrets were shown


class Strangers:
    """Tells them from those about whom it is to be decided."""

    def __init__(self, database: Database, guesses: Guesses) -> None:
        self._database = database
        self._guesses = guesses
        self._shown: dict[str, bytes] = {}  # hashes of secrets, by claim

    async def among(self, callers: Sequence[Caller]) -> list[bool]:
        """Say of each whether it has to show a claim, and neither does nor is known."""
        asked = [each.proven for each in callers if self._has_to_show(each)]
        if not asked:
            return [False] * len(callers)
        async with self._database.read() as connection:
            ledger = await look(connection, asked)
        return [self._has_to_show(each) and self._is_strange(each, ledger) for each in callers]

    def _has_to_show(self, caller: Caller) -> bool:
        request = caller.proven.request
        known = self._shown.get(request.proof.claim or "", b"")
        return request.kind in BY_CLAIM and not is_secret(known, request.proof.secret or b"")

    def _is_strange(self, caller: Caller, ledger: Ledger) -> bool:
        shown, named = ledger.shown(caller.proven), ledger.named(caller.proven)
        if shown.claim is not None:
            if shown.claim.secret_hash is not None:
                if len(self._shown) >= CLAIMS_KEPT:
                    self._shown.clear()
                self._shown[shown.claim.id] = shown.claim.secret_hash
            return False
        if named is not None:
            self._guesses.note(named)
        return caller.key_hash not in ledger.boxes
