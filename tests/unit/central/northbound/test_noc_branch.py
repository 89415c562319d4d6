"""What each tree of the NOC's broker holds: whole, collapsed, a tenant's."""

import json

from alarm_feed import alarm, incident, over

from roost_central.northbound import noc_tree
from roost_central.northbound.noc_branch import Branch, Present
from roost_central.northbound.noc_tree import CLEARED_MS, SiteState

INC = "INC-7F3A"


def step(event, row, seq):
    """A transition as the feed flattens it."""
    changed = {"event": event, "seq": seq}
    return type(row)(**{name: getattr(row, name) for name in row.__struct_fields__} | changed)


def present(*rows, incidents=(), seq=1):
    return Present(rows, incidents, lambda row: step("change", row, seq), seq)


def site(name, **more):
    counts = {"nodes": 3, "nodes_online": 2, "paths_up": 1, "paths": 2}
    return SiteState(site=name, state="ok", sev=0, as_of="", ts=7, **(counts | more))


def told(messages):
    return [(each.topic, json.loads(each.payload or b"null")) for each in messages]


def topics(messages):
    return [each.topic + ("" if each.payload else " empty") for each in messages]


def tenant(*sites, **more):
    return Branch("noc/v1/tenant/acme", selects=lambda name: name in sites, **more)


def of(number, root="noc/v1", **more):
    return noc_tree.alarm_topic(alarm(number, **more), root)


def test_the_whole_tree_tells_each_transition_and_empties_what_is_over():
    tree = Branch()
    assert topics(tree.truth(present(alarm(1)), {})) == [of(1)]
    assert topics(tree.changed(step("raise", alarm(2), 2), 0)) == [
        "noc/v1/event/alarm/major/s00002/280.801",
        of(2),
    ]
    assert topics(tree.changed(step("clear", over(alarm(1)), 3), 0)) == [
        "noc/v1/event/alarm/cleared/s00001/280.801",
        of(1),
    ]
    assert tree.emptied(CLEARED_MS - 1, 9) == []
    assert topics(tree.emptied(CLEARED_MS, 9)) == [f"{of(1)} empty"]
    assert not tree.is_partial


def test_an_older_transition_takes_no_newer_state_away():
    tree = Branch()
    tree.truth(present(alarm(1), seq=9), {})
    assert topics(tree.changed(step("change", alarm(1, sev=1), 9), 0)) == [
        "noc/v1/event/alarm/warning/s00001/280.801"
    ]


def test_what_is_raised_again_within_its_minute_is_not_emptied():
    tree = Branch()
    tree.changed(step("clear", over(alarm(1)), 1), 0)
    tree.changed(step("raise", alarm(1), 2), 1)
    tree.changed(step("close", incident(state="closed"), 3), 2)
    tree.changed(step("open", incident(), 4), 3)
    assert tree.emptied(CLEARED_MS + 9, 9) == []


def test_a_collapsed_tree_tells_the_incident_and_not_its_members():
    tree = Branch("noc/v1/collapsed", collapse=True)
    member = alarm(1, incident=INC, suppressed=True)
    assert topics(tree.truth(present(member, alarm(2), incidents=[incident()]), {})) == [
        of(2, tree.root),
        f"noc/v1/collapsed/incident/{INC}",
    ]
    later = alarm(3, incident=INC, suppressed=True)
    assert tree.changed(step("raise", later, 2), 0) == []
    assert tree.changed(step("change", later, 3), 0) == []
    assert tree.changed(step("clear", over(later), 4), 0) == []
    assert topics(tree.changed(step("close", incident(state="closed"), 5), 0)) == [
        f"noc/v1/collapsed/incident/{INC}"
    ]


def test_what_was_told_before_its_incident_is_withdrawn_and_its_end_is_told():
    tree = Branch("noc/v1/collapsed", collapse=True)
    tree.truth(present(), {})
    tree.changed(step("raise", alarm(1), 1), 0)
    member = alarm(1, incident=INC)
    found = tree.refresh(present(member, incidents=[incident()], seq=2))
    assert topics(found) == [f"{of(1, tree.root)} empty", f"noc/v1/collapsed/incident/{INC}"]
    assert topics(tree.changed(step("clear", over(member), 3), 0)) == [
        "noc/v1/collapsed/event/alarm/cleared/s00001/280.801"
    ]


def test_a_member_whose_change_comes_first_is_withdrawn_too():
    tree = Branch("noc/v1/collapsed", collapse=True)
    tree.changed(step("raise", alarm(1), 1), 0)
    tree.changed(step("raise", alarm(2), 2), 0)
    member = alarm(1, incident=INC)
    assert topics(tree.changed(step("change", member, 3), 0)) == [f"{of(1, tree.root)} empty"]
    ended = over(alarm(2, incident=INC))
    assert topics(tree.changed(step("clear", ended, 4), 0))[-1] == of(2, tree.root)


def test_what_leaves_an_incident_is_told_again():
    tree = Branch("noc/v1/collapsed", collapse=True)
    tree.truth(present(alarm(1, incident=INC)), {})
    assert topics(tree.refresh(present(alarm(1), seq=5))) == [of(1, tree.root)]


