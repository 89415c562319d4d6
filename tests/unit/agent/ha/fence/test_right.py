import pytest
from msgspec.structs import replace

from roost_agent.ha.fence.event import Case, Situation
from roost_agent.ha.fence.right import off_refusal, reading_refusal

ME, OWNER = 1, 0
CASE = Case("main", OWNER, 32, b"boot", is_heard=True, may_off=True, wait_ms=0)
PAIR = Situation(cases=(CASE,), boots={OWNER: b"boot"}, is_sticky=True)
THREE = replace(PAIR, is_sticky=False, has_majority=True)


@pytest.mark.parametrize("now", [PAIR, THREE, replace(PAIR, boots={})])
def test_a_lost_owner_may_be_switched_off(now):
    assert reading_refusal(ME, CASE, now) == off_refusal(ME, CASE, now) == ""


@pytest.mark.parametrize(
    ("case", "now", "why"),
    [
        (replace(CASE, node=ME), PAIR, "this node"),
        (CASE, replace(PAIR, present=frozenset({OWNER})), "is heard"),
        (CASE, replace(PAIR, boots={OWNER: b"next"}), "booted since"),
        (CASE, replace(THREE, is_isolated=True), "cut off"),
    ],
)
def test_what_forbids_even_a_look(case, now, why):
    assert why in reading_refusal(ME, case, now)
    assert off_refusal(ME, case, now) == reading_refusal(ME, case, now)


@pytest.mark.parametrize(
    ("case", "now", "why"),
    [
        (replace(CASE, may_off=False), THREE, "configuration"),
        (CASE, replace(THREE, spared=frozenset({OWNER})), "maintenance"),
        (CASE, replace(THREE, has_majority=False), "no majority"),
        (CASE, replace(PAIR, is_owner=True, has_majority=True), "owner fences nobody"),
        (CASE, replace(PAIR, unsure=frozenset({OWNER})), "gateway fell silent with"),
        (replace(CASE, is_heard=False), replace(PAIR, has_majority=True), "not heard yet"),
    ],
)
def test_what_forbids_the_switch_and_not_the_look(case, now, why):
    assert reading_refusal(ME, case, now) == ""
    assert why in off_refusal(ME, case, now)


def test_with_a_majority_an_owner_may_and_the_boot_need_not_be_known():
    case = replace(CASE, is_heard=False)
    assert off_refusal(ME, case, replace(THREE, is_owner=True)) == ""


def test_a_majority_is_not_cut_off_whatever_its_gateway_does():
    assert off_refusal(ME, CASE, replace(THREE, unsure=frozenset({OWNER}))) == ""
