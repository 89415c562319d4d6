"""Webhooks: signed, in order, retried, given up, disabled; a real receiver verifies them."""

import asyncio
import contextlib
import json
from types import SimpleNamespace

import pytest
from alarm_feed import MemoryFeed, alarm, incident
from hook_receiver import Receiver, is_signed
from msgspec.structs import replace
from waiting import until

from roost_central.errors import ConfigError
from roost_central.northbound import webhook
from roost_central.northbound.config import WebhookConfig
from roost_central.northbound.core import WEBHOOK_RETRIES_S
from roost_central.northbound.http import Answer
from roost_central.northbound.target import TargetState
from roost_central.northbound.webhook import WebhookTarget, judge, key_of
from roost_central.ports import SystemClock

KEY = b"a secret of at least 8 bytes"


class Dice:
    """Entropy without luck."""

    def token(self, size):
        return bytes(size)

    def uniform(self, low, high):
        return low


@pytest.fixture
async def receiver():
    async with Receiver().serving() as found:
        yield found


@pytest.fixture
def hasty(monkeypatch):
    """The schedule, a thousand times faster."""
    fast = tuple(wait / 1000 for wait in WEBHOOK_RETRIES_S[:3]) + (0.3,) * 4
    monkeypatch.setattr(webhook, "WEBHOOK_RETRIES_S", fast)


@pytest.fixture
def serve(tmp_path):
    @contextlib.asynccontextmanager
    async def serve(url, *, allow_private=True, **more):
        path = tmp_path / "secret"
        path.write_bytes(KEY)
        path.chmod(0o600)
        feed, clock = MemoryFeed(), SystemClock()
        config = WebhookConfig("hook", url, path, allow_private=allow_private, **more)
        state = TargetState("hook", "webhook", url, feed, clock)
        target = WebhookTarget(config, state, clock=clock, entropy=Dice())
        task = asyncio.create_task(target.run())
        try:
            yield SimpleNamespace(feed=feed, state=state, target=target, secret=path)
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return serve


async def test_a_message_is_signed_and_carries_the_flat_object(receiver, serve):
    async with serve(f"{receiver.url}/hook") as served:
        served.feed.tell("raise", alarm(1))
        served.feed.tell_incident("open", incident())
        await until(lambda: len(receiver.requests) == 2, "both arrived")
        await until(lambda: served.state.cursor == 2, "the cursor moves")
    (path, headers, body), (_, _, second) = receiver.requests

    assert path == "/hook"
    assert is_signed(headers, body, KEY)
    assert not is_signed(headers, body + b" ", KEY)
    assert headers["webhook-id"] == "roost-1"
    told = json.loads(body)
    assert told["type"] == "alarm.raise"
    assert told["data"]["label_carrier"] == "carB"
    assert json.loads(second)["type"] == "incident.open"
    assert served.state.word == "ok"


async def test_while_a_secret_is_changed_both_are_valid(receiver, serve, tmp_path):
    old = tmp_path / "old"
    old.write_bytes(b"whsec_" + b"b2xkIHNlY3JldA==")
    old.chmod(0o600)
    async with serve(receiver.url, old_secret_file=old) as served:
        served.feed.tell("raise", alarm(1))
        await until(lambda: receiver.requests, "it arrived")
    _, headers, body = receiver.requests[0]
    assert is_signed(headers, body, KEY)
    assert is_signed(headers, body, b"old secret")


async def test_a_receiver_that_is_down_holds_the_line_and_loses_nothing(receiver, serve, hasty):
    receiver.answers = [503, 503, 500, 302]
    async with serve(receiver.url) as served:
        for number in range(1, 4):
            served.feed.tell("raise", alarm(number))
        await until(lambda: "210.804|central=roost,target=hook" in served.feed.own, "it is told")
        await until(lambda: served.state.cursor == 3, "all are delivered")
        assert served.feed.own == {}
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert ids == ["roost-1"] * 5 + ["roost-2", "roost-3"]
    assert all(path != "/elsewhere" for path, _, _ in receiver.requests)


async def test_what_is_refused_as_malformed_is_given_up_and_kept(receiver, serve, hasty):
    receiver.answers = [422, 422, 422]
    async with serve(receiver.url) as served:
        served.feed.tell("raise", alarm(1))
        served.feed.tell("raise", alarm(2))
        await until(lambda: served.state.cursor == 2, "the line goes on")
    (letter,) = served.state.new_letters
    assert (letter.about_seq, letter.error) == (1, "HTTP 422 as told")
    assert served.state.sent == 1


async def test_gone_disables_until_a_test_works(receiver, serve):
    receiver.answers = [410, 503]
    async with serve(receiver.url) as served:
        served.feed.tell("raise", alarm(1))
        await until(lambda: served.state.disabled, "it is disabled")
        served.feed.tell("raise", alarm(2))
        assert served.state.word == "disabled"
        assert "503" in await served.target.test()
        assert served.state.disabled
        assert len(receiver.requests) == 2
        assert await served.target.test() == ""
        await until(lambda: served.state.cursor == 2, "it goes on where it was")
    ids = [headers["webhook-id"] for _, headers, _ in receiver.requests]
    assert ids[-2:] == ["roost-1", "roost-2"]


async def test_members_of_an_incident_are_not_sent(receiver, serve):
    async with serve(receiver.url) as served:
        served.feed.tell_incident("open", incident())
        for number in range(1, 200):
            served.feed.tell("raise", alarm(number, suppressed=True, incident="INC-7F3A"))
            served.feed.tell("clear", alarm(number, suppressed=True, incident="INC-7F3A"))
        served.feed.tell("raise", alarm(777))
        await until(lambda: served.state.cursor == served.feed.last_seq, "all passed")
    assert [json.loads(body)["type"] for _, _, body in receiver.requests] == [
        "incident.open",
        "alarm.raise",
    ]
    assert served.state.skipped == 398


