"""Differences of two inventories: by what parts are, or by the place they are in."""

from roost_central.inventory.compare import compare

OLD = {"disk": ({"eui.1": {"name": "nvme0n1", "serial": "S1"}}, {"eui.1.model": "denied"})}
NEW = {"disk": ({"eui.2": {"name": "nvme0n1", "serial": "S2"}}, {"eui.2.model": "denied"})}


def told(changes):
    return [(each.item, each.field) for each in changes]


def test_of_one_node_a_disk_that_was_replaced_went_and_another_came():
    assert told(compare(OLD, NEW, by_place=False)) == [
        ("eui.1", "name"),
        ("eui.1", "serial"),
        ("eui.1.model", "?"),
        ("eui.2", "name"),
        ("eui.2", "serial"),
        ("eui.2.model", "?"),
    ]


def test_of_two_nodes_what_is_in_the_same_place_is_compared():
    (change,) = compare(OLD, NEW, by_place=True)
    assert (change.item, change.field, change.old, change.new) == ("nvme0n1", "serial", "S1", "S2")


def test_a_place_that_two_items_claim_or_none_names_leaves_them_their_keys():
    twins = {"nic": ({"a": {"ifname": "x"}, "b": {"ifname": "x"}, "c": {}}, {})}
    assert compare(twins, twins, by_place=True) == []
    assert told(compare(twins, {"nic": ({"a": {"ifname": "x"}, "c": {}}, {})}, by_place=True)) == [
        ("b", "ifname")
    ]


def test_a_class_of_one_side_alone_is_one_difference():
    (change,) = compare({}, OLD, by_place=True)
    assert (change.section, change.item, change.field, change.new) == ("disk", "", "", True)
