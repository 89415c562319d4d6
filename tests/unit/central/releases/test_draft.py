"""Drafts: nobody signs what he did not rebuild, compare or name; roles are their holders' alone."""

import pytest
from release_desk import PASSPHRASE

from roost_central.releases import draft, draft_signing, keys
from roost_central.releases.draft import Holders
from roost_central.releases.fault import ReleaseError


def test_a_release_is_signed_by_who_rebuilt_it_or_compared_its_digest(people):
    made, where = people.build(), people.draft()
    draft.edit(where, people.repository, people.now_ms, add=[made])
    with pytest.raises(ReleaseError, match="build it yourself"):
        draft_signing.sign(where, people.key("ann"))
    with pytest.raises(ReleaseError, match="build it yourself"):
        draft_signing.sign(where, people.key("ann"), digests=["0" * 64])
    assert draft_signing.signatures(where) == []
    draft_signing.sign(where, people.key("ann"), rebuilt=[made])
    draft_signing.sign(where, people.key("bob"), digests=[made.digest])
    assert draft_signing.whole(where).targets


def test_a_release_goes_by_who_names_it(people):
    people.release(people.build())
    where = people.draft()
    draft.edit(where, people.repository, people.now_ms, retract=["app/web/1.0.json"])
    with pytest.raises(ReleaseError, match="say --retract app/web"):
        draft_signing.sign(where, people.key("ann"))
    draft_signing.sign(where, people.key("ann"), retracted=["app/web/1.0.json"])


def test_the_first_roots_are_signed_by_who_compared_them(people):
    where = people.draft()
    online = [
        keys.read_public(people.online / f"{each}.pub") for each in ("image-online", "director")
    ]
    roles = draft.Roles(people.holders(), people.holders(), people.holders(), *online)
    draft.init(where, roles, people.now_ms)
    with pytest.raises(ReleaseError, match="compare it with the other holders'"):
        draft_signing.sign(where, people.key("ann"))


def test_what_was_signed_is_not_what_was_changed_afterwards(people):
    made, where = people.build(), people.draft()
    draft.edit(where, people.repository, people.now_ms, add=[made])
    for name in ("ann", "bob"):
        draft_signing.sign(where, people.key(name), rebuilt=[made])
    other = people.draft()
    draft.edit(other, people.repository, people.now_ms, add=[people.build("api")])
    (where / "targets.json").write_bytes((other / "targets.json").read_bytes())
    with pytest.raises(ReleaseError, match="takes 2 signatures"):
        draft_signing.whole(where)


def test_the_same_holder_twice_is_one(people):
    made, where = people.build(), people.draft()
    draft.edit(where, people.repository, people.now_ms, add=[made])
    for _ in range(2):
        draft_signing.sign(where, people.key("ann"), rebuilt=[made])
    with pytest.raises(ReleaseError, match="takes 2 signatures, it has those of ann"):
        draft_signing.whole(where)


@pytest.mark.parametrize(
    ("counter", "version", "told"),
    [
        (2, "2.0", "must be above 3"),
        (3, "2.0", "have the counter 3"),
        (4, "1.0", "named already"),
        (4, "2.0", ""),
    ],
)
def test_counters_grow_and_a_name_is_taken_once(people, counter, version, told):
    people.release(people.build(counter=3))
    made = people.build("other", version=version, counter=counter, component="app/web")
    if not told:
        assert people.release(made).targets
        return
    with pytest.raises(ReleaseError, match=told):
        people.release(made)


@pytest.mark.parametrize("names", [["ann", "ann"], []])
def test_a_threshold_is_of_different_keys_that_can_reach_it(people, names):
    wanted = Holders([people.public(name) for name in names], 2)
    succession = draft.Succession("image", "targets", wanted)
    with pytest.raises(ReleaseError, match="different keys"):
        draft.succeed(people.draft(), people.repository, people.now_ms, succession)


def test_a_key_is_opened_by_its_passphrase_alone(people):
    path = people.folder / "keys/ann.key"
    assert b"ENCRYPTED" in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0
    for wrong in (b"another passphrase, as long", None):
        with pytest.raises(ReleaseError, match="passphrase"):
            keys.open_private(path, wrong)
    assert keys.open_private(path, PASSPHRASE).keyid == people.public("ann").key.keyid
    with pytest.raises(ReleaseError, match="there already"):
        keys.make(people.folder / "keys", "ann", PASSPHRASE)
    with pytest.raises(ReleaseError, match="at least 16 bytes"):
        keys.make(people.folder / "keys", "eve", b"short")
