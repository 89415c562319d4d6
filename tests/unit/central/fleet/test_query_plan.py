"""Where each part of a query is answered, and in which order."""

from roost_central.fleet.query import parse
from roost_central.fleet.query_canonical import canonical
from roost_central.fleet.query_plan import Place, plan_of


def test_a_plan_tells_where_each_part_is_answered_and_in_which_order():
    plan = plan_of(parse("inv.nic.mtu=9000 (age>1h OR inv.nic.driver=ice) region:r0* lab"))
    assert [(part.text, part.place) for part in plan.parts] == [
        ("region:r0*", Place.MEMORY),
        ("lab", Place.MEMORY),
        ("age>1h OR inv.nic.driver=ice", Place.INDEX),
        ("inv.nic.mtu=9000", Place.DOCUMENTS),
    ]
    assert plan.is_slow
    assert not plan_of(parse("inv.nic.driver=ice OR lab")).is_slow
    assert plan_of(parse("")).parts == ()


def test_documents_are_read_of_what_everything_else_leaves():
    plan = plan_of(parse("inv.nic.mtu=9000 lab inv.nic.driver=ice"))
    assert canonical(plan.before_documents) == "lab inv.nic.driver=ice"
    alone = plan_of(parse("inv.nic.mtu=9000 OR lab"))
    assert alone.is_slow
    assert canonical(alone.before_documents) == ""
