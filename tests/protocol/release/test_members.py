"""An operator's word for the members of a site: what it says, and what is none."""

import msgspec
import pytest

from roost_protocol.errors import ProtocolError
from roost_protocol.release.director import SiteDocument, read_document
from roost_protocol.release.members import (
    MEMBERS_BYTES_MAX,
    MEMBERS_LIFE_MS_MAX,
    MembersWord,
    read_members,
    write_members,
)

WORD = MembersWord(
    v=1, operator="olga", site="lab", members={"lab.n1": 1, "lab.n2": 7}, not_before_ms=1,
    not_after_ms=86_400_001,
)  # fmt: skip


def test_a_word_is_read_as_it_was_written():
    assert read_members(write_members(WORD)) == WORD


def test_the_largest_word_fits_its_bound():
    site = "s" * 29
    nodes = {f"{site}.{'n' * 27}{number:02}": 2**32 - 1 for number in range(32)}
    word = msgspec.structs.replace(WORD, site=site, members=nodes, operator="o" * 64)
    assert len(write_members(word)) <= MEMBERS_BYTES_MAX
    assert read_members(write_members(word)) == word


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"v": 2}, "members"),
        ({"members": {"edge.n1": 1}}, "node"),
        ({"members": {"lab.n1": 0}}, "members"),
        ({"members": {f"lab.n{number}": 1 for number in range(33)}}, "members"),
        ({"not_after_ms": 1}, "times"),
        ({"not_after_ms": 2 + MEMBERS_LIFE_MS_MAX}, "times"),
        ({"operator": "Olga Petrova"}, "members"),
        ({"more": 1}, "members"),
    ],
)
def test_what_is_no_word_is_refused_by_its_field(more, code):
    raw = msgspec.json.encode(msgspec.to_builtins(WORD) | more)
    with pytest.raises(ProtocolError) as refused:
        read_members(raw)
    assert refused.value.code == code


def test_a_document_lists_members_of_its_own_site_or_none():
    said = SiteDocument(v=1, site="lab", assignments=[], members={"lab.n1": 1})
    assert read_document(msgspec.to_builtins(said)) == said
    bare = SiteDocument(v=1, site="lab", assignments=[])
    assert "members" not in msgspec.to_builtins(bare)  # as it was before there were any
    for members in ({"edge.n1": 1}, {"lab.n1": 0}):
        with pytest.raises(ProtocolError):
            read_document({"v": 1, "site": "lab", "assignments": [], "members": members})
