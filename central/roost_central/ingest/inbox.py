"""Between the brokers' callbacks and the loops: admission by topic, rate and seal; two queues.

Invariants: a callback does O(1) work and never waits; both queues are bounded in messages, reports
in bytes too. What does not fit is dropped and counted: a beat is followed by another, a report
without a receipt is sent again. A node past its rate is cut before it can fill a queue, so that
it starves nobody else.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from roost_central.ingest.config import IngestConfig
from roost_central.ingest.late import LateWords
from roost_central.ingest.notices import Notices
from roost_central.ingest.roster import Roster
from roost_central.ingest.seals import Seals
from roost_central.ports import Clock
from roost_central.storage.dead_letters import NewDeadLetter
from roost_protocol.errors import ProtocolError
from roost_protocol.limits import MESSAGE_BYTES_MAX, SEAL_BYTES
from roost_protocol.seal import is_sealed
from roost_protocol.severity import Severity
from roost_protocol.topics import NodeId, SiteId, UpTopic, parse_up, shard_of, split_node_id

BEATS_MAX: Final = 50_000  # one second of the greatest fleet at its goal of 50,000 a second
REPORTS_MAX: Final = 10_000
REPORT_BYTES_MAX: Final = 64 * 1024 * 1024
TOPICS_MAX: Final = 200_000  # parsed topics kept: three of each of 50,000 nodes, and room
RATE_PER_S: Final = 200  # of one topic: eight reports in flight at 50 ms a batch are 160
BURST: Final = 400  # of one topic: a node that comes back may have much to say
TOKEN_MS: Final = 1000 // RATE_PER_S


ToWitness = Callable[[str, str, str, bytes], bool]  # broker, site, node's name, frame


@dataclass(slots=True)
class Message:
    """One message of an admitted node, as it came.

    Attributes:
        generation: of the identity that sealed it; 0: none did.
    """

    broker: str
    node: NodeId
    site: SiteId
    leaf: str
    payload: bytes
    arrived_ms: int
    generation: int = 0


@dataclass(slots=True)
class _Speaker:
    """A parsed topic and its bucket of tokens, as the time at which it was or will be full."""

    topic: UpTopic
    is_ours: bool
    full_ms: int

    def has_token(self, now_ms: int) -> bool:
        """Take a token, where there is one."""
        full_ms = max(self.full_ms, now_ms) + TOKEN_MS
        if full_ms > now_ms + BURST * TOKEN_MS:
            return False
        self.full_ms = full_ms
        return True


class Inbox:
    """Takes messages from callbacks, gives them to the loops."""

    def __init__(
        self, config: IngestConfig, roster: Roster, seals: Seals, notices: Notices, clock: Clock
    ) -> None:
        self._shards = frozenset(config.shards)
        self._roster = roster
        self._seals = seals
        self._notices = notices
        self._clock = clock
        self._speakers: dict[str, _Speaker] = {}
        self._late = LateWords()
        self._report_bytes = 0
        self.beats: deque[Message] = deque()
        self.reports: deque[Message] = deque()
        self.to_witness: ToWitness | None = None
        self.beats_wake = asyncio.Event()
        self.reports_wake = asyncio.Event()

    def offer(self, broker: str, topic: str, payload: bytes, *, retained: bool) -> None:
        """Take in a message or refuse it, by a word that is counted."""
        now_ms = self._clock.mono_ms()
        speaker = self._speakers.get(topic)
        try:
            if speaker is None:
                speaker = self._meet(topic, now_ms)
            self._check(speaker, broker, payload, retained=retained)
        except ProtocolError as err:
            self._refuse(err, topic, payload, speaker)
            return
        if not speaker.has_token(now_ms):
            self._notices.refuse("flooding")
            self._notices.complain(
                "280.806",
                f"more than {RATE_PER_S} messages/s; the rest is dropped",
                node=speaker.topic.node,
                severity=Severity.MAJOR,
                params={"limit": RATE_PER_S},
            )
            return
        try:
            body = self._seals.open(broker, speaker.topic.node, topic, payload)
        except ProtocolError as err:
            self._reject(err, speaker.topic, now_ms)
            return
        self._enqueue(speaker.topic, broker, body, now_ms)

    def take_report(self) -> Message | None:
        """Return the oldest report that waits."""
        if not self.reports:
            return None
        message = self.reports.popleft()
        self._report_bytes -= len(message.payload)
        return message

    @property
    def oldest_report(self) -> Message | None:
        """The report that would be taken next, if one waits."""
        return self.reports[0] if self.reports else None

    @property
    def waiting(self) -> int:
        """Messages in both queues."""
        return len(self.beats) + len(self.reports)

    def _meet(self, topic: str, now_ms: int) -> _Speaker:
        parsed = parse_up(topic)
        if len(self._speakers) >= TOPICS_MAX:
            del self._speakers[next(iter(self._speakers))]
        speaker = self._speakers[topic] = _Speaker(
            parsed, shard_of(parsed.site) in self._shards, now_ms
        )
        return speaker

    def _check(self, speaker: _Speaker, broker: str, payload: bytes, *, retained: bool) -> None:
        topic = speaker.topic
        if retained:
            raise ProtocolError("retained", detail="agents retain nothing; a stale state would win")
        bound = MESSAGE_BYTES_MAX + (SEAL_BYTES if is_sealed(payload) else 0)
        if len(payload) > bound:
            raise ProtocolError("oversize", bound=bound, got=len(payload))
        if not self._roster.admits(topic.node, broker):
            raise ProtocolError("unknown-node", got=topic.node)
        if not speaker.is_ours:
            raise ProtocolError("foreign-shard", got=shard_of(topic.site))

    def _enqueue(self, topic: UpTopic, broker: str, payload: bytes, now_ms: int) -> None:
        if topic.leaf == "ha":
            self._to_witness(topic, broker, payload)
            return
        message = Message(broker, topic.node, topic.site, topic.leaf, payload, now_ms)
        if topic.leaf != "report":
            message.generation = self._seals.speaks_with(topic.node) or 0  # it has just spoken
            if len(self.beats) >= BEATS_MAX:
                self._notices.refuse("overload-beat")
                return
            self.beats.append(message)
            self.beats_wake.set()
            return
        size = self._report_bytes + len(payload)
        if len(self.reports) >= REPORTS_MAX or size > REPORT_BYTES_MAX:
            self._notices.refuse("overload-report")
            return
        self._report_bytes = size
        self.reports.append(message)
        self.reports_wake.set()

    def _to_witness(self, topic: UpTopic, broker: str, payload: bytes) -> None:
        """Hand over a frame of local HA; where no witness is configured nobody reads it."""
        if self.to_witness is None:
            self._notices.refuse("no-witness")
        elif not self.to_witness(broker, topic.site, split_node_id(topic.node)[1], payload):
            self._notices.refuse("overload-ha")

    def _reject(self, err: ProtocolError, topic: UpTopic, now_ms: int) -> None:
        """Refuse what nobody vouches for; it is not kept: whoever forges must not fill our disk."""
        self._notices.refuse(err.code)
        if err.code == "ended" and self._late.is_usual(topic.node, str(err.got), now_ms):
            return
        self._notices.complain(
            "280.814",
            f"a {topic.leaf} in the node's name was refused: {err}",
            node=topic.node,
            severity=Severity.MAJOR,
        )

    def _refuse(
        self, err: ProtocolError, topic: str, payload: bytes, speaker: _Speaker | None
    ) -> None:
        self._notices.refuse(err.code)
        if topic.endswith("/up/report") and err.code != "unknown-node":
            node = speaker.topic.node if speaker else None
            self._notices.bury(
                NewDeadLetter(
                    received_ms=self._clock.wall_ms(),
                    node=node,
                    topic=topic,
                    code=err.code,
                    detail=str(err),
                    payload=payload,
                )
            )
            self._notices.complain(
                "280.807", f"a report was refused: {err}", node=node, severity=Severity.MINOR
            )
