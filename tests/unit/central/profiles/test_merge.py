"""Precedence: what wins, whose each value is, and what nobody decides."""

from hypothesis import given
from hypothesis import strategies as st
from making import fleet, profile, swappiness

from roost_central.profiles.layer import Layer
from roost_central.profiles.merge import in_order, merge, value_at
from roost_protocol.profile.check import leaves

PATH = ("kernel", "sysctl", "vm.swappiness")
LAYERS = {
    "fleet": fleet("f", swappiness(1)),
    "low": profile("low", 'select = "site:a"', swappiness(2), priority=10),
    "high": profile("high", 'select = "site:a"', swappiness(3), priority=20),
    "site": profile("s", 'site = "a"', swappiness(4)),
    "node": profile("n", 'node = "a.n1"', swappiness(5)),
}


def test_the_nearer_to_the_node_wins_and_is_named():
    kept = list(LAYERS.values())
    for count in range(len(kept), 0, -1):
        merged = merge(in_order(kept[:count]))
        assert value_at(merged.sections, PATH) == count
        assert merged.reasons[PATH] == kept[count - 1].name


@given(st.permutations(list(LAYERS.values())))
def test_the_order_in_which_profiles_come_does_not_matter(shuffled):
    assert merge(in_order(shuffled)) == merge(in_order(list(LAYERS.values())))


def test_tables_merge_and_lists_replace():
    below = fleet("f", '[time]\nservers = ["a", "b"]\ntimezone = "UTC"\n')
    above = profile("s", 'site = "a"', '[time]\nservers = ["c"]\n')
    merged = merge(in_order([below, above]))
    assert merged.sections == {"time": {"servers": ["c"], "timezone": "UTC"}}
    assert merged.reasons == {("time", "servers"): "s", ("time", "timezone"): "f"}


def test_two_of_the_same_rank_conflict_only_where_they_differ():
    one = profile("one", 'select = "site:a"', swappiness(1) + '"vm.dirty_ratio" = 5\n')
    two = profile("two", 'select = "site:*"', swappiness(2) + '"vm.dirty_ratio" = 5\n')
    (conflict,) = merge(in_order([two, one])).conflicts
    assert (conflict.path, conflict.first.name, conflict.second.name) == (PATH, "one", "two")
    other = profile("two", 'select = "site:*"', swappiness(2), priority=101)
    assert merge(in_order([one, other])).conflicts == []


def test_every_value_has_a_reason():
    merged = merge(in_order(list(LAYERS.values())))
    assert {path for path, _ in leaves(merged.sections)} == merged.reasons.keys()


def test_a_setting_that_is_not_there_is_none():
    assert value_at({"time": {"servers": ["a"]}}, ("time", "servers", "x")) is None
    assert value_at({}, ("time",)) is None
    assert [layer.word for layer in Layer] == ["fleet", "select", "site", "node"]