def test_a_tenant_hears_of_its_own_sites_only():
    tree = tenant("s00001")
    found = tree.truth(
        present(alarm(1), alarm(2), alarm(3, site="")), {"s00001": site("s00001"), "x": site("x")}
    )
    assert topics(found) == [of(1, tree.root), "noc/v1/tenant/acme/site/s00001/state"]
    assert tree.changed(step("raise", alarm(2), 2), 0) == []
    assert topics(tree.changed(step("raise", alarm(1), 3), 0)) == [
        "noc/v1/tenant/acme/event/alarm/major/s00001/280.801",
        of(1, tree.root),
    ]


def test_a_tenant_is_told_of_an_incident_what_hits_its_own():
    tree = tenant("s00001", "s00002")
    rows = [alarm(number, incident=INC) for number in range(1, 5)]
    found = dict(told(tree.truth(present(*rows, incidents=[incident()]), {})))
    own = found[f"noc/v1/tenant/acme/incident/{INC}"]
    assert (own["sites"], own["alarms"]) == (2, 2)
    assert not {"cause", "covered", "url", "ack_by"} & set(own)
    assert tree.changed(step("open", incident("INC-OTHER"), 7), 0) == []
    ((_, ended),) = told(tree.changed(step("close", incident(state="closed"), 8), 0))
    assert (ended["state"], ended["sites"]) == ("closed", 2)


def test_a_first_member_at_a_tenants_site_asks_for_a_look_at_the_incident():
    tree = tenant("s00001")
    tree.truth(present(incidents=[incident()]), {})
    member = alarm(1, incident=INC)
    assert len(tree.changed(step("raise", member, 2), 0)) == 2
    assert tree.is_behind
    found = tree.refresh(present(member, incidents=[incident()], seq=2))
    assert topics(found) == [f"noc/v1/tenant/acme/incident/{INC}"]
    assert not tree.is_behind
    tree.changed(step("change", member, 3), 0)
    assert not tree.is_behind


def test_a_site_that_changes_hands_takes_everything_along():
    sites = {"s00001"}
    tree = Branch("noc/v1/tenant/acme", selects=lambda name: name in sites, values=("paths_up",))
    states = {name: site(name) for name in ("s00001", "s00002")}
    tree.truth(present(alarm(1), alarm(2)), states)
    sites.clear()
    sites.add("s00002")
    at = "noc/v1/tenant/acme/site"
    assert topics(tree.refresh(present(alarm(1), alarm(2), seq=2))) == [
        f"{of(1, tree.root)} empty",
        of(2, tree.root),
    ]
    assert tree.sites(states) == []
    tree.touch_sites(states)
    assert sorted(topics(tree.sites(states))) == [
        f"{at}/s00001/state empty",
        f"{at}/s00001/value/paths_up empty",
        f"{at}/s00002/state",
        f"{at}/s00002/value/paths_up",
    ]


def test_a_number_of_a_site_is_told_when_it_changes():
    tree = Branch(values=("nodes_online", "paths_up"))
    first = site("s1")
    tree.touch_sites(["s1"])
    messages = tree.sites({"s1": first})
    assert [(each.topic, each.payload) for each in messages[1:]] == [
        ("noc/v1/site/s1/value/nodes_online", b"2"),
        ("noc/v1/site/s1/value/paths_up", b"1"),
    ]
    tree.touch_sites(["s1"])
    assert tree.sites({"s1": first}) == []
    tree.touch_sites(["s1"])
    assert topics(tree.sites({"s1": site("s1", paths_up=0)})) == [
        "noc/v1/site/s1/state",
        "noc/v1/site/s1/value/paths_up",
    ]
    tree.touch_sites(["s1", "never there"])
    assert topics(tree.sites({})) == [
        "noc/v1/site/s1/state empty",
        "noc/v1/site/s1/value/nodes_online empty",
        "noc/v1/site/s1/value/paths_up empty",
    ]


def test_what_is_due_comes_in_parts_and_what_is_raised_again_meanwhile_is_left_out():
    tree = Branch()
    for number in range(1, 6):
        tree.changed(step("clear", over(alarm(number)), number), 0)
    assert topics(tree.emptied(CLEARED_MS, 2)) == [f"{of(1)} empty", f"{of(2)} empty"]
    tree.changed(step("raise", alarm(4), 6), CLEARED_MS)
    assert topics(tree.emptied(CLEARED_MS, 9)) == [f"{of(3)} empty", f"{of(5)} empty"]
    states = {name: site(name) for name in "abc"}
    tree.touch_sites(states)
    parts = [topics(tree.sites(states, 2)) for _ in range(3)]
    assert [len(part) for part in parts] == [2, 1, 0]
    told = sorted(topic for part in parts for topic in part)
    assert told == [f"noc/v1/site/{name}/state" for name in "abc"]
    tree.touch_sites(states)
    assert [len(tree.sites({}, limit)) for limit in (0, 1, 9)] == [0, 1, 2]
    assert tree.emptied(CLEARED_MS, 0) == []


def test_a_summary_is_told_when_it_is_another_one():
    from alarm_feed import MemoryFeed  # noqa: PLC0415 - of this test alone

    tree, feed = tenant("s00001"), MemoryFeed()
    assert topics(tree.summary(feed.flat_summary())) == ["noc/v1/tenant/acme/fleet/summary"]
    assert tree.summary(feed.flat_summary()) == []
    feed.tell("raise", alarm(1))
    assert len(tree.summary(feed.flat_summary())) == 1
