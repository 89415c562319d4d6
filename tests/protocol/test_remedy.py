"""Every reason of a failed update says what to do next; no new one comes without that."""

import re

import pytest

from roost_protocol.remedy import BY_STEP, BY_TYPE, REMEDIES, Refusal, remedy, taken_apart
from roost_protocol.update import FailureType

TABLES = [(REMEDIES, {*Refusal}), (BY_TYPE, {*FailureType})]
ALL = [*REMEDIES.items(), *BY_TYPE.items(), *BY_STEP.items()]
BEGINS = {  # with what a person does
    "ask", "bring", "build", "have", "install", "leave", "let", "look", "make", "mend", "name",
    "new", "read", "retry", "retry:", "retry;", "see", "send", "set", "take", "unlock", "update",
    "wait", "wait:", "write",
}  # fmt: skip


@pytest.mark.parametrize(("table", "words"), TABLES)
def test_each_reason_has_a_sentence(table, words):
    assert {*table} == words


@pytest.mark.parametrize(("reason", "text"), ALL, ids=[str(reason) for reason, _ in ALL])
def test_each_sentence_says_what_a_person_does_and_is_short(reason, text):
    assert text.split()[0] in BEGINS, text
    assert 20 <= len(text) <= 260
    assert not re.search(r"[.!]$", text)


def test_a_detail_is_taken_apart_as_far_as_it_goes():
    told = taken_apart("lab.n1: verify: hardware: it is for R740: not R750")
    assert (told.node, told.step, told.code) == ("lab.n1", "verify", Refusal.HARDWARE)
    assert told.text == "it is for R740: not R750"
    told = taken_apart("install: unit: pump.service is failed")
    assert (told.node, told.step, told.code) == ("", "install", None)
    told = taken_apart("the operator: said so")
    assert (told.node, told.step, told.code) == ("", "", None)
    assert taken_apart("").text == ""


def test_what_helps_goes_by_the_code_else_the_step_else_the_type():
    assert remedy(FailureType.VERIFY, "verify: floor: x") == REMEDIES[Refusal.FLOOR]
    assert remedy(FailureType.HEALTH, "drain: not done within 9 s") == BY_STEP["drain"]
    assert remedy(FailureType.HEALTH, "verify_reboot: not well") == BY_TYPE[FailureType.HEALTH]
    assert remedy(FailureType.BOOT) == BY_TYPE[FailureType.BOOT]
