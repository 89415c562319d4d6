"""Webhooks in the form of Standard Webhooks: signed, retried in order, dead letters at the end.

Or in a form that a receiver knows without a program between: ServiceNow's, which checks a header
and no signature.

One message a transition that the target is told of (core.Audience), in order of their numbers but
for what a storm may take and is kept back a moment (hold.py): a receiver that is down holds the
line, so of one alarm nothing overtakes. What it refuses as malformed is given up
after three attempts, all else after the whole schedule; 410 disables the target until a test works.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from roost_central.alarms.flat import Flat, FlatAlarm, encode, rfc3339
from roost_central.alarms.transition import Transition
from roost_central.config_section import secret
from roost_central.errors import ConfigError
from roost_central.northbound import servicenow
from roost_central.northbound.config import WebhookConfig
from roost_central.northbound.core import WEBHOOK_RETRIES_S, Audience, retry_ms
from roost_central.northbound.feed import flatten, has_news
from roost_central.northbound.hold import LOOK_S, Hold, is_untold
from roost_central.northbound.http import Answer, Poster
from roost_central.northbound.target import TargetState
from roost_central.ports import Clock, Entropy

BATCH: Final = 100
GONE: Final = 410
REFUSALS: Final = frozenset({400, 413, 415, 422})  # it is this message that is not taken
REFUSED_MAX: Final = 3  # attempts of such a message
KEY_PREFIX: Final = b"whsec_"
SERVICENOW: Final = "servicenow"
SPACE: Final = 0x20  # below it are control characters, which end a header

Verdict = Literal["taken", "again", "give-up", "disable"]


class Webhook(msgspec.Struct, frozen=True):
    """The body: what kind of thing happened, when, and the flat object."""

    type: str
    timestamp: str
    data: msgspec.Raw


def judge(answer: Answer, attempts: int) -> Verdict:
    """Return what to do after an attempt; ``attempts`` counts this one."""
    if answer.is_ok:
        return "taken"
    if answer.status == GONE:
        return "disable"
    most = REFUSED_MAX if answer.status in REFUSALS else len(WEBHOOK_RETRIES_S) + 1
    return "give-up" if attempts >= most else "again"


def sign(key: bytes, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a message (Standard Webhooks, symmetric)."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def key_of(text: bytes) -> bytes:
    """Return the key in a secret's file: base64 after ``whsec_``, else the bytes themselves."""
    if not text.startswith(KEY_PREFIX):
        return text
    try:
        return base64.b64decode(text.removeprefix(KEY_PREFIX), validate=True)
    except ValueError as err:
        raise ConfigError("secret", bound="base64 after whsec_") from err


def body_of(flat: Flat) -> bytes:
    """Return the body that tells of an alarm or an incident."""
    kind = "alarm" if isinstance(flat, FlatAlarm) else "incident"
    at = flat.changed if isinstance(flat, FlatAlarm) else flat.started
    return msgspec.json.encode(Webhook(f"{kind}.{flat.event}", at, msgspec.Raw(encode(flat))))


def trial_message(form: str, now_ms: int) -> bytes:
    """Return the body of a test message."""
    if form == SERVICENOW:
        return servicenow.trial_message(rfc3339(now_ms))
    return msgspec.json.encode({"type": "roost.test", "timestamp": rfc3339(now_ms), "data": {}})


