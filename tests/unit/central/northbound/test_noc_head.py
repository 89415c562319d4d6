"""When the head of the audit log is told, and how it reads."""

import json

from roost_central.access.chain import Anchor
from roost_central.northbound.noc_head import ROWS_MAX, TOLD_MS, HeadNews, head_message


def test_a_head_is_told_at_once_then_by_time_or_by_number():
    news, first = HeadNews(), Anchor(5, b"a" * 32)
    assert news.due(first, 0)
    assert not news.due(first, TOLD_MS)  # nothing came since
    later = Anchor(6, b"b" * 32)
    assert not news.due(later, TOLD_MS - 1)
    assert news.due(later, TOLD_MS)
    assert not news.due(Anchor(5 + ROWS_MAX, b"c" * 32), TOLD_MS + 1)
    assert news.due(Anchor(6 + ROWS_MAX, b"d" * 32), TOLD_MS + 1)


def test_a_head_is_retained_and_says_what_verify_takes():
    message = head_message(Anchor(5, b"\xab" * 32), 1_000)
    assert (message.topic, message.retain) == ("noc/v1/audit/head", True)
    told = json.loads(message.payload)
    assert (told["seq"], told["hash"], told["ts"]) == (5, "ab" * 32, 1)
