"""Families of components with holders of their own: what each may name, and what is refused."""

from datetime import timedelta

import pytest
from release_desk import PASSPHRASE

from roost_central.releases import draft, draft_signing, keys
from roost_central.releases.delegation import (
    checked_whole,
    pattern_of,
    read_whole,
    role_of,
)
from roost_central.releases.fault import ReleaseError
from roost_central.releases.metadata import read_root, read_targets


@pytest.fixture
def given(people):
    """A fleet whose applications dora and emil and finn name, two of them."""
    people.delegate("app", "dora", "emil", "finn")
    return people


def checked(people, delegated=None, least=None, days=0):
    own = people.repository
    root = read_root(own.image_root, "root")
    now_ms = people.now_ms + days * 86_400_000
    kept = own.delegated if delegated is None else delegated
    return checked_whole(root, own.targets, kept, now_ms, least or {})


def signed(people, *names, change=None):
    """Return metadata of the role app, changed and signed by some."""
    made = read_targets(people.repository.delegated["app"], "app")
    if change is not None:
        change(made.signed)
    made.signatures.clear()
    for name in names:
        made.sign(people.key(name).signer, append=True)
    return made.to_bytes()


@pytest.mark.parametrize(
    ("component", "role", "pattern"),
    [
        ("agent", "agent", "agent/*"),
        ("os", "os", "os/*"),
        ("app/web", "app", "app/*/*"),
        ("policy/operators", "policy", "policy/*/*"),
        ("config/acme", "config.acme", "config/acme/*"),
    ],
)
def test_each_family_has_a_role_and_each_tenant_one_of_its_own(component, role, pattern):
    assert (role_of(component), pattern_of(role)) == (role, pattern)


@pytest.mark.parametrize(
    "role", ["", "root", "targets", "app/web", "config", "config.", "config.A"]
)
def test_what_is_no_family_is_no_role(role):
    with pytest.raises(ReleaseError, match="is no role"):
        pattern_of(role)


def test_what_holders_of_a_role_name_stands_beside_what_the_others_name(given):
    agent = given.build("agent", component="agent")
    given.release(agent)
    given.release(given.build(), signers=("dora", "emil"))
    whole = checked(given)
    assert sorted(whole.releases) == ["agent/1.0.json", "app/web/1.0.json"]
    assert whole.versions == {"targets": 3, "app": 2}
    assert list(read_whole(given.repository.targets, {}).releases) == ["agent/1.0.json"]


def test_neither_the_holders_of_targets_nor_one_of_its_own_sign_for_a_role(given):
    with pytest.raises(ReleaseError, match="ann has no role"):
        given.release(given.build(), signers=("ann", "bob"))
    with pytest.raises(ReleaseError, match="takes 2 signatures, it has those of dora"):
        given.release(given.build("api"), signers=("dora",))
    with pytest.raises(ReleaseError, match="dora has no role"):
        given.release(given.build("agent", component="agent"), signers=("dora", "emil"))
    for names in ((), ("dora",), ("ann", "bob"), ("dora", "dora")):
        with pytest.raises(ReleaseError, match="it takes 2 keys") as err:
            checked(given, {"app": signed(given, *names)})
        assert err.value.code == "signature"


def test_a_role_names_nothing_of_another_family_and_gives_nothing_away(given):
    system = given.build("os", component="os")
    given.release(system)
    targets = read_targets(given.repository.targets, "targets").signed
    entry = targets.targets["os/1.0.json"]

    def other_family(made):
        made.targets["os/1.0.json"] = entry

    with pytest.raises(ReleaseError, match=r"app names os/1\.0\.json, which is not its own"):
        checked(given, {"app": signed(given, "dora", "emil", change=other_family)})

    def gives(made):
        made.delegations = targets.delegations

    with pytest.raises(ReleaseError, match="gives to others"):
        checked(given, {"app": signed(given, "dora", "emil", change=gives)})


def test_a_role_that_is_missing_old_or_ended_is_refused(given):
    for delegated in ({}, {**given.repository.delegated, "os": b""}):
        with pytest.raises(ReleaseError, match="differ"):
            checked(given, delegated)
    with pytest.raises(ReleaseError) as err:
        checked(given, least={"app": 2})
    assert err.value.code == "rollback"

    def short(made):
        made.expires -= timedelta(days=170)

    with pytest.raises(ReleaseError) as err:
        checked(given, {"app": signed(given, "dora", "emil", change=short)}, days=20)
    assert err.value.code == "expired"


def test_targets_that_give_more_than_a_family_are_refused(given):
    made = read_targets(given.repository.targets, "targets")
    made.signed.delegations.roles["app"].paths = ["*/*"]
    made.signatures.clear()
    for name in ("ann", "bob"):
        made.sign(given.key(name).signer, append=True)
    root = read_root(given.repository.image_root, "root")
    with pytest.raises(ReleaseError, match="is to have app"):
        checked_whole(root, made.to_bytes(), given.repository.delegated, given.now_ms, {})


def test_a_role_goes_to_other_holders_who_sign_all_of_it_anew(given):
    given.release(given.build(), signers=("dora", "emil"))
    before = given.repository.delegated["app"]
    given.delegate("app", "gus", "hans", "ida")
    assert list(checked(given).releases) == ["app/web/1.0.json"]
    with pytest.raises(ReleaseError) as err:
        checked(given, {"app": before})
    assert err.value.code == "signature"
    top = read_targets(given.repository.targets, "targets").signed
    assert len(top.delegations.keys) == 3


def test_who_gives_a_family_away_has_to_say_that_they_compared_it(people):
    for name in ("dora", "emil"):
        keys.make(people.folder / "keys", name, PASSPHRASE)
    where = people.draft()
    holders = people.holders(2, ("dora", "emil"))
    draft.delegate(where, people.repository, people.now_ms, "app", holders)
    with pytest.raises(ReleaseError, match="compare it with the other holders"):
        draft_signing.sign(where, people.key("ann"))
    wrong = people.holders(3, ("dora", "emil"))
    with pytest.raises(ReleaseError, match="a threshold that they reach"):
        draft.delegate(people.draft(), people.repository, people.now_ms, "app", wrong)


def test_the_next_draft_without_a_change_prolongs_every_role(given):
    made = given.release(signers=("ann", "bob", "dora", "emil"))
    assert made.targets
    assert checked(given).versions == {"targets": 3, "app": 2}
