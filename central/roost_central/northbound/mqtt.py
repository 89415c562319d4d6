"""The feed to the NOC's broker: retained state, every transition, incidents, the fleet's summary.

At each connect the retained tree is read once, ghosts are deleted and what is missing is published.
The will says ``offline``. MQTT 5, for the properties that carry a CloudEvents envelope; readers of
3.1.1 see the same payloads.
"""

import asyncio
import heapq
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final

import aiomqtt
import msgspec
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from roost_central.alarms.flat import Flat, FlatAlarm, FlatSummary, rfc3339
from roost_central.alarms.transition import Transition
from roost_central.fleet.view import FleetView, SiteRow
from roost_central.northbound import noc_tree
from roost_central.northbound.config import NocBrokerConfig
from roost_central.northbound.core import LINE_RETRIES_S, retry_ms
from roost_central.northbound.feed import AlarmFeed, flatten
from roost_central.northbound.noc_broker import WRITER
from roost_central.northbound.noc_tree import Message
from roost_central.northbound.target import TargetState
from roost_central.ports import Clock, Entropy
from roost_protocol import __version__

logger = logging.getLogger(__name__)

BATCH: Final = 200  # transitions read at once
BACKLOG_MAX: Final = 10_000  # after a longer pause the stream begins later; the state is whole
REBUILD_RATE: Final = 500  # retained messages a second (faults.md section 6)
IN_FLIGHT_MAX: Final = 100
RETAINED_MAX: Final = 250_000  # messages of the broker's tree that are read at a connect
QUIET_S: Final = 1.0  # without a retained message: the tree is read
PUBLISH_S_MAX: Final = 30.0
SUMMARY_S: Final = 5.0  # at most one summary in this time
TICK_S: Final = 1.0


