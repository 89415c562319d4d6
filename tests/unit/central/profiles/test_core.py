"""From profiles and nodes to documents."""

from hypothesis import given
from hypothesis import strategies as st
from making import fleet, profile, subjects, swappiness

from roost_central.profiles.core import compile_profiles
from roost_central.profiles.possible import Machine
from roost_central.profiles.selector import compile_selector, parse_selector

NODES = subjects("a.n1", "a.n2", "b.n1", region="r1")
PAGES = "[memory.hugepages.2M]\nnode0 = 1000\n"


def digests(profiles, nodes=NODES):
    return {node: each.digest for node, each in compile_profiles(profiles, nodes).nodes.items()}


def test_each_node_gets_the_profiles_that_are_for_it():
    profiles = [
        fleet("f", swappiness(1)),
        profile("sel", 'select = "site:a"', swappiness(2)),
        profile("one", 'select = "node:a.n2"', swappiness(3), priority=101),
        profile("s", 'site = "b"', swappiness(4)),
        profile("n", 'node = "a.n1"', swappiness(5)),
        profile("label", 'select = "region:r9"', swappiness(6)),
    ]
    made = compile_profiles(profiles, NODES)
    values = {node: each.sections["kernel"]["sysctl"] for node, each in made.nodes.items()}
    wanted = {"a.n1": 5, "a.n2": 3, "b.n1": 4}
    assert values == {node: {"vm.swappiness": value} for node, value in wanted.items()}
    assert made.matched == {"f": 3, "sel": 2, "one": 1, "s": 1, "n": 1, "label": 0}
    assert [each.name for each in made.nodes["a.n2"].profiles] == ["f", "sel", "one"]


def test_a_node_without_a_profile_has_an_empty_document():
    made = compile_profiles([profile("s", 'site = "b"', swappiness(4))], NODES)
    assert made.nodes["a.n1"].sections == {}
    assert made.nodes["a.n1"].is_well


def test_nodes_of_the_same_profiles_share_one_document():
    made = compile_profiles([fleet("f", swappiness(1))], NODES)
    assert len({id(each) for each in made.nodes.values()}) == 1


@given(st.permutations(range(4)), st.permutations(NODES))
def test_the_same_profiles_and_nodes_give_the_same_documents(order, nodes):
    profiles = [
        fleet("f", swappiness(1)),
        profile("x", 'select = "site:a"', swappiness(2), priority=5),
        profile("y", 'select = "node:*.n1"', swappiness(3), priority=6),
        profile("z", 'site = "b"', "[dns]\nattempts = 2\n"),
    ]
    assert digests([profiles[n] for n in order], nodes) == digests(profiles)


def test_nodes_of_a_site_may_have_labels_of_their_own():
    nodes = [*subjects("a.n1", region="r1"), *subjects("a.n2", region="r1", role="db")]
    made = compile_profiles(
        [
            profile("db", 'select = "label.role:db"', swappiness(1)),
            profile("any", 'select = "label.*:db"', "[dns]\nattempts = 2\n"),
        ],
        nodes,
    )
    assert made.nodes["a.n1"].sections == {}
    assert set(made.nodes["a.n2"].sections) == {"kernel", "dns"}


def test_a_site_and_a_label_that_another_node_has_do_not_spill_over():
    mixed = [*subjects("a.n1", region="r1"), *subjects("b.n1", region="r2")]
    made = compile_profiles([profile("p", 'select = "region:r2"', swappiness(1))], mixed)
    assert made.matched == {"p": 1}
    assert made.nodes["a.n1"].sections == {}


def test_a_node_with_a_fault_is_not_well():
    profiles = [
        profile("one", 'select = "site:a"', swappiness(1)),
        profile("two", 'select = "node:a.n1"', swappiness(2)),
        profile("bad", 'site = "b"', '[update-window]\nstart = "01:00"\n'),
    ]
    made = compile_profiles(profiles, NODES)
    assert [made.is_well(node) for node in made.nodes] == [False, True, False]


def test_what_a_machine_cannot_be_is_noted_for_that_node_alone():
    made = compile_profiles([fleet("f", PAGES)], NODES)
    assert all(map(made.is_demanding, made.nodes))
    made.judge({"a.n1": Machine(memory_bytes=1024**3), "a.n2": Machine(memory_bytes=64 * 1024**3)})
    assert made.impossible.keys() == {"a.n1"}
    assert [made.is_well(node) for node in made.nodes] == [False, True, True]
    assert not compile_profiles([fleet("f", swappiness(1))], NODES).is_demanding("a.n1")


LABELS = st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["1", "2"]))
SELECTORS = [
    "label.x:1",
    "!label.x:1",
    "label.x:1 label.y=2",
    "label.*:2",
    "label.z=null site:a",
    "label.y:* name:n1",
]


@given(st.dictionaries(st.sampled_from("abcd"), LABELS, min_size=1))
def test_whatever_is_kept_in_between_a_selector_is_asked_of_every_node(sites):
    nodes = [one for site, labels in sites.items() for one in subjects(f"{site}.n1", **labels)]
    profiles = [profile(f"p{n}", f"select = '{text}'") for n, text in enumerate(SELECTORS)]
    made = compile_profiles(profiles, nodes)
    tests = [compile_selector(parse_selector(text)).test for text in SELECTORS]
    for node in nodes:
        names = [each.name for each in made.nodes[node.node].profiles]
        assert names == [f"p{n}" for n, test in enumerate(tests) if test(node)]
