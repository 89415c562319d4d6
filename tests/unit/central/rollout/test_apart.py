"""One open rollout of a component has a site at a time; of profiles, a profile and a node."""

from types import SimpleNamespace

import pytest

from roost_central.rollout.apart import Claim, in_the_way
from roost_central.rollout.job import Job
from roost_central.rollout.table import Kind

ID = "a" * 32


def opened(kind, component, profiles=(), nodes=("s0.n1", "s1.n1")):
    head = SimpleNamespace(
        id=ID, name="x", kind=kind, component=component, profiles=profiles, state="running"
    )
    jobs = {node[:2]: Job(site=node[:2], wave=0, nodes=(node,), former=("", "")) for node in nodes}
    return {ID: SimpleNamespace(rollout=SimpleNamespace(head=head, jobs=jobs))}


@pytest.mark.parametrize(
    ("claim", "told"),
    [
        (Claim(Kind.RELEASE, "app/pump", ["s1", "s2"]), "of app/pump has 1 of these sites, s1"),
        (Claim(Kind.RELEASE, "app/pump", ["s2"]), ""),
        (Claim(Kind.RELEASE, "app/tap", ["s1"]), ""),
        (Claim(Kind.RELEASE, "app/pump", ["s1"], supersede=True), ""),
        (Claim(Kind.RELEASE, "app/pump", ["s1"], but=ID), ""),
        (Claim(Kind.PROFILE, "profile", ["s1"], ["s1.n1"], ["x"]), ""),
    ],
)
def test_a_release_is_in_the_way_of_another_of_its_component_at_its_sites(claim, told):
    found = [str(each) for each in in_the_way(opened(Kind.RELEASE, "app/pump"), claim)]
    assert bool(found) == bool(told)
    assert all(told in each and each.endswith("and is running") for each in found)


@pytest.mark.parametrize(
    ("nodes", "profiles", "told"),
    [
        (["s9.n1"], ["all", "b"], "has profile all as well"),
        (["s1.n1", "s2.n1"], ["b"], "has 1 of these nodes, s1.n1"),
        (["s1.n2"], ["b"], ""),
    ],
)
def test_profiles_are_in_the_way_by_name_and_by_node(nodes, profiles, told):
    claim = Claim(Kind.PROFILE, "profile", ["s1"], nodes, profiles)
    found = [str(each) for each in in_the_way(opened(Kind.PROFILE, "profile", ["all"]), claim)]
    assert bool(found) == bool(told)
    assert all(told in each for each in found)
