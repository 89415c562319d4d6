import msgspec
import pytest

from roost_agent.update.intake import BUSY_AGAIN_MS, RejectedError, check, read
from roost_protocol.codec import encode
from roost_protocol.update import Offer

OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=2, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=10,
)  # fmt: skip


def refused(**given):
    said = {"node": "lab.n1", "attempts": [1], "under_way": None, "now_ms": 9} | given
    with pytest.raises(RejectedError) as caught:
        check(OFFER, said.pop("node"), **said)
    return caught.value


def test_an_offer_is_read_and_is_the_one_that_the_order_names():
    assert read("a" * 32, 2, encode(OFFER)) == OFFER
    for job, attempt in (("a" * 32, 1), ("c" * 32, 2)):
        with pytest.raises(RejectedError, match="the body is an offer of job a") as caught:
            read(job, attempt, encode(OFFER))
        assert caught.value.code == "offer"
    twice = msgspec.structs.replace(OFFER, nodes=["lab.n1", "lab.n1"])
    with pytest.raises(RejectedError) as caught:
        read("a" * 32, 2, encode(twice))
    assert (caught.value.code, "twice" in str(caught.value)) == ("offer", True)


def test_what_cannot_be_begun_is_refused_by_a_word_and_what_may_come_again_says_when():
    check(OFFER, "lab.n1", attempts=[1], under_way=None, now_ms=9)
    assert refused(node="lab.n2").code == "node"
    assert refused(now_ms=10).code == "late"
    assert str(refused(attempts=[1, 3])) == "attempt 3 of the job was here already"
    busy = refused(under_way=OFFER)
    assert (busy.code, str(busy)) == ("busy", "app/web 2.0 is under way on this node")
    assert busy.retry_at_ms == 9 + BUSY_AGAIN_MS
    assert refused(node="lab.n2", under_way=OFFER).retry_at_ms == 0
