"""The numbers of one node's rounds for one lease: epochs that are its to take, and nonces."""

from roost_protocol.ha import Kind, Nonce
from roost_protocol.limits import HA_NODES_MAX
from roost_protocol.voter_events import Send
from roost_protocol.voter_state import Record, VoterState


class Ballots:
    """See the module.

    Args:
        name: of the lease.
        me: this node.
        boot: its boot id.
        watchdog_ms: of its device; 0 without one.
        state: of its voter, once its start is on disk.

    Attributes:
        seen_epoch: the highest that it heard of.
    """

    def __init__(
        self, name: str, me: int, boot: bytes, *, watchdog_ms: int, state: VoterState
    ) -> None:
        record = state.records.get(name, Record())
        self.seen_epoch = max(record.max_epoch, record.given_back)
        self._name = name
        self._me = me
        self._boot = boot
        self._watchdog_ms = watchdog_ms
        self._voter_id = state.voter_id
        self._inc = state.inc
        self._counter = 0

    def hear(self, epoch: int) -> None:
        """Take in that there is such an epoch."""
        self.seen_epoch = max(self.seen_epoch, epoch)

    def next_epoch(self) -> int:
        """Return the lowest epoch above all that is this node's to take."""
        epoch = self.seen_epoch + 1
        return epoch + (self._me - epoch) % HA_NODES_MAX

    def nonce(self) -> Nonce:
        """Return the nonce of another round."""
        self._counter += 1
        return Nonce(self._voter_id, self._inc, self._counter)

    def send(self, to: int, kind: Kind, epoch: int, nonce: Nonce) -> Send:
        """Return what asks one voter."""
        return Send(
            to, kind, self._name, epoch, nonce, self._me, self._boot,
            max_epoch=self.seen_epoch, watchdog_ms=self._watchdog_ms,
        )  # fmt: skip
