"""Which alarms keep a site from going on, by the plan's word."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_agent.alarm_types import shipped
from roost_agent.alarms.row import Row
from roost_agent.update.kept import Kept
from roost_agent.update.restriction import in_the_way, restricting, shown, stood
from roost_agent.update.site_blocks import keeps
from roost_agent.update.words import cut
from roost_protocol.limits import ALARM_TEXT_BYTES_MAX
from roost_protocol.severity import Severity
from roost_protocol.update import Offer

TYPES = shipped()
OFFER = Offer(
    v=1, rollout="b" * 32, job="a" * 32, attempt=1, component="app/web", version="2.0",
    digest="0a" * 32, size=1, nodes=["lab.n1"], not_before_ms=0, not_after_ms=10,
)  # fmt: skip
MINOR, MAJOR, CRITICAL = Severity.MINOR, Severity.MAJOR, Severity.CRITICAL


def offer(word, **more):
    return msgspec.structs.replace(OFFER, alarms=word, **more)


def row(type_, severity=MAJOR, entity=""):
    return Row(type_, entity, severity, 0, 0, "text")


def found(word, *rows, kept=Kept(stood=()), **more):  # noqa: B008 - frozen
    one = in_the_way(rows, TYPES, offer(word, **more), kept)
    return None if one is None else one.type


@pytest.mark.parametrize(
    ("rows", "strict", "relaxed"),
    [
        ([], None, None),
        ([row("200.006", MINOR)], "200.006", "200.006"),  # from warning on
        ([row("100.801", MINOR)], "100.801", None),  # from major on
        ([row("100.801", MAJOR)], "100.801", "100.801"),
        ([row("100.809", MAJOR)], "100.809", None),  # never
        ([row("750.801", CRITICAL, "app=till")], "750.801", None),
        ([row("999.999", CRITICAL)], "999.999", None),  # of no catalogue
        ([row("400.002"), row("900.021"), row("900.803")], None, None),  # left to others
        ([row("100.801", MINOR), row("200.006", MAJOR)], "200.006", "200.006"),  # the worst
    ],
)
def test_the_words_of_a_plan(rows, strict, relaxed):
    assert found("strict", *rows) == strict
    assert found("relaxed", *rows) == relaxed
    assert found("permissive", *rows) is None
    assert in_the_way(rows, TYPES, OFFER, Kept()) is None, "an older centre says nothing"


def test_what_plan_and_manifest_let_pass_keeps_nobody():
    assert found("strict", row("200.006"), ignore_alarms=["200.006"]) is None
    assert found("strict", row("200.006"), kept=Kept(stood=(), expected=("200.006",))) is None


def test_what_stood_at_the_offer_is_no_news_unless_it_was_none_of_the_plans_business_then():
    disk = row("100.801", MINOR)
    before = Kept(stood=stood([disk], TYPES, offer("relaxed")))
    assert before.stood == ()
    assert found("relaxed", row("100.801", MAJOR), kept=before) == "100.801", "it got worse"
    before = Kept(stood=stood([row("100.801", MAJOR)], TYPES, offer("relaxed")))
    assert found("relaxed", row("100.801", MAJOR), kept=before) is None
    other = row("100.801", MAJOR, "disk=sdb")
    assert found("relaxed", row("100.801"), other, kept=before) == "100.801", "another disk's"
    assert found("relaxed", row("100.801"), kept=Kept()) == "100.801", "what stood is not known"


ROWS = st.lists(
    st.builds(row, st.sampled_from([*TYPES, "999.999"]), st.sampled_from([MINOR, MAJOR, CRITICAL]))
)


@given(ROWS, st.sets(st.sampled_from([*TYPES])))
def test_each_word_lets_pass_what_a_stricter_one_does(rows, ignored):
    strict, relaxed, permissive = (
        [*restricting(rows, TYPES, offer(word, ignore_alarms=sorted(ignored)[:64]))]
        for word in ("strict", "relaxed", "permissive")
    )
    assert permissive == []
    assert all(each in strict for each in relaxed)
    before = Kept(stood=stood(rows, TYPES, offer("strict")))
    assert in_the_way(rows, TYPES, offer("strict"), before) is None


def test_an_alarm_for_people():
    assert (shown(None), shown(row("200.006"))) == ("", "200.006 (text)")


def test_the_node_s_name_is_told_however_long_the_alarm_s_text_is():
    long = Row("200.006", "", MAJOR, 0, 0, "x" * ALARM_TEXT_BYTES_MAX)
    node = f"{'s' * 29}.{'n' * 29}"
    assert node in cut(keeps(shown(long), node, "relaxed"))
