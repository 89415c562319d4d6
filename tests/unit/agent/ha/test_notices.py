"""Releases are told until they are heard."""

from roost_agent.ha.notices import Notices
from roost_protocol.ha import Kind, LeaseFrame, Nonce
from roost_protocol.voter_events import Send

NONCE = Nonce(b"v" * 16, 1, 1)


def notice(node):
    return Send(node, Kind.RELEASE, "main", 32, NONCE, 0, bytes(16))


def heard(node, nonce=NONCE):
    return LeaseFrame(
        site="lab", node=node, boot=bytes(16), inc=1, path=0, seq=1, boot_ms=0, period_ms=500,
        lhm=1, cfgver=7, echo={}, to=0, kind=Kind.GRANT, name="main", epoch=32, nonce=nonce,
        owner=0, owner_boot=bytes(16),
    )  # fmt: skip


def told(notices, now_ms):
    out = []
    notices.tick(now_ms, out)
    return [send.to for send in out]


def test_a_release_is_told_again_to_those_who_did_not_hear_it():
    notices, out = Notices(1_000), []
    notices.tell({node: notice(node) for node in (1, 2, 3)}, once=frozenset({3}), now_ms=0, out=out)
    assert [send.to for send in out] == [1, 2, 3]
    assert told(notices, 999) == []
    assert notices.due_ms() == 1_000
    notices.answered(heard(1))
    notices.answered(heard(2, Nonce(b"v" * 16, 1, 9)))
    assert told(notices, 1_000) == [2]
    notices.answered(heard(2))
    assert notices.due_ms() is None


def test_a_later_round_ends_the_telling():
    notices = Notices(1_000)
    notices.tell({1: notice(1)}, once=frozenset(), now_ms=0, out=[])
    notices.forget()
    assert notices.due_ms() is None
