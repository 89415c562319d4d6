"""What a gateway's silence says, and what it does not."""

import pytest

from roost_agent.ha.gateway import SILENT_MS, STALE_MS, Gateways

SLACK_MS = 1_000
NOW_MS = 1_000_000


@pytest.fixture
def gateways():
    return Gateways(SLACK_MS)


def test_one_that_never_answered_says_nothing(gateways):
    assert gateways.silent_ms(NOW_MS) is None
    assert not gateways.is_silent(NOW_MS)
    assert not gateways.fell_silent_with(5_000, NOW_MS)


def test_it_is_silent_once_that_has_lasted(gateways):
    gateways.answered(NOW_MS)
    assert not gateways.is_silent(NOW_MS + SILENT_MS - 1)
    assert gateways.is_silent(NOW_MS + SILENT_MS)
    gateways.answered(NOW_MS + SILENT_MS)
    assert not gateways.is_silent(NOW_MS + SILENT_MS)


@pytest.mark.parametrize(
    ("silent_ms", "peer_silent_ms", "with_it"),
    [
        (5_000, 5_000, True),
        (4_000, 5_000, True),  # the peer's last sign of life is a moment older than its end
        (3_999, 5_000, False),  # it answered since the peer fell silent: this node is not cut off
        (65_000, 5_000, True),
        (65_001, 5_000, False),  # it had been dead for a minute when the peer died
    ],
)
def test_it_counts_where_both_fell_silent_together(gateways, silent_ms, peer_silent_ms, with_it):
    gateways.answered(NOW_MS - silent_ms)
    assert STALE_MS == 60_000
    assert gateways.fell_silent_with(peer_silent_ms, NOW_MS) == with_it
