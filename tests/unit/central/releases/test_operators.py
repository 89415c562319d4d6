"""Whose word counts for a rollout: of a known operator, unforged, in its time, for that release."""

import json
from hashlib import sha256

import msgspec
import pytest
from release_desk import Operator, operators_file
from releases import manifest

from roost_central.releases.fault import ReleaseError
from roost_central.releases.operators import Operators, operators_of

NOW_MS = 1_790_000_000_000
D, R = "d" * 64, "b" * 32


@pytest.fixture
def olga():
    return Operator("olga")


@pytest.fixture
def known(olga):
    return Operators({"olga": olga.public})


def test_a_word_counts_for_its_rollout_and_release_by_who_gave_it(olga, known):
    said = olga.approves(D, now_ms=NOW_MS)
    [(consent, who)] = known.approved([said, said], NOW_MS).items()
    assert (consent.rollout, consent.digest, consent.count, who) == (R, D, 1, {"olga"})


def test_words_for_other_sites_are_not_counted_together(olga):
    pia = Operator("pia")
    known = Operators({each.name: each.public for each in (olga, pia)})
    said = olga.approves(D, now_ms=NOW_MS, sites={"a": "", "b": ""})
    for other in ({"sites": {"a": "", "c": ""}}, {"sites": {"a": "", "b": ""}, "late_max": 1}):
        found = known.approved([said, pia.approves(D, now_ms=NOW_MS, **other)], NOW_MS)
        assert [len(who) for who in found.values()] == [1, 1]


def test_who_brings_a_word_is_told_why_it_does_not_count(olga, known):
    said = olga.approves(D, now_ms=NOW_MS)
    assert known.check(said).operator == "olga"
    for bad, why in (
        (Operator("olga").approves(D, now_ms=NOW_MS), "not signed with the key"),
        (Operator("eve").approves(D, now_ms=NOW_MS), "eve is none of the operators"),
        (msgspec.structs.replace(said, approval=b"{"), "approval"),
    ):
        with pytest.raises(ReleaseError, match=why):
            known.check(bad)


def test_a_word_that_is_forged_or_of_nobody_or_not_of_now_counts_for_nothing(olga, known):
    said = olga.approves(D, now_ms=NOW_MS)
    forged = msgspec.structs.replace(said, approval=said.approval.replace(b"d", b"e"))
    other = Operator("olga").approves(D, now_ms=NOW_MS)  # her name, another key
    stranger = Operator("eve").approves(D, now_ms=NOW_MS)
    torn = msgspec.structs.replace(said, approval=b"{")
    assert known.approved([forged, other, stranger, torn], NOW_MS) == {}
    assert known.approved([said], NOW_MS - 86_400_000) == {}
    assert known.approved([said], NOW_MS + 86_400_000) == {}
    assert Operators().approved([said], NOW_MS) == {}


def bundle_of(file):
    entry = {
        "path": "operators.json", "mode": 0o644, "size": len(file), "blob": "0" * 64,
        "sha256": sha256(file).hexdigest(), "blob_size": len(file),
    }  # fmt: skip
    return manifest(component="policy/operators", size_unpacked=len(file), files=[entry])


def test_operators_are_read_from_the_release_that_is_named(olga):
    file = operators_file(olga)
    raw = bundle_of(file)
    digest = sha256(raw).hexdigest()
    assert operators_of(raw, file, digest).keys == {"olga": olga.public}
    for wrong in (
        (raw, file, D),
        (raw, operators_file(Operator("eve")), digest),
        (raw + b" ", file, digest),
    ):
        with pytest.raises(ReleaseError, match="another"):
            operators_of(*wrong)


def test_the_signer_takes_no_operators_of_whom_two_have_one_key(olga):
    file = json.dumps({"format": 1, "operators": dict.fromkeys(("olga", "pia"), "A" * 43 + "=")})
    raw = bundle_of(file.encode())
    with pytest.raises(ReleaseError, match="olga and pia have the same key"):
        operators_of(raw, file.encode(), sha256(raw).hexdigest())


def test_nobody_builds_or_vouches_for_operators_of_whom_two_have_one_key(people, olga):
    again = Operator("pia")
    again.key = olga.key
    for version, file, why in (
        ("1", operators_file(olga, again), "olga and pia have the same key"),
        ("2", b"[]", "operators"),
    ):
        files = {"operators.json": file}
        with pytest.raises(ReleaseError, match=why):
            people.build("operators", version, component="policy/operators", files=files)


def test_a_file_that_names_no_operators_is_told():
    file = json.dumps({"format": 2, "operators": {}}).encode()
    raw = bundle_of(file)
    with pytest.raises(ReleaseError, match="operators"):
        operators_of(raw, file, sha256(raw).hexdigest())
