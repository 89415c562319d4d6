"""Hypothesis strategies of networks: what a node has, and what a profile wants of it."""

from dataclasses import replace

from hypothesis import assume
from hypothesis import strategies as st

from roost_agent.config_apply.network.state import Interface, Route, State, passes, state
from roost_protocol.profile.check import faults
from roost_protocol.profile.network import BOND_MODES
from roost_protocol.profile.rules import together

CARDS = ("eth0", "eth1", "eth2", "eth3")
ADDRESSES = (
    *(f"10.{net}.0.{host}/{size}" for net in range(3) for host in (2, 3) for size in (16, 24)),
    "2001:db8:1::2/64",
    "2001:db8:2::2/64",
    "fd00::7/48",
)
GATEWAYS = ("10.0.0.1", "10.1.0.1", "2001:db8:1::1", "fe80::1")
NETWORKS = ("0.0.0.0/0", "198.51.100.0/24", "::/0", "2001:db8:9::/48")
MTUS = st.sampled_from((1280, 1500, 9000))


@st.composite
def networks(draw):
    """Draw a network: cards, perhaps a VLAN and a bond or bridge, and their routes."""
    spare = list(ADDRESSES)
    names = draw(st.lists(st.sampled_from(CARDS), min_size=1, unique=True))
    made = [Interface(name=name, mtu=draw(MTUS), is_up=draw(st.booleans())) for name in names]
    if draw(st.booleans()):
        parent = made[0]
        made.append(
            Interface("v5", "vlan", parent.mtu, parent.is_up and draw(st.booleans()),
                      parent=parent.name, tag=5, is_ours=draw(st.booleans()))
        )  # fmt: skip
    if draw(st.booleans()):
        kind = draw(st.sampled_from(("bond", "bridge")))
        mode, miimon = ("802.3ad", 100) if kind == "bond" else ("", 0)
        made.append(Interface("m0", kind, 1500, draw(st.booleans()), mode=mode, miimon_ms=miimon,
                              is_ours=draw(st.booleans())))  # fmt: skip
        if len(names) > 1 and made[1].name in names:
            is_up = kind == "bond" or made[1].is_up
            made[1] = replace(made[1], master="m0", mtu=1500, is_up=is_up)
    for number, each in enumerate(made):
        if each.master or (not each.is_up and draw(st.booleans())):
            continue
        own = draw(st.lists(st.sampled_from(spare), max_size=3, unique=True))
        own = own if each.is_up else [one for one in own if ":" not in one]
        spare = [one for one in spare if one not in own]
        made[number] = replace(each, addresses=frozenset(own))
    found = state(made, ())
    routes = [
        draw(routes_over([each.name for each in made])) for _ in range(draw(st.integers(0, 4)))
    ]
    usable = [each for each in routes if passes(each, found.interfaces)]
    return State(found.interfaces, {each.key: each for each in usable})


@st.composite
def routes_over(draw, names):
    """Draw a route over one of these interfaces."""
    to = draw(st.sampled_from(NETWORKS))
    same = [one for one in GATEWAYS if (":" in one) == (":" in to)]
    return Route(
        to,
        draw(st.sampled_from(names)),
        draw(st.sampled_from((*same, ""))),
        draw(st.sampled_from((50, 1024))),
        254,
        draw(st.sampled_from((3, 4, 16, 114))),
    )


@st.composite
def sections(draw):
    """Draw settings of the section ``network`` that have no fault."""
    given = {}
    for name in draw(st.lists(st.sampled_from((*CARDS, "v5", "v6", "m0", "b1")), unique=True)):
        each = draw(interfaces(name))
        if each:
            given[name] = each
    routes = {
        f"r{number}": {
            "to": route.to,
            "interface": route.interface,
            "metric": route.metric,
            **({"via": route.via} if route.via else {}),
        }
        for number, route in enumerate(draw(st.lists(routes_over([*given, "eth0"]), max_size=3)))
    }
    network = {"interfaces": given, "routes": routes}
    assume(not faults({"network": network}))
    assume(not together({"network": network}))
    return network


@st.composite
def interfaces(draw, name):
    """Draw what is said of one interface."""
    given = {}
    if draw(st.booleans()):
        given["addresses"] = draw(st.lists(st.sampled_from(ADDRESSES), max_size=2, unique=True))
    if draw(st.booleans()):
        given["mtu"] = draw(MTUS)
    cards = st.lists(st.sampled_from(CARDS), min_size=1, max_size=2, unique=True)
    match name[0]:
        case "v":
            parent = draw(st.sampled_from((*CARDS, "m0")))
            given["vlan"] = {"parent": parent, "id": draw(st.sampled_from((5, 6)))}
        case "m":
            given["bond"] = {
                "mode": draw(st.sampled_from(BOND_MODES[:5:4])),
                "members": draw(cards),
            }
        case "b":
            given["bridge"] = {"members": draw(cards)}
        case _:
            pass
    return given
