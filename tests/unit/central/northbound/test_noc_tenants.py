"""Which sites are a tenant's."""

import pytest

from roost_central.fleet.query import QueryError
from roost_central.fleet.view import FleetView
from roost_central.northbound.noc_tenants import Tenancy


@pytest.fixture
def view():
    fleet = FleetView()
    for name, labels in {"a1": {"customer": "acme"}, "b1": {"customer": "beta"}, "a2": {}}.items():
        fleet.add_site(name, 0).labels = labels
    return fleet


@pytest.mark.parametrize(
    ("query", "sites"),
    [
        ("label.customer:acme", ["a1"]),
        ("site:a*", ["a1", "a2"]),
        ("label.*:beta OR site:a2", ["b1", "a2"]),
        ("!label.customer:acme", ["a2", "b1"]),
        ("region:r1", []),
    ],
)
def test_a_query_selects_by_name_and_label(view, query, sites):
    tenancy = Tenancy(query)
    tenancy.review(view.sites, view.sites)
    assert sorted(tenancy.selected) == sorted(sites)
    assert all(tenancy(site) for site in sites)
    assert not tenancy("")


def test_a_change_of_labels_changes_whose_it_is(view):
    tenancy = Tenancy("label.customer:acme")
    assert tenancy.review(view.sites, view.sites)
    assert not tenancy.review(view.sites, view.sites)
    view.sites["b1"].labels = {"customer": "acme"}
    assert not tenancy.review(view.sites, ["a1"])
    assert tenancy.review(view.sites, ["b1"])
    view.sites["a1"].labels = {}
    assert tenancy.review(view.sites, ["a1"])
    assert list(tenancy.selected) == ["b1"]
    view.remove_site("b1")
    assert tenancy.review(view.sites, [])
    assert tenancy.selected == {}


@pytest.mark.parametrize(
    "query", ["status:down", "site:a* and path.p1:up", "nodes>3", "inv.disk{type=nvme}", "(("]
)
def test_what_changes_by_itself_is_no_tenancy(query):
    with pytest.raises(QueryError):
        Tenancy(query)
