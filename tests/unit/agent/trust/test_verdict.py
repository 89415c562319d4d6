"""The rule, one reason at a time: what is changed is the only thing that is wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from releases import SIGNED_MS, custom, digest, manifest_of

from roost_agent.trust.verdict import Named, Said, Site, judge
from roost_protocol.release.director import Assignment, SiteDocument
from roost_protocol.release.manifest import decode

NOW = SIGNED_MS + 1_000
PATH = "app/web/2.0.json"
WHAT = custom(hw=["R740"], arch="x86_64", least_counter=1, floor=1)
RAW = manifest_of(WHAT)
NAMED = Named(PATH, len(RAW), digest(RAW), WHAT)
JOB = Assignment(
    rollout="b" * 32,
    job="a" * 32,
    target=PATH,
    nodes=["lab.n1"],
    not_before_ms=NOW,
    not_after_ms=NOW + 1,
)
DOCUMENT = SiteDocument(v=1, site="lab", assignments=[JOB])
SAID = Said(PATH, NAMED, NAMED, DOCUMENT)
SITE = Site("lab.n1", "x86_64", frozenset({"R740"}), {"app/web": 2}, {"app/web": 1}, NOW)


def test_what_both_chains_name_for_a_node_now_is_accepted():
    verdict = judge(SAID, RAW, decode(RAW), SITE, NOW)
    assert verdict.is_accepted
    assert (verdict.path, verdict.digest, verdict.job) == (PATH, digest(RAW), JOB.job)
    assert (verdict.custom, verdict.not_after_ms) == (WHAT, NOW + 1)


def assigned(**more):
    changes = {name: getattr(JOB, name) for name in JOB.__struct_fields__} | more
    return replace(
        SAID, document=SiteDocument(v=1, site="lab", assignments=[Assignment(**changes)])
    )


CASES = [
    ("image", replace(SAID, image=None), SITE, NOW),
    ("director", replace(SAID, director=None), SITE, NOW),
    ("differs", replace(SAID, director=replace(NAMED, length=1)), SITE, NOW),
    ("differs", replace(SAID, director=replace(NAMED, sha256="0" * 64)), SITE, NOW),
    ("differs", replace(SAID, director=replace(NAMED, custom=custom())), SITE, NOW),
    ("node", assigned(nodes=["lab.n2"]), SITE, NOW),
    ("node", assigned(target="app/web/2.1.json"), SITE, NOW),
    ("node", SAID, replace(SITE, node="other.n1"), NOW),
    ("clock", SAID, replace(SITE, clock_floor_ms=NOW + 1), NOW),
    ("clock", SAID, replace(SITE, clock_floor_ms=0), SIGNED_MS - 1),
    ("early", SAID, replace(SITE, clock_floor_ms=0), NOW - 1),
    ("late", SAID, SITE, NOW + 1),
    ("floor", SAID, replace(SITE, floors={"app/web": 3}), NOW),
    ("arch", SAID, replace(SITE, arch="aarch64"), NOW),
    ("hardware", SAID, replace(SITE, hw=frozenset({"R750"})), NOW),
    ("hardware", SAID, replace(SITE, hw=frozenset()), NOW),
    ("hop", SAID, replace(SITE, running={"app/web": 0}), NOW),
]


@pytest.mark.parametrize(("code", "said", "site", "now"), CASES)
def test_one_wrong_thing_is_a_no_that_names_it(code, said, site, now):
    verdict = judge(said, RAW, decode(RAW), site, now)
    assert (verdict.code, verdict.is_accepted) == (code, False)
    assert verdict.custom is None
    assert site.node in verdict.text


def test_another_model_is_told_with_the_node_its_model_and_what_the_release_wants():
    other = replace(SITE, hw=frozenset({"R750"}))
    told = judge(SAID, RAW, decode(RAW), other, NOW).text
    assert told == "app/web 2.0 is for R740, and lab.n1 is R750"


@pytest.mark.parametrize(
    ("begins_ms", "told"),
    [(1_900_000_000_000, "2030-03-17 17:46 UTC"), (1 << 52, "4503599627370496")],
)
def test_a_time_that_has_not_come_is_told_as_one_though_no_calendar_has_it(begins_ms, told):
    said = assigned(not_before_ms=begins_ms, not_after_ms=begins_ms + 1)
    verdict = judge(said, RAW, decode(RAW), SITE, NOW)
    assert verdict.code == "early"
    assert f"its time begins at {told}" in verdict.text


def test_another_sites_document_is_told_by_its_site():
    said = replace(SAID, document=SiteDocument(v=1, site="other", assignments=[JOB]))
    verdict = judge(said, RAW, decode(RAW), SITE, NOW)
    assert verdict.code == "node"
    assert "it is for other" in verdict.text


def test_other_bytes_than_those_that_are_named_are_refused():
    assert judge(SAID, RAW + b" ", decode(RAW), SITE, NOW).code == "digest"
    other = manifest_of(custom())
    named = replace(NAMED, length=len(other), sha256=digest(other))
    said = replace(SAID, image=named, director=named)
    assert judge(said, other, decode(other), SITE, NOW).code == "manifest"


def test_what_says_nothing_of_hardware_is_for_all_and_an_unknown_release_may_take_any():
    what = custom(least_counter=2)
    raw = manifest_of(what)
    named = Named(PATH, len(raw), digest(raw), what)
    said = replace(SAID, image=named, director=named)
    site = Site("lab.n1")
    assert judge(said, raw, decode(raw), site, NOW).is_accepted


@given(st.data())
def test_no_two_wrong_things_make_a_right_one(data):
    first, second = data.draw(st.sampled_from(CASES)), data.draw(st.sampled_from(CASES))
    said = first[1] if first[1] is not SAID else second[1]
    site = first[2] if first[2] is not SITE else second[2]
    assert not judge(said, RAW, decode(RAW), site, first[3]).is_accepted
