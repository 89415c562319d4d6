"""What the interfaces of a profile are called on a node."""

import pytest

from roost_agent.config_apply.network.names import RefusedError, by_name, names, with_parts
from roost_agent.config_apply.network.state import Interface, state

MAC = "02:00:5e:00:53:01"
FOUND = state([Interface("eth0"), Interface("eth1", permanent_mac=MAC)], [])
WANTED = {
    "interfaces": {
        "up": {"mac": MAC},
        "v5": {"vlan": {"parent": "up", "id": 5}},
        "b0": {"bridge": {"members": ["up", "eth7"]}},
    }
}


def test_an_interface_is_found_by_the_mac_that_is_burnt_in_whatever_it_is_called():
    real = names(WANTED, FOUND)
    assert real == {"up": "eth1", "v5": "v5", "b0": "b0"}
    named = by_name(WANTED, real)
    assert list(named) == ["eth1", "v5", "b0"]
    assert named["v5"] == {"vlan": {"parent": "eth1", "id": 5}}
    assert named["b0"] == {"bridge": {"members": ["eth1", "eth7"]}}
    assert with_parts(named) == {"eth1", "eth7", "v5", "b0"}


@pytest.mark.parametrize("there", [[], [Interface(f"e{n}", permanent_mac=MAC) for n in range(2)]])
def test_none_and_two_with_a_mac_are_refused(there):
    with pytest.raises(RefusedError, match=f"interfaces.up.mac: .* with {MAC} burnt in"):
        names(WANTED, state(there, []))


def test_one_that_is_named_twice_is_refused():
    wanted = {"interfaces": {"up": {"mac": MAC}, "eth1": {"mtu": 1500}}}
    with pytest.raises(RefusedError, match="eth1 is named twice"):
        by_name(wanted, names(wanted, FOUND))
