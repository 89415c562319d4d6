"""Alertmanager: what is open is said again, what ended is said once more, members are not."""

import asyncio
import contextlib
import json

import pytest
from alarm_feed import MemoryFeed, alarm, incident
from hook_receiver import Receiver
from waiting import until

from roost_central.northbound import alertmanager
from roost_central.northbound.alertmanager import AlertmanagerTarget
from roost_central.northbound.config import AlertmanagerConfig
from roost_central.northbound.target import TargetState
from roost_central.ports import SystemClock, SystemEntropy


@pytest.fixture
async def served(tmp_path, monkeypatch):
    """A running target, and the receiver it speaks to."""
    monkeypatch.setattr(alertmanager, "GATHER_S", 0.01)
    monkeypatch.setattr(alertmanager, "RESEND_S", 0.2)
    monkeypatch.setattr(alertmanager, "LINE_RETRIES_S", (0.05,))
    token = tmp_path / "token"
    token.write_text("a-token-of-some-length")
    token.chmod(0o600)
    feed, clock = MemoryFeed(), SystemClock()
    feed.tell("raise", alarm(1))
    feed.tell("raise", alarm(2, suppressed=True))
    feed.tell_incident("open", incident())
    async with Receiver().serving() as receiver:
        config = AlertmanagerConfig("am", receiver.url, token, allow_private=True)
        state = TargetState("am", "alertmanager", receiver.url, feed, clock)
        target = AlertmanagerTarget(config, state, clock=clock, entropy=SystemEntropy())
        task = asyncio.create_task(target.run())
        try:
            yield receiver, feed, target
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def told(receiver):
    return [alert for _, _, body in receiver.requests for alert in json.loads(body)]


async def test_incidents_and_what_belongs_to_none_are_told_and_told_again(served):
    receiver, _, target = served
    await until(lambda: len(receiver.requests) >= 3, "it is said again")
    path, headers, body = receiver.requests[0]
    alerts = {alert["labels"]["alertname"]: alert for alert in json.loads(body)}

    assert path == "/api/v2/alerts"
    assert headers["Authorization"] == "Bearer a-token-of-some-length"
    assert set(alerts) == {"incident", "site.path.down"}
    assert alerts["site.path.down"]["labels"] == {
        "alertname": "site.path.down",
        "type": "280.801",
        "site": "s00001",
        "entity": "site=s00001,path=p1",
        "severity": "major",
    }
    assert "generatorURL" in alerts["incident"]
    assert target.state.word == "ok"


async def test_a_member_that_the_cause_does_not_explain_is_told_and_ends(served):
    receiver, feed, _ = served
    fire = alarm(3, suppressed=True, incident="INC-7F3A", text="fire")
    feed.tell("raise", fire)
    feed.outstanding.add(fire.key_id)

    def of_fire():
        return [each for each in told(receiver) if each["annotations"].get("summary") == "fire"]

    await until(of_fire, "it does not drown")
    feed.outstanding.clear()  # a better cause was found
    feed.tell("change", alarm(1))
    await until(lambda: of_fire()[-1]["endsAt"] < of_fire()[0]["endsAt"], "it is explained")


async def test_a_clear_and_a_change_of_severity_end_an_alert(served):
    receiver, feed, _ = served
    await until(lambda: receiver.requests, "it is told")
    feed.tell("change", alarm(1, sev=4))
    await until(
        lambda: (
            {a["labels"]["severity"] for a in told(receiver) if "site" in a["labels"]}
            == {"major", "critical"}
        ),
        "the new severity is another alert",
    )
    feed.tell("clear", alarm(1, sev=4))
    await until(lambda: "site" not in json.loads(receiver.requests[-1][2])[-1]["labels"], "gone")
    last = {}
    for alert in told(receiver):
        last[alert["labels"]["severity"], alert["labels"]["alertname"]] = alert
    open_end = last["critical", "incident"]["endsAt"]
    assert last["major", "site.path.down"]["endsAt"] < open_end
    assert last["critical", "site.path.down"]["endsAt"] < open_end


async def test_an_alertmanager_that_is_down_hears_the_end_later(served):
    receiver, feed, target = served
    await until(lambda: receiver.requests, "it is told")
    receiver.answers = [500] * 4
    feed.tell("clear", alarm(1))
    await until(lambda: "210.804|central=roost,target=am" in feed.own, "it is unreachable")
    await until(lambda: not feed.own, "it is back")
    assert "HTTP 500" in target.state.last_error
    ended = [
        alert
        for _, _, body in receiver.requests[-2:]
        for alert in json.loads(body)
        if alert["labels"].get("site") == "s00001"
    ]
    assert ended


async def test_a_test_is_an_alert_that_ends_at_once(served):
    receiver, _, target = served
    assert await target.test() == ""
    names = {alert["labels"]["alertname"] for alert in told(receiver)}
    assert "roost.test" in names


async def test_what_a_storm_may_yet_take_is_told_when_none_did_and_then_stays(served):
    receiver, feed, _ = served
    feed.candidates = {alarm(7).key_id}
    feed.tell("raise", alarm(7))
    count = len(receiver.requests)
    await until(lambda: len(receiver.requests) > count + 2, "it is said again")
    assert "s00007" not in {each["labels"].get("site") for each in told(receiver)}
    feed.candidates = set()
    await until(lambda: is_open(receiver, "s00007"), "it is told")
    feed.candidates = {alarm(7).key_id}  # its type gathers only now
    count = len(receiver.requests)
    await until(lambda: len(receiver.requests) > count + 2, "it is said again")
    assert is_open(receiver, "s00007")


def is_open(receiver, site):
    """Whether the newest request tells of a site's alarm."""
    newest = json.loads(receiver.requests[-1][2])
    return any(each["labels"].get("site") == site for each in newest)
