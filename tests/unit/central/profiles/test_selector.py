"""Which nodes a profile is for."""

from collections import defaultdict
from dataclasses import replace

import pytest

from roost_central.fleet.query import QueryError
from roost_central.fleet.query_items import leaves
from roost_central.profiles.selector import Answers, Subject, compile_selector, parse_selector

NODE = Subject("edge-1.n1", "edge-1", "n1", {"region": "r1", "tier": "gold"}, 52.5, 13.4)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("site:edge-*", True),
        ("node=edge-1.n1", True),
        ("name:n2", False),
        ("region:r1 label.tier=gold", True),
        ("label.*:gold", True),
        ("lat>50 lon<10", False),
        ("!region:r1 OR name:n1", True),
        ("label.owner=null", True),
    ],
)
def test_a_selector_is_asked_of_names_labels_and_place(text, holds):
    assert compile_selector(parse_selector(text)).test(NODE) is holds


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("edge", "not-here"),
        ("!(edge OR site:a)", "not-here"),
        ("status=ok", "not-here"),
        ("age>1h", "not-here"),
        ("inv.nic.driver=ice status=ok", "not-here"),
        ("inv.nic.mtu=9000", "not-here"),
        ("inv.nic{driver=ice mtu=9000}", "not-here"),
        ("inv.nic.firmware=null", "not-here"),
        ("count(inv.nic{firmware=null,4.20})>1", "not-here"),
        ("inv.nic.firmware.reason=denied", "not-here"),
        ("inv.gpu.reason=timeout", "not-here"),
        ("inv.hugepages.count=0", "not-here"),
        ("inv.sriov{driver=ice num_vfs>0}", "not-here"),
        ("site:", "expected-value"),
    ],
)
def test_what_may_change_by_itself_selects_nothing(text, code):
    with pytest.raises(QueryError) as refused:
        parse_selector(text)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "labels", "is_of_sites"),
    [
        ("region:r1 !label.tier=gold", {"region", "tier"}, True),
        ("region:r1 site:a lat>5", None, True),
        ("label.*:gold", None, True),
        ("region:r1 node:a.n1", None, False),
        ("region:r1 OR name:n1", None, False),
        ("region:r1 inv.nic.driver=ice", None, False),
    ],
)
def test_what_a_selector_looks_at_is_known(text, labels, is_of_sites):
    selector = compile_selector(parse_selector(text), Answers(defaultdict(set)))
    assert selector.labels == labels
    assert selector.is_of_sites is is_of_sites


@pytest.mark.parametrize(
    ("text", "holders", "holds"),
    [
        ("region:r1 inv.nic{driver=ice firmware<4.20}", {"edge-1.n1"}, True),
        ("region:r9 inv.nic{driver=ice firmware<4.20}", {"edge-1.n1"}, False),
        ("count(inv.disk{type=nvme})>=2", set(), False),
        ("!inv.gpu.id:*", set(), True),
        ("!inv.gpu.id:*", {"edge-1.n1"}, False),
    ],
)
def test_a_selector_is_asked_of_what_a_node_is_made_of(text, holders, holds):
    query = parse_selector(text)
    answers = Answers(dict.fromkeys(leaves(query.root), holders))
    selector = compile_selector(query, answers)
    assert selector.test(replace(NODE, has_inventory=True)) is holds
    assert not selector.test(NODE), "it told nothing yet, so nothing is known of it"
