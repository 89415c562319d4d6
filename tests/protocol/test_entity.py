"""Entities: pairs from the outside in, and what is inside what."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_protocol.entity import contains, escape, join, key, key_id, parse
from roost_protocol.errors import ProtocolError

kinds = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True)
values = st.text(min_size=1, max_size=6).filter(
    lambda text: max(text) < "\ud800" or max(text) > "\udfff"
)
pairs = st.lists(st.tuples(kinds, values), max_size=3).map(tuple)


@given(pairs)
def test_what_was_joined_is_parsed_again(some):
    assert parse(join(some)) == some


@given(pairs, pairs)
def test_an_entity_contains_itself_and_what_follows_it_and_nothing_else(outer, rest):
    assert contains(outer, outer + rest)
    assert contains(outer, rest) == (rest[: len(outer)] == outer)


def test_containment_compares_pairs_and_never_text():
    assert not contains(parse("node=n1"), parse("node=n10,port=eth0"))
    assert contains(parse("node=n1"), parse("node=n1,port=eth0"))
    assert not contains(parse("node=n1,port=eth0"), parse("node=n1"))


def test_a_comma_and_a_control_character_are_encoded_and_a_slash_is_not():
    assert join([("fs", "/var,log\n"), ("unit", "50%")]) == "fs=/var%2Clog%0A,unit=50%25"
    assert escape("\u2028") == "%E2%80%A8"


def test_no_pair_is_the_node_itself():
    assert parse("") == ()
    assert join([]) == ""


@pytest.mark.parametrize(
    "bad",
    [
        "fs",
        "fs=",
        "=x",
        "Fs=x",
        "fs=a,",
        "fs=50%",
        "fs=%zz",
        "fs=%ff",
        "fs=a\nb",
        "a" * 17 + "=x",
        ",".join(f"k{n}=v" for n in range(9)),
    ],
)
def test_what_is_no_entity_is_refused(bad):
    with pytest.raises(ProtocolError) as refused:
        parse(bad)
    assert refused.value.code == "entity"


def test_a_long_one_is_refused_by_its_bytes():
    parse("fs=" + "ä" * 126)
    with pytest.raises(ProtocolError, match="oversize"):
        parse("fs=" + "ä" * 127)
    with pytest.raises(ProtocolError, match="oversize"):
        join([("fs", "," * 90)])


def test_the_key_is_frozen():
    assert key("280.801", "site=edge-02-17,path=p1") == "280.801|site=edge-02-17,path=p1"
    assert key_id("280.801", "site=edge-02-17,path=p1") == "6d12c8e5cfe51ac3"