async def test_a_private_address_is_refused_unless_allowed(receiver, serve):
    for url in (receiver.url, f"http://localhost:{receiver.port}"):
        async with serve(url, allow_private=False) as served:
            assert "private address" in await served.target.test()
    assert receiver.requests == []


async def test_a_secret_that_others_read_is_not_used(receiver, serve):
    async with serve(receiver.url) as served:
        served.secret.chmod(0o644)
        assert "not readable by others" in await served.target.test()
    assert receiver.requests == []


async def test_servicenow_is_spoken_to_in_its_form_with_its_header(receiver, serve, tmp_path):
    header = tmp_path / "authorization"
    header.write_text("Basic cm9vc3Q6Y2FuYXJ5\n")
    header.chmod(0o600)
    form = {"format": "servicenow", "authorization_file": header}
    async with serve(f"{receiver.url}/api/global/em/jsonv2", **form) as served:
        served.feed.tell("raise", alarm(1, sev=4))
        served.feed.tell("clear", alarm(1, sev=4))
        await until(lambda: served.state.cursor == 2, "both arrived")
        assert await served.target.test() == ""
        header.write_text("Basic two\nlines: of it")
        assert "one line of ASCII" in await served.target.test()
    found = [json.loads(body)["records"][0] for _, _, body in receiver.requests]
    assert [each["severity"] for each in found] == ["1", "0", "0"]
    assert found[0]["message_key"] == found[1]["message_key"] == alarm(1).key_id
    path, headers, _ = receiver.requests[0]
    assert path == "/api/global/em/jsonv2"
    assert headers["Authorization"] == "Basic cm9vc3Q6Y2FuYXJ5"


def test_the_schedule_ends_in_a_dead_letter():
    down = Answer(0, "refused")
    verdicts = [judge(down, attempts) for attempts in range(1, 9)]
    assert verdicts == ["again"] * 7 + ["give-up"]
    assert judge(Answer(404, ""), 1) == "again"
    assert judge(Answer(200, ""), 1) == "taken"
    assert judge(Answer(302, ""), 1) == "again"


def test_a_key_is_base64_after_its_prefix():
    assert key_of(b"whsec_AAEC") == b"\x00\x01\x02"
    assert key_of(b"plain") == b"plain"
    with pytest.raises(ConfigError):
        key_of(b"whsec_not base64")


def words(receiver):
    bodies = [json.loads(body) for _, _, body in receiver.requests]
    return [(body["type"], body["data"].get("site")) for body in bodies]


async def test_what_a_storm_took_is_told_by_its_incident_alone(receiver, serve, monkeypatch):
    monkeypatch.setattr(webhook, "LOOK_S", 0.01)
    first, second, other = (alarm(number) for number in (1, 2, 3))
    async with serve(receiver.url) as served:
        feed = served.feed
        feed.candidates = {first.key_id, second.key_id}
        feed.tell("raise", first)
        feed.tell("raise", second)
        feed.tell("raise", other)
        await until(lambda: receiver.requests, "what is about others passes")
        assert served.state.cursor == 0, "what is kept is read again after a restart"
        feed.tell("change", replace(first, suppressed=True, incident="INC-7F3A"))
        feed.tell_incident("open", incident())
        feed.candidates = set()
        await until(lambda: served.state.cursor == 5, "all is told or passed over")
        feed.tell("clear", replace(first, suppressed=True, incident="INC-7F3A"))
        await until(lambda: served.state.cursor == 6, "the end of what was not told is not told")
    told = words(receiver)
    assert told[0] == ("alarm.raise", "s00003")
    assert sorted(told[1:], key=str) == [("alarm.raise", "s00002"), ("incident.open", None)]


async def test_what_a_storm_took_while_a_receiver_was_told_is_not_told_either(
    receiver, serve, monkeypatch
):
    monkeypatch.setattr(webhook, "LOOK_S", 0.01)
    first = alarm(1)
    async with serve(receiver.url) as served:
        feed, tell = served.feed, served.target._tell

        async def told(changes):
            await tell(changes)
            if feed.candidates:
                feed.tell("change", replace(first, suppressed=True, incident="INC-7F3A"))
                feed.candidates = set()

        monkeypatch.setattr(served.target, "_tell", told)
        feed.candidates = {first.key_id}
        feed.tell("raise", first)
        await until(lambda: served.state.cursor == 2, "it is passed over")
    assert receiver.requests == []


async def test_a_member_that_is_told_apart_is_new_to_a_receiver(receiver, serve):
    member = alarm(1, suppressed=True, incident="INC-7F3A")
    async with serve(receiver.url) as served:
        served.feed.tell("raise", member)
        served.feed.tell("change", replace(member, suppressed=False))
        served.feed.tell("clear", replace(member, suppressed=False))
        await until(lambda: served.state.cursor == 3, "all is told")
    assert words(receiver) == [("alarm.raise", "s00001"), ("alarm.clear", "s00001")]


async def test_what_is_kept_back_when_a_receiver_is_gone_waits_for_its_return(
    receiver, serve, monkeypatch
):
    monkeypatch.setattr(webhook, "LOOK_S", 0.01)
    receiver.answers = [410]
    async with serve(receiver.url) as served:
        served.feed.candidates = {alarm(1).key_id}
        served.feed.tell("raise", alarm(1))
        served.feed.candidates = set()
        await until(lambda: served.state.disabled, "it is gone")
        assert served.state.cursor == 0
        await served.target.test()
        await until(lambda: served.state.cursor == 1, "it is told then")
    assert words(receiver)[-1] == ("alarm.raise", "s00001")