class NocFeed:
    """The target ``mqtt``."""

    def __init__(  # noqa: PLR0913 - the parts of a shell
        self,
        config: NocBrokerConfig,
        password: str,
        state: TargetState,
        *,
        view: FleetView,
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self.state = state
        self.sessions = 0
        self._config = config
        self._password = password
        self._feed: AlarmFeed = state.feed
        self._view = view
        self._clock = clock
        self._entropy = entropy
        self._client: aiomqtt.Client | None = None
        self._summary: FlatSummary | None = None
        self._sites: dict[str, bytes] = {}
        self._closing: list[tuple[int, str]] = []  # due, topic: cleared, soon to be emptied
        self._open: dict[str, int] = {}  # topic -> seq of what stands there

    async def run(self) -> None:
        """See Target."""
        while True:
            try:
                await self._session()
            except* (aiomqtt.MqttError, TimeoutError) as errors:
                self.state.failed(_first(errors))
            finally:
                self._client = None
            failures = max(1, self.state.health.failures)
            dice = self._entropy.uniform(0, 1)
            await asyncio.sleep(retry_ms(LINE_RETRIES_S, failures, dice) / 1000)

    async def test(self) -> str:
        """See Target."""
        if self._client is None:
            return self.state.health.last_error or "not connected"
        try:
            await self._publish([self._status("online")])
        except (aiomqtt.MqttError, TimeoutError) as err:
            return str(err) or "no answer"
        return ""

    async def _session(self) -> None:
        """Connect, make the tree true, then follow until the connection is lost."""
        async with aiomqtt.Client(
            self._config.host,
            self._config.port,
            identifier="roost-feed",
            username=WRITER,
            password=self._password,
            protocol=aiomqtt.ProtocolVersion.V5,
            will=aiomqtt.Will(noc_tree.STATUS, b'{"state":"offline"}', qos=1, retain=True),
            max_inflight_messages=IN_FLIGHT_MAX,
            max_queued_incoming_messages=RETAINED_MAX,
            keepalive=10,
            timeout=10,
        ) as client:
            retained = await self._retained(client)
            self._client = client
            at = self._feed.last_seq
            truth = self._truth(at)
            changes = noc_tree.rebuild(retained, truth)
            logger.info("the NOC's tree: %d topics, %d to change", len(truth), len(changes))
            self._open = {message.topic: at for message in truth}
            self._closing = []
            self._summary = None
            self.state.moved(at - BACKLOG_MAX)
            await self._paced(changes)
            await self._publish([self._status("online")])
            self.state.worked(0)
            self.sessions += 1
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_watch(client), name="northbound.mqtt.watch")
                tasks.create_task(self._follow(), name="northbound.mqtt.follow")
                tasks.create_task(self._tick(), name="northbound.mqtt.tick")

    async def _retained(self, client: aiomqtt.Client) -> dict[str, bytes]:
        """Read what the broker retains; over when nothing came for QUIET_S."""
        found: dict[str, bytes] = {}
        for topic in noc_tree.RETAINED:
            await client.subscribe(topic, qos=0)
        with suppress(TimeoutError):
            while len(found) < RETAINED_MAX:
                async with asyncio.timeout(QUIET_S):
                    message = await anext(client.messages)
                if message.retain and isinstance(message.payload, bytes):
                    found[str(message.topic)] = message.payload
        for topic in noc_tree.RETAINED:
            await client.unsubscribe(topic)
        return found

    def _truth(self, seq: int) -> list[Message]:
        """Return every retained message as it should be now."""
        feed = self._feed
        flats: list[Flat] = [feed.flat(row, "change", seq) for row in feed.open_alarms()]
        flats += [feed.flat_incident(each, "change", seq) for each in feed.open_incidents()]
        messages = [noc_tree.state_of(flat) for flat in flats]
        self._sites = {}
        return messages + self._changed_sites()

    async def _follow(self) -> None:
        """Publish transitions as they are committed."""
        while True:
            await self._feed.wait(self.state.cursor)
            changes = await self._feed.transitions(self.state.cursor, BATCH)
            if not changes:  # what the cursor points at is not kept any more
                self.state.moved(self._feed.last_seq)
                continue
            messages = [message for change in changes for message in self._messages(change)]
            await self._publish(messages)
            self.state.worked(len(changes))
            self.state.moved(changes[-1].seq)

    def _messages(self, change: Transition) -> list[Message]:
        """Return the messages of a transition: its event, and its state unless that is newer."""
        flat = flatten(self._feed, change)
        if flat is None:
            return []
        state = noc_tree.state_of(flat)
        events = [noc_tree.event_of(flat)] if isinstance(flat, FlatAlarm) else []
        if change.seq <= self._open.get(state.topic, -1):
            return events
        if noc_tree.is_over(flat):
            due_ms = self._clock.boot_ms() + noc_tree.CLEARED_MS
            heapq.heappush(self._closing, (due_ms, state.topic))
            self._open.pop(state.topic, None)
        else:
            self._open[state.topic] = change.seq
        return [*events, state]

    async def _tick(self) -> None:
        """Empty what was cleared a minute ago; tell sites and the summary where they changed."""
        told_ms = -(1 << 40)
        while True:
            now_ms = self._clock.boot_ms()
            messages = self._emptied(now_ms) + self._changed_sites()
            if now_ms - told_ms >= SUMMARY_S * 1000 and (summary := self._new_summary()):
                messages.append(noc_tree.summary_of(summary))
                told_ms = now_ms
            await self._paced(messages)
            await asyncio.sleep(TICK_S)

    def _emptied(self, now_ms: int) -> list[Message]:
        messages = []
        while self._closing and self._closing[0][0] <= now_ms:
            _, topic = heapq.heappop(self._closing)
            if topic not in self._open:  # raised again meanwhile
                messages.append(Message(topic, b""))
        return messages

    def _changed_sites(self) -> list[Message]:
        """Return the states of sites that changed, and empty those of sites that are gone."""
        gone = self._sites.keys() - self._view.sites.keys()
        messages = [Message(noc_tree.site_topic(site), b"") for site in sorted(gone)]
        for site in gone:
            del self._sites[site]
        for row in self._view.sites.values():
            state = self._site_state(row)
            told = msgspec.json.encode((state.state, state.nodes, state.paths_up, state.paths))
            if self._sites.get(row.site) != told:
                self._sites[row.site] = told
                messages.append(Message(noc_tree.site_topic(row.site), msgspec.json.encode(state)))
        return messages

    def _site_state(self, row: SiteRow) -> noc_tree.SiteState:
        nodes = [self._view.nodes[node] for node in row.nodes if node in self._view.nodes]
        paths = [path for node in nodes for path in node.paths.values() if path.kind == "wan"]
        heard_ms = max((node.heard_ms or 0 for node in nodes), default=0)
        return noc_tree.SiteState(
            site=row.site,
            state=row.status,
            sev={"ok": 0, "maintenance": 0, "degraded": 2, "down": 4}.get(row.status, 3),
            nodes=len(nodes),
            paths_up=sum(path.state == "up" for path in paths),
            paths=len(paths),
            as_of=rfc3339(heard_ms) if heard_ms else "",
            ts=self._clock.wall_ms() // 1000,
        )

    def _new_summary(self) -> FlatSummary | None:
        summary = self._feed.flat_summary()
        before = self._summary
        if before is not None and msgspec.structs.replace(before, ts=summary.ts) == summary:
            return None
        self._summary = summary
        return summary

    def _status(self, state: str) -> Message:
        ts = self._clock.wall_ms() // 1000
        status = noc_tree.Status(state, __version__, ts)
        return Message(noc_tree.STATUS, msgspec.json.encode(status))

    async def _paced(self, messages: Sequence[Message]) -> None:
        """Publish many retained messages, REBUILD_RATE a second."""
        for start in range(0, len(messages), IN_FLIGHT_MAX):
            chunk = messages[start : start + IN_FLIGHT_MAX]
            await self._publish(chunk)
            if start + IN_FLIGHT_MAX < len(messages):
                await asyncio.sleep(len(chunk) / REBUILD_RATE)

    async def _publish(self, messages: Iterable[Message]) -> None:
        """Publish in order, IN_FLIGHT_MAX at a time, and wait until the broker has them."""
        waiting = list(messages)
        for start in range(0, len(waiting), IN_FLIGHT_MAX):
            async with asyncio.timeout(PUBLISH_S_MAX), asyncio.TaskGroup() as tasks:
                for message in waiting[start : start + IN_FLIGHT_MAX]:
                    tasks.create_task(self._send(message), name="northbound.mqtt.publish")

    async def _send(self, message: Message) -> None:
        if self._client is None:
            raise aiomqtt.MqttError("not connected")
        await self._client.publish(
            message.topic,
            message.payload,
            qos=1,
            retain=message.retain,
            properties=None if message.retain else _envelope(message),
        )


async def _watch(client: aiomqtt.Client) -> None:
    """Notice a lost connection also while there is nothing to say.

    Raises:
        MqttError: it is lost.
    """
    async for _ in client.messages:
        pass
    raise aiomqtt.MqttError("the connection ended")


def _envelope(message: Message) -> Properties:
    """Return the CloudEvents attributes of an event, in the binary mode of its MQTT binding."""
    event = msgspec.json.decode(message.payload, type=dict[str, object])
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call] # paho
    properties.ContentType = "application/json"
    properties.UserProperty = [
        ("specversion", "1.0"),
        ("id", str(event["seq"])),
        ("source", "roost"),
        ("type", f"roost.alarm.{event['event']}"),
        ("time", str(event["changed"])),
        ("subject", str(event["entity"])),
    ]
    return properties


def _first(errors: BaseExceptionGroup[BaseException]) -> str:
    """Return the words of the first error in a group of groups."""
    error: BaseException = errors
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return str(error) or "no answer in time"
