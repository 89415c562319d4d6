"""Brackets and quotes where they are needed and nowhere else."""

import pytest

from roost_central.fleet.query_ast import And, Comparison, Count, Inventory, Not, Or, Text
from roost_central.fleet.query_canonical import canonical

A, B, C = (Text(text) for text in "abc")
ICE = Comparison("driver", None, "=", ("ice",))


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (And(()), ""),
        (And((Or((A, B)), C)), "(a OR b) c"),
        (Or((And((A, B)), C)), "a b OR c"),
        (Not(And((A, B))), "!(a b)"),
        (Not(A), "!a"),
        (Text("or"), '"or"'),
        (Comparison("label", "k", "!=", ("a b", None, "null")), 'label.k!="a b",null,"null"'),
        (Inventory("nic", ICE), "inv.nic.driver=ice"),
        (Inventory("nic", Not(ICE)), "inv.nic{!driver=ice}"),
        (Inventory("nic", Or((ICE, ICE))), "inv.nic{(driver=ice OR driver=ice)}"),
        (Count(Inventory("nic", ICE), ">=", 2), "count(inv.nic{driver=ice})>=2"),
    ],
)
def test_a_tree_has_one_text(tree, text):
    assert canonical(tree) == text
