"""How a host stands, in the one number that a beat has room for."""

from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.host import LEGAL, Admin, Avail, Oper
from roost_protocol.host_word import (
    MAINTENANCE_MIN_MAX,
    REASONS,
    STAGES,
    Going,
    HostWord,
    pack,
    unpack,
)

SPEAKING = [
    state for state in sorted(LEGAL)
    if state[2] not in {Avail.NOT_INSTALLED, Avail.OFFLINE, Avail.POWER_OFF}
]  # fmt: skip
WORDS = st.builds(
    HostWord,
    state=st.sampled_from([None, *SPEAKING]),
    going=st.sampled_from(Going),
    reasons=st.frozensets(st.sampled_from(REASONS)),
    maintenance_min=st.integers(0, MAINTENANCE_MIN_MAX),
    is_exhausted=st.booleans(),
    stage=st.sampled_from(["", *STAGES]),
)


@given(WORDS)
def test_a_word_is_a_number_and_back(word):
    assert unpack(pack(word)) == word
    assert pack(word) < 2**53


@given(st.integers(0, 2**53))
def test_whatever_the_number_it_is_read_as_far_as_it_is_known(number):
    word = unpack(number)
    assert unpack(pack(word)) == word


def test_who_says_nothing_says_nothing():
    assert unpack(0) == HostWord()
    assert pack(HostWord()) == 0


def test_a_stage_of_a_later_version_says_nothing():
    assert unpack(pack(HostWord(stage="new"))).stage == ""
    assert unpack(0b111 << 5).stage == ""


def test_a_reason_that_has_no_place_is_told_as_an_alarm():
    word = HostWord((Admin.UNLOCKED, Oper.ENABLED, Avail.DEGRADED), reasons=frozenset({"new"}))
    assert unpack(pack(word)).reasons == {"alarm"}


def test_a_host_that_is_well_costs_a_beat_one_byte_more():
    assert pack(HostWord((Admin.UNLOCKED, Oper.ENABLED, Avail.AVAILABLE))) < 128
