"""Who is heard: sealed by a live generation, or bare on loopback and never enrolled."""

import pytest

from roost_central.ingest import seals as seals_module
from roost_central.ingest.seals import NobodyEnrolled, Seals
from roost_protocol.errors import ProtocolError
from roost_protocol.seal import Seal, report_key

NODE, TOPIC, BODY = "lab.n1", "roost/v1/1f/lab.n1/up/beat", b"\x81"
KEY, OLD_KEY = b"k" * 32, b"o" * 32


class Enrolled:
    """Generations by node, and whom was heard."""

    def __init__(self, live):
        self.live = live
        self.said = []

    def is_known(self, node):
        return node in self.live

    def is_live(self, node, generation):
        return generation in self.live.get(node, ())

    revision = 0

    def heard(self, node, generation):
        self.said.append((node, generation))


def sealed(generation=1, *, key=KEY, node=NODE, topic=TOPIC):
    return Seal(report_key(key, node, generation), generation).seal(topic, BODY)


def refusal(seals, message, *, broker="lo", node=NODE):
    with pytest.raises(ProtocolError) as refused:
        seals.open(broker, node, TOPIC, message)
    return refused.value.code


@pytest.fixture
def enrolled():
    return Enrolled({NODE: {1, 2}, "lab.dead": set()})


@pytest.fixture
def seals(enrolled):
    return Seals(enrolled, (KEY, OLD_KEY), ("lo",))


def test_a_live_generation_is_heard_and_told_of_once(seals, enrolled):
    for _ in range(3):
        assert seals.open("wan", NODE, TOPIC, sealed()) == BODY
    assert enrolled.said == [(NODE, 1)]


def test_a_node_that_was_never_enrolled_is_heard_bare_on_loopback_only(seals):
    assert seals.open("lo", "lab.new", TOPIC, BODY) == BODY
    assert refusal(seals, BODY, broker="wan", node="lab.new") == "unsealed"


@pytest.mark.parametrize("node", [NODE, "lab.dead"])
def test_a_node_that_was_ever_enrolled_is_never_heard_bare(seals, node):
    assert refusal(seals, BODY, node=node) == "unsealed"


def test_a_revoked_generation_is_refused_from_the_next_message_on(seals, enrolled):
    assert seals.open("wan", NODE, TOPIC, sealed()) == BODY
    enrolled.live[NODE].discard(1)
    assert refusal(seals, sealed()) == "ended"
    assert seals.open("wan", NODE, TOPIC, sealed(2)) == BODY


def test_who_had_a_generation_is_told_from_who_never_had_it(seals):
    assert refusal(seals, sealed(3)) == "ended"
    assert refusal(seals, sealed(3, key=OLD_KEY)) == "ended"
    assert refusal(seals, sealed(3, key=b"x" * 32)) == "kid"
    assert refusal(seals, sealed(3, topic=TOPIC + "x")) == "kid"


def test_what_another_node_or_topic_or_key_sealed_is_refused(seals):
    assert refusal(seals, sealed(node="lab.n2")) == "mac"
    assert refusal(seals, sealed(topic=TOPIC + "x")) == "mac"
    assert refusal(seals, sealed(key=b"x" * 32)) == "mac"
    assert seals.open("wan", NODE, TOPIC, sealed()) == BODY
    assert refusal(seals, sealed(key=b"x" * 32)) == "mac"  # also once the node is known
    assert refusal(seals, b"\xc1\x01") == "seal"


def test_while_the_ingest_key_changes_both_count(seals):
    assert seals.open("wan", NODE, TOPIC, sealed(1, key=OLD_KEY)) == BODY
    assert seals.open("wan", NODE, TOPIC, sealed(1)) == BODY


def test_what_goes_down_is_sealed_for_the_generation_that_spoke_last(seals):
    for generation in (1, 2):
        seals.open("wan", NODE, TOPIC, sealed(generation))
        message = seals.seal(NODE, "down", BODY)
        assert Seal(report_key(KEY, NODE, generation), generation).open("down", message) == BODY


def test_nothing_goes_down_to_a_node_whose_generation_ended(seals, enrolled):
    seals.open("wan", NODE, TOPIC, sealed())
    enrolled.live[NODE].clear()
    assert seals.seal(NODE, "down", BODY) is None
    assert seals.seal("lab.new", "down", BODY) == BODY


def test_a_fleet_past_the_bound_of_kept_seals_is_heard_all_the_same(enrolled, monkeypatch):
    monkeypatch.setattr(seals_module, "SEALS_MAX", 1)
    enrolled.live["lab.n2"] = {1}
    seals = Seals(enrolled, (KEY,), ())
    for _ in range(2):
        for node in (NODE, "lab.n2"):
            assert seals.open("wan", node, TOPIC, sealed(node=node)) == BODY
    assert len(seals._spoke) == 1


def test_where_nobody_is_enrolled_loopback_is_heard_and_sealed_messages_are_refused():
    seals = Seals(NobodyEnrolled(), (), ("lo",))
    assert seals.open("lo", NODE, TOPIC, BODY) == BODY
    assert refusal(seals, sealed()) == "kid"
    assert seals.seal(NODE, "down", BODY) == BODY


def test_who_has_spoken_and_may_not_any_more_is_told_once(seals, enrolled):
    enrolled.live["lab.n2"] = {1}
    for node in (NODE, "lab.n2"):
        seals.open("wan", node, TOPIC, sealed(node=node))
    assert seals.take_ended() == []
    enrolled.live[NODE].discard(1)
    ((node, seal),) = seals.take_ended()
    assert (node, seal.generation) == (NODE, 1)
    assert seals.take_ended() == []
