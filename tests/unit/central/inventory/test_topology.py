"""A site's cables from what its nodes heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost_central.inventory.topology import Cable, Seen, topology

SWITCH = "00:1b:21:00:00:01"


def nic(*ports):
    """NICs by interface: its address, and 1 Gbit/s."""
    return {mac: {"ifname": name, "permanent_mac": mac, "mac": mac, "speed_mbps": 1_000}
            for name, mac in ports}  # fmt: skip


def heard(port, chassis, peer_port, **more):
    return {f"{port} {chassis} {peer_port}": {
        "ifname": port, "chassis_id": chassis, "port_id": peer_port, **more,
    }}  # fmt: skip


N1 = nic(("eth0", "02:00:00:00:01:00"), ("eth1", "02:00:00:00:01:01"))
N2 = nic(("eth0", "02:00:00:00:02:00"), ("eth1", "02:00:00:00:02:01"))


def test_two_nodes_at_one_switch():
    found = topology([
        Seen("s.n2", heard("eth0", SWITCH, "Gi2"), N2),
        Seen("s.n1", heard("eth0", SWITCH, "Gi1", system_name="sw1", pvid=10,
                           capabilities=["bridge"], vlans=["10 voice"]), N1),
    ])  # fmt: skip
    (device,) = found.devices
    assert (device.device, device.name, device.capabilities) == (SWITCH, "sw1", ("bridge",))
    first, second = found.cables
    assert first == Cable(
        "s.n1", "eth0", SWITCH, "Gi1", is_node=False, told_by_both=False,
        peer_port_description="", speed_mbps=1_000, pvid=10, vlans=("10 voice",),
        frame_bytes_max=None, aggregated=None,
    )  # fmt: skip
    assert (second.node, second.peer, second.peer_port) == ("s.n2", SWITCH, "Gi2")


@pytest.mark.parametrize("other_tells", [True, False])
def test_a_cable_from_node_to_node_is_there_once_and_says_who_told(other_tells):
    back = heard("eth1", "02:00:00:00:01:00", "02:00:00:00:01:01") if other_tells else {}
    found = topology(
        [
            Seen("s.n1", heard("eth1", "02:00:00:00:02:00", "02:00:00:00:02:01"), N1),
            Seen("s.n2", back, N2),
        ]
    )
    (cable,) = found.cables
    assert (cable.node, cable.port, cable.peer, cable.peer_port) == ("s.n1", "eth1", "s.n2", "eth1")
    assert (cable.is_node, cable.told_by_both) == (True, other_tells)
    assert found.devices == ()


def test_a_node_is_known_by_its_chassis_where_its_port_is_a_name():
    (cable,) = topology(
        [Seen("s.n1", heard("eth1", "02:00:00:00:02:00", "eth1"), N1), Seen("s.n2", {}, N2)]
    ).cables
    assert (cable.peer, cable.peer_port) == ("s.n2", "eth1")


def test_a_name_makes_nobody_a_node():
    lies = heard("eth0", "02:66:66:66:66:66", "eth0", system_name="n2")
    found = topology([Seen("s.n1", lies, N1), Seen("s.n2", {}, N2)])
    assert [each.is_node for each in found.cables] == [False]


def test_an_address_that_two_nodes_have_tells_of_neither():
    twin = nic(("eth9", "02:00:00:00:01:00"))
    found = topology(
        [Seen("s.n1", {}, N1), Seen("s.n2", heard("eth0", "02:00:00:00:01:00", "x"), twin)]
    )
    assert [each.is_node for each in found.cables] == [False]


def test_who_hears_itself_has_no_cable_to_itself():
    echo = heard("eth0", "02:00:00:00:01:00", "02:00:00:00:01:01")
    assert topology([Seen("s.n1", echo, N1)]).cables == ()


def test_what_a_newer_agent_sends_in_another_form_is_left_out():
    odd = heard("eth0", SWITCH, "Gi1", vlans=3, pvid="x", system_name=None, aggregated=1)
    (cable,) = topology([Seen("s.n1", odd, N1)]).cables
    assert (cable.vlans, cable.pvid, cable.aggregated) == ((), None, None)


@given(st.permutations(range(4)), st.booleans())
def test_the_order_of_nodes_and_items_changes_nothing(order, is_turned):
    macs = [f"02:00:00:00:0{n}:00" for n in range(4)]
    seen = []
    for n in range(4):
        items = heard("e0", SWITCH, f"Gi{n}", system_name=f"as {n} heard") | heard(
            "e1", macs[(n + 1) % 4], macs[(n + 1) % 4]
        )
        if is_turned:
            items = dict(reversed(items.items()))
        seen.append(Seen(f"s.n{n}", items, nic(("e0", macs[n]))))
    assert topology([seen[n] for n in order]) == topology(seen)
