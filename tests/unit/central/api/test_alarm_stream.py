"""What a live client is told of the alarms: the banner, few rows, or that it should read again."""

import pytest

from roost_central.alarms.facts import Said
from roost_central.api.alarm_stream import CHANGED_MAX, INTERVAL_MS, AlarmStream
from roost_central.api.live import Client
from roost_protocol.alarm import Alarm, Change
from roost_protocol.severity import Severity


def said(n, severity=Severity.MAJOR):
    change = Change.CLEAR if severity is Severity.CLEARED else Change.RAISE
    alarm = Alarm(v=1, type="100.104", change=change, severity=severity, entity=f"fs=/{n}")
    return Said("alpha.n1", alarm, 1_793_500_000_000)


@pytest.fixture
def stream(central):
    return AlarmStream(central.api)


@pytest.fixture
def client():
    client = Client(frozenset(), ())
    client.alarms_seq = -1
    return client


async def test_the_first_word_is_the_banner_and_then_what_changed(central, stream, client):
    book = central.api.book
    await book.change(lambda: [said(1)])
    first = stream.news(client, 0)
    assert (first.counts.major, first.changed, first.more) == (1, [], False)
    assert stream.news(client, 5_000) is None
    await book.change(lambda: [said(2), said(1, Severity.CLEARED)])
    gone = first.seq
    news = stream.news(client, 5_000)
    assert [alarm.entity for alarm in news.changed] == ["site=alpha,node=n1,fs=/2"]
    assert len(news.gone) == 1
    assert news.seq > gone


async def test_what_comes_too_soon_waits_and_more_than_a_page_is_read_again(
    central, stream, client
):
    book = central.api.book
    await book.change(lambda: [said(1)])
    stream.news(client, 0)
    await book.change(lambda: [said(n) for n in range(2, CHANGED_MAX + 3)])
    assert stream.news(client, INTERVAL_MS - 1) is None
    assert client.wake.is_set()
    news = stream.news(client, INTERVAL_MS)
    assert (news.more, news.changed) == (True, [])
    assert news.counts.major == CHANGED_MAX + 2


async def test_what_is_too_long_ago_to_tell_is_read_again(central, stream, client):
    book = central.api.book
    await book.change(lambda: [said(n) for n in range(1_002)])
    client.alarms_seq = 0
    assert stream.news(client, 0).more
