"""Roles, grants and places: one grant must allow the whole act."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from roost_central.access.core import (
    EVERYWHERE,
    ROLES,
    Grant,
    Permission,
    Scope,
    canonical_selector,
    is_covered,
    may_give,
    role_for,
    scope_of,
    within,
)
from roost_central.fleet.query import QueryError


@dataclass
class Site:
    site: str
    labels: dict = field(default_factory=dict)


R1, R2 = Site("a", {"region": "r1"}), Site("b", {"region": "r2", "tier": "gold"})
PLACES = (R1, R2, Site("c"))
SELECTORS = ("", "region:r1", "region:r2", "site:c", "label.tier:gold")
GRANTS = st.builds(Grant, st.sampled_from(sorted(ROLES)), st.sampled_from(SELECTORS))
HELD = st.lists(GRANTS, max_size=4)


def alone(grant, permission, place):
    """What one grant allows, said in the plainest way."""
    matches = {
        "": True,
        "region:r1": place is R1,
        "region:r2": place is R2,
        "site:c": place.site == "c",
        "label.tier:gold": place is R2,
    }
    return permission in ROLES[grant.role] and matches[grant.selector]


@given(HELD, st.sampled_from(list(Permission)), st.sampled_from(PLACES))
def test_an_act_is_allowed_if_and_only_if_one_grant_allows_all_of_it(held, permission, place):
    scope = scope_of(held, permission)
    allowed = scope is not None and scope.admits(place)
    assert allowed == any(alone(grant, permission, place) for grant in held)


def test_the_role_of_one_grant_and_the_place_of_another_allow_nothing():
    held = [Grant("viewer"), Grant("operator", "region:r1")]
    scope = scope_of(held, Permission.ALARM)
    assert scope == Scope(("region:r1",))
    assert scope.admits(R1)
    assert not scope.admits(R2)
    assert scope_of(held, Permission.ADMIN) is None
    assert scope_of(held, Permission.READ) == EVERYWHERE


def test_without_a_grant_or_with_a_role_that_is_gone_nothing_is_allowed():
    assert scope_of([], Permission.READ) is None
    assert scope_of([Grant("wizard")], Permission.READ) is None
    assert within([Grant("viewer")], [Grant("wizard")]) in {(), (Grant("wizard"),)}
    assert scope_of(within([Grant("viewer")], [Grant("wizard")]), Permission.READ) is None


@given(HELD, HELD, st.sampled_from(list(Permission)), st.sampled_from(PLACES))
def test_a_token_allows_nothing_that_it_and_one_grant_of_its_owner_do_not(
    owner, token, permission, place
):
    scope = scope_of(within(owner, token), permission)
    allowed = scope is not None and scope.admits(place)
    assert allowed == any(
        alone(asked, permission, place)
        and any(ROLES[asked.role] <= ROLES[held.role] and alone(held, permission, place)
                for held in owner)
        for asked in token
    )  # fmt: skip


def test_a_token_without_grants_of_its_own_is_its_owner():
    assert within([Grant("admin")], None) == (Grant("admin"),)


@given(HELD, GRANTS)
def test_nobody_gives_more_than_one_grant_holds(held, wanted):
    if not may_give(held, wanted):
        return
    assert is_covered(held, wanted)
    for permission in ROLES[wanted.role]:
        for place in PLACES:
            if alone(wanted, permission, place):
                assert any(alone(grant, permission, place) for grant in held)


def test_only_an_admin_gives_and_only_where_he_is_one():
    assert may_give([Grant("admin")], Grant("admin", "region:r1"))
    assert may_give([Grant("admin", "region:r1")], Grant("viewer", "region:r1"))
    assert not may_give([Grant("admin", "region:r1")], Grant("viewer"))
    assert not may_give([Grant("admin", "region:r1")], Grant("viewer", "region:r2"))
    assert not may_give([Grant("operator")], Grant("viewer"))


def test_a_scope_narrows_a_query_to_its_places():
    scope = Scope(("region:r1", "site:c"))
    assert scope.narrowed("sev>=major") == "((region:r1) OR (site:c)) (sev>=major)"
    assert scope.narrowed("") == "(region:r1) OR (site:c)"
    assert EVERYWHERE.narrowed("sev>=major") == "sev>=major"


def test_the_least_role_that_allows_an_act_is_named():
    held = [Grant("admin"), Grant("operator", "region:r1")]
    assert role_for(held, Permission.ALARM) == "operator"
    assert role_for(held, Permission.ADMIN) == "admin"
    assert role_for([], Permission.READ) == ""


def test_a_selector_asks_for_names_and_labels_only():
    assert canonical_selector(" region:r1   label.tier:gold ") == canonical_selector(
        "region:r1 AND label.tier:gold"
    )
    with pytest.raises(QueryError, match="may change by itself"):
        canonical_selector("status=ok")
    with pytest.raises(QueryError):
        canonical_selector("(")


class Lattice(RuleBasedStateMachine):
    """People give, take back and make tokens as they may: nobody ever gets above who began."""

    def __init__(self):
        super().__init__()
        self.root = [Grant("admin", "region:r1"), Grant("operator")]
        self.people = {"root": list(self.root)}

    @rule(by=st.integers(0, 9), to=st.integers(0, 9), grant=GRANTS)
    def give(self, by, to, grant):
        names = sorted(self.people)
        if may_give(self.people[names[by % len(names)]], grant):
            self.people.setdefault(f"u{to}", []).append(grant)

    @precondition(lambda self: len(self.people) > 1)
    @rule(whose=st.integers(0, 9), asked=HELD, permission=st.sampled_from(list(Permission)))
    def use_a_token(self, whose, asked, permission):
        names = sorted(self.people)
        held = within(self.people[names[whose % len(names)]], asked)
        self.nothing_above_root(held, permission)

    @invariant()
    def nobody_is_above_root(self):
        for held in self.people.values():
            for permission in Permission:
                self.nothing_above_root(held, permission)

    def nothing_above_root(self, held, permission):
        scope, top = scope_of(held, permission), scope_of(self.root, permission)
        for place in PLACES:
            if scope is not None and scope.admits(place):
                assert top is not None
                assert top.admits(place)


TestLattice = Lattice.TestCase