class WebhookTarget:
    """One receiver."""

    def __init__(
        self, config: WebhookConfig, state: TargetState, *, clock: Clock, entropy: Entropy
    ) -> None:
        self.state = state
        self._config = config
        self._clock = clock
        self._entropy = entropy
        self._poster = Poster(config.url, allow_private=config.allow_private)
        self._body_of = servicenow.body if config.format == SERVICENOW else body_of
        self._audience = Audience()
        self._hold = Hold(state.feed.is_candidate)
        self._read = 0  # may be past the cursor, which stays before what is kept back
        self._kick = asyncio.Event()

    async def run(self) -> None:
        """See Target."""
        feed = self.state.feed
        self._begin_anew()
        while True:
            if self.state.disabled:
                await self._kicked(None)
                self._begin_anew()
                continue
            if await has_news(feed, self._read, LOOK_S if self._hold else None):
                changes = await feed.transitions(self._read, BATCH)
                if not changes:  # what the cursor points at is not kept any more
                    self._passed(feed.last_seq)
                await self._tell(changes)
            await self._tell_due()

    def _begin_anew(self) -> None:
        """Read from the cursor on: what was kept back is read again."""
        self._hold = Hold(self.state.feed.is_candidate)
        self._read = self.state.cursor

    async def test(self) -> str:
        """See Target."""
        body = trial_message(self._config.format, self._clock.wall_ms())
        answer = await self._post(f"test-{self._entropy.token(8).hex()}", body)
        if not answer.is_ok:
            return answer.error
        self.state.enable()
        self.state.worked(0)
        self._kick.set()
        return ""

    async def _tell(self, changes: Sequence[Transition]) -> None:
        for change in changes:
            if not self._hold.keeps(change):
                await self._tell_one(change)
                if self.state.disabled:
                    return
            self._passed(change.seq)

    async def _tell_due(self) -> None:
        """Tell what no storm took, and pass over what one did."""
        for steps in self._hold.due(is_behind=self._read < self.state.feed.last_seq):
            if is_untold(steps):
                self._audience.pass_over(steps)
                self.state.skipped += len(steps)
                continue
            for change in steps:
                await self._tell_one(change)
                if self.state.disabled:
                    return
        self._passed(self._read)

    async def _tell_one(self, change: Transition) -> None:
        flat = self._admitted(flatten(self.state.feed, change))
        if flat is None:
            self.state.skipped += 1
        else:
            await self._deliver(change.seq, self._body_of(flat))

    def _passed(self, seq: int) -> None:
        """Note that everything up to a number is read, and told if nothing is kept back."""
        self._read = seq
        first = self._hold.first_seq
        self.state.moved(seq if first is None else first - 1)

    def _admitted(self, flat: Flat | None) -> Flat | None:
        """Return what the target is told; None where it is nothing."""
        if isinstance(flat, FlatAlarm):
            event = self._audience.tells(flat.event, flat.key_id, is_suppressed=flat.suppressed)
            return msgspec.structs.replace(flat, event=event) if event else None
        if flat is None or not self._audience.admits_incident(
            flat.event, flat.id, flat.cause, is_held=flat.held
        ):
            return None
        return flat

    async def _deliver(self, seq: int, body: bytes) -> None:
        """Send one message until it is taken or given up."""
        attempts = 0
        while True:
            attempts += 1
            answer = await self._post(f"roost-{seq}", body)
            verdict = judge(answer, attempts)
            if verdict == "taken":
                self.state.worked()
                return
            if verdict == "disable":
                self.state.disable(answer.error)
                return
            self.state.failed(answer.error)
            if verdict == "give-up":
                self.state.bury(seq, answer.error, body)
                return
            dice = self._entropy.uniform(0, 1)
            await self._kicked(retry_ms(WEBHOOK_RETRIES_S, attempts, dice) / 1000)

    async def _post(self, message_id: str, body: bytes) -> Answer:
        timestamp = self._clock.wall_ms() // 1000
        try:
            keys = await asyncio.to_thread(self._keys)
            headers = await asyncio.to_thread(self._authorization)
        except ConfigError as err:
            return Answer(0, str(err))
        if keys:
            headers["webhook-signature"] = " ".join(
                sign(key, message_id, timestamp, body) for key in keys
            )
        headers |= {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
        return await self._poster.post(body, headers)

    def _keys(self) -> list[bytes]:
        files = (self._config.secret_file, self._config.old_secret_file)
        return [key_of(secret(file)) for file in files if file is not None]

    def _authorization(self) -> dict[str, str]:
        """Return the header that an intermediary or the receiver asks for, if one does.

        Raises:
            ConfigError: its file cannot be used, or does not hold one line of ASCII.
        """
        file = self._config.authorization_file
        if file is None:
            return {}
        value = secret(file)
        if not value.isascii() or any(byte < SPACE for byte in value):
            raise ConfigError("secret", field=str(file), bound="one line of ASCII")
        return {"Authorization": value.decode("ascii")}

    async def _kicked(self, seconds: float | None) -> None:
        """Wait, at most so long, for a test that worked."""
        self._kick.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._kick.wait()
        except TimeoutError:
            return
