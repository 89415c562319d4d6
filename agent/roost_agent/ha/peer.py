"""The frames of this node on their way out and in: macs, paths, and what is refused.

A frame is encoded once for each path (it names the path), with a mac for each receiver. On a
broker's path one of them is our own: frames that come back are believed only with it, so that
nobody can pretend that our own link works. Leaves to others: what is said, what is fresh.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from roost_agent.ports import Entropy
from roost_protocol.configuration import WITNESS
from roost_protocol.errors import ProtocolError
from roost_protocol.ha import KEY_BYTES, Beat, Frame, LeaseFrame, open_frame, seal

if TYPE_CHECKING:
    from roost_agent.ha.link import HaPath

AFAR: Final = -1  # in place of a path's number: by the centre
TOLD_MAX: Final = 20  # refused frames that the log names; the counters go on

log = logging.getLogger(__name__)


class Peers:
    """All paths of one node.

    Attributes:
        hear: takes a frame whose mac is good, and the number of its path.

    Args:
        site: its name.
        me: this node's index.
        keys: index to pair key, of every other node.
        entropy: for the key of our own frames, which lives as long as this process.
    """

    def __init__(
        self,
        site: str,
        me: int,
        keys: Mapping[int, bytes],
        *,
        entropy: Entropy,
    ) -> None:
        self.hear: Callable[[int, Frame], None] = lambda _path, _frame: None
        self.refused: dict[str, int] = {}  # by the protocol's code: mac, member, oversize, ...
        self.muted: frozenset[int] = frozenset()  # paths that a drill has cut
        self.afar: Callable[[bytes], None] = lambda _payload: None  # to a witness at the centre
        self.paths: Sequence[HaPath] = ()  # set once they are made: each hears through us
        self._site = site
        self._me = me
        self._keys = {**keys, me: entropy.token(KEY_BYTES)}
        self._members = {node: key for node, key in self._keys.items() if node != WITNESS}

    def limit(self, members: Collection[int]) -> None:
        """Believe frames of these nodes and of this one alone: who is dropped is a stranger."""
        self._members = {
            node: key
            for node, key in self._keys.items()
            if node == self._me or (node != WITNESS and node in members)
        }

    def send(self, frame: Frame) -> None:
        """Send a frame on every path; its ``path`` is filled in here."""
        if isinstance(frame, LeaseFrame) and frame.to == WITNESS:
            payload = self._sealed(frame, {WITNESS})
            if payload is not None:
                self.afar(payload)
            return
        for path in self.paths:
            if path.number in self.muted:
                continue
            if isinstance(frame, LeaseFrame):
                payload = self._sealed(replace(frame, path=path.number), {frame.to})
                if payload is not None:
                    path.lease(frame.to, payload)
            elif isinstance(frame, Beat):
                payload = self._sealed(replace(frame, path=path.number), self._members)
                if payload is not None:
                    path.beat(payload)

    def came(self, path: int, payload: bytes) -> None:
        """Take in what a path brought."""
        if path in self.muted:
            return
        frame = self._opened(path, payload, self._members)
        if frame is None:
            return
        if isinstance(frame, LeaseFrame) and frame.to != self._me:
            return
        self.hear(path, frame)

    def came_afar(self, payload: bytes) -> None:
        """Take in what the centre brought: it can speak for its witness, and for nobody else."""
        keys = {WITNESS: self._keys[WITNESS]}
        frame = self._opened(AFAR, payload, keys)
        if isinstance(frame, LeaseFrame) and frame.to == self._me:
            self.hear(frame.path, frame)

    async def run(self) -> None:
        """Carry frames on every path, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for path in self.paths:
                group.create_task(path.run(), name=f"agent.ha.path[{path.number}]")

    def _opened(self, path: int, payload: bytes, keys: Mapping[int, bytes]) -> Frame | None:
        try:
            return open_frame(payload, site=self._site, me=self._me, keys=keys)
        except ProtocolError as err:
            self._refuse(path, err)
            return None

    def _sealed(self, frame: Frame, receivers: Iterable[int]) -> bytes | None:
        keys = {node: self._keys[node] for node in receivers}
        try:
            return seal(frame, keys)
        except ProtocolError as err:
            self._refuse(frame.path, err)
            return None

    def _refuse(self, path: int, err: ProtocolError) -> None:
        self.refused[err.code] = self.refused.get(err.code, 0) + 1
        if sum(self.refused.values()) <= TOLD_MAX:
            log.warning("ha path %d: refused a frame: %s", path, err)
