from roost_agent.ha.dependency import acyclic, cycle, cycles, longest_ms


def test_a_cycle_is_named_from_where_it_begins():
    assert cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ("b", "c", "b")


def test_a_diamond_is_no_cycle():
    assert cycle({"a": ["b", "c"], "b": ["d"], "c": ["d"], "d": []}) == ()


def test_the_costliest_chain_counts_not_the_longest():
    needs = {"a": [], "b": ["a"], "c": ["b"], "x": ["a"]}
    cost_ms = {"a": 1, "b": 1, "c": 1, "x": 10}
    assert longest_ms(needs, cost_ms) == (11, ("a", "x"))


def test_nothing_takes_no_time():
    assert longest_ms({}, {}) == (0, ())


def test_each_cycle_is_told_but_those_that_share_a_name():
    needs = {"a": ["b"], "b": ["a", "c"], "c": ["b"], "x": ["x"], "y": ["a"]}
    assert cycles(needs) == [("a", "b", "a"), ("x", "x")]
    assert acyclic(needs) == {"a": (), "b": (), "c": ["b"], "x": (), "y": ["a"]}
    assert cycles({"a": ["b"], "b": []}) == []
