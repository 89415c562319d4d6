"""The sections ``network`` and ``sriov`` as those who apply settings see them."""

import pytest
from machine_tree import machine_tree

from roost_agent.config_apply import plan as plans
from roost_agent.config_apply.machine import Machine
from roost_agent.config_apply.network import codec
from roost_agent.config_apply.network.difference import toward
from roost_agent.config_apply.network.state import Interface, Route, state
from roost_agent.config_apply.network.steps import after
from roost_agent.config_apply.sections.network import Found, Network
from roost_agent.config_apply.sections.sriov import PCI, Sriov
from roost_agent.config_apply.step import PutNetwork, PutValue, dump, load, undoing

MAC = "02:00:5e:00:53:01"
FOUND = Found(
    state(
        [
            Interface("eth0", mtu=1500, is_up=True, addresses=frozenset({"192.0.2.7/24"})),
            Interface("eth1", mtu=1500, permanent_mac=MAC),
            Interface("eth2", mtu=1500),
        ],
        [Route("0.0.0.0/0", "eth0", "192.0.2.1", protocol=3)],
    ),
    frozenset({"203.0.113.9"}),
)
WANTED = {
    "interfaces": {
        "up": {"mac": MAC, "mtu": 9000, "addresses": ["10.0.0.7/8", "2001:0db8::7/64"]},
        "b0": {"bond": {"mode": "802.3ad", "members": ["eth2"], "miimon_ms": 50}},
        "v5": {"vlan": {"parent": "up", "id": 5}},
    },
    "routes": {"lab": {"to": "198.51.100.0/24", "via": "10.0.0.1", "interface": "up", "metric": 7}},
    "drift": "report",
}
SECTION = Network()
VFS = f"{PCI}/0000:3b:00.0/sriov_numvfs"


def done(found, plan):
    network = found.network
    for put in plan.steps:
        goal, other = codec.load(put.after), codec.load(put.before)
        for step in toward(goal, other, network):
            network = after(network, step)
    return Found(network, found.remotes)


def test_what_is_wanted_is_put_in_one_step_and_read_back():
    assert SECTION.refusals(WANTED, FOUND) == []
    plan = SECTION.plan(WANTED, {}, FOUND, {})
    assert len(plan.steps) == 1
    assert SECTION.needs_confirm
    there = done(FOUND, plan)
    assert plans.differences("network", WANTED, there) == []
    assert SECTION.plan(WANTED, WANTED, there, plan.originals).steps == ()
    assert load(dump(plan.steps)) == list(plan.steps)
    back = done(there, type(plan)(tuple(undoing(plan.steps))))
    assert back == FOUND


def test_what_no_profile_names_any_more_is_as_it_was_before_the_first():
    plan = SECTION.plan(WANTED, {}, FOUND, {})
    there = done(FOUND, plan)
    assert set(plan.originals) == {"eth1", "eth2"}
    again = SECTION.plan({}, WANTED, there, plan.originals)
    assert done(there, again) == FOUND
    assert again.originals == {}


def test_the_originals_are_those_before_the_first_profile_not_the_second():
    plan = SECTION.plan(WANTED, {}, FOUND, {})
    there = done(FOUND, plan)
    assert SECTION.plan(WANTED, WANTED, there, plan.originals).originals == plan.originals


def test_what_others_changed_is_told_by_the_settings_of_the_profile():
    there = done(FOUND, SECTION.plan(WANTED, {}, FOUND, {}))
    eth1 = there.network.interfaces["eth1"]
    other = Interface(
        "eth1", mtu=1400, addresses=eth1.addresses - {"10.0.0.7/8"}, permanent_mac=MAC
    )
    network = state(
        [*(each for each in there.network.interfaces.values() if each.name not in ("eth1", "v5")),
         other],
        [Route("198.51.100.0/24", "eth0", "192.0.2.9", metric=7)],
    )  # fmt: skip
    told = {
        ".".join(path): (wanted, found)
        for path, wanted, found in plans.differences("network", WANTED, Found(network))
    }
    assert told == {
        "interfaces.up.mtu": (9000, 1400),
        "interfaces.up.addresses": (["10.0.0.7/8", "2001:0db8::7/64"], ["2001:db8::7/64"]),
        "interfaces.v5.vlan.parent": ("up", None),
        "interfaces.v5.vlan.id": (5, None),
        "routes.lab.via": ("10.0.0.1", "192.0.2.9"),
        "routes.lab.interface": ("up", "eth0"),
    }


def test_a_card_that_was_pulled_is_drift_and_no_error():
    gone = Found(state([FOUND.network.interfaces["eth0"]], []))
    assert ("interfaces", "up", "mac") in {
        path for path, _, _ in plans.differences("network", WANTED, gone)
    }


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"interfaces": {"eth9": {"mtu": 1500}}}, "interfaces.eth9: there is no such interface"),
        ({"interfaces": {"eth0": {"addresses": []}}}, "would cut the last path: 203.0.113.9"),
    ],
)
def test_what_the_node_cannot_be_or_would_cut_it_off_is_refused_before_anything(wanted, said):
    (why,) = SECTION.refusals(wanted, FOUND)
    assert said in why


def test_below_another_root_there_is_no_network(tmp_path):
    assert SECTION.read({}, {}, Machine(str(tmp_path))) == Found()


@pytest.fixture
def card(tmp_path):
    function = {VFS: "4\n", f"{PCI}/0000:3b:00.0/sriov_totalvfs": "8\n"}
    return Machine(str(machine_tree(tmp_path, function)))


def test_virtual_functions_go_to_none_before_another_count(card):
    wanted = {"vfs": {"0000:3b:00.0": 8}}
    found = Sriov().read(wanted, {}, card)
    assert Sriov().refusals(wanted, found) == []
    plan = Sriov().plan(wanted, {}, found, {})
    assert plan.steps == (PutValue(VFS, b"4\n", b"0\n"), PutValue(VFS, b"0\n", b"8\n"))
    for step in plan.steps:
        card.do(step)
    there = Sriov().read(wanted, {}, card)
    assert Sriov().values(wanted, there) == {("vfs", "0000:3b:00.0"): 8}
    assert Sriov().plan(wanted, wanted, there, plan.originals).steps == ()
    back = Sriov().plan({}, wanted, Sriov().read({}, wanted, card), plan.originals)
    assert back.steps == (PutValue(VFS, b"8\n", b"0\n"), PutValue(VFS, b"0\n", b"4\n"))
    for step in undoing(plan.steps):
        card.do(step)
    assert card.read(VFS) == b"4\n"


def test_none_is_one_step(card):
    wanted = {"vfs": {"0000:3b:00.0": 0}}
    plan = Sriov().plan(wanted, {}, Sriov().read(wanted, {}, card), {})
    assert plan.steps == (PutValue(VFS, b"4\n", b"0\n"),)


@pytest.mark.parametrize(
    ("vfs", "said"),
    [({"0000:3b:00.0": 9}, "9 virtual functions, bound 8"), ({"eth7": 1}, "no such physical")],
)
def test_more_functions_than_the_device_has_are_refused(card, vfs, said):
    (why,) = Sriov().refusals({"vfs": vfs}, Sriov().read({"vfs": vfs}, {}, card))
    assert said in why


def test_the_step_back_is_the_same_step_the_other_way():
    assert PutNetwork(b"a", b"b").inverse() == PutNetwork(b"b", b"a")
